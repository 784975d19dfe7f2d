"""A whole bake: exercises in, a proven candidate out, which serves nobody unless the gate agrees and it was asked."""

from pathlib import Path
from typing import Any

import pytest

from core.adapters import Adapters
from core.database import Database
from core.errors import InvalidInputError
from core.model_server import ModelServer
from core.prompt import PromptPassage, build_messages
from learning.baking import FEWEST_HELD_OUT, FEWEST_QUESTIONS, Baking, choose_questions
from learning.exercises.learnable import Lesson
from learning.night import NightSettings
from learning.nightly import ignore_progress
from tests.fakes.vllm import FakeVllm
from tests.learning.test_mix import make_lesson

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
    pytest.mark.timeout(600),  # training starts a process that imports torch, which takes a busy machine minutes
]


def make_shown(number: int) -> Lesson:
    question = f"Who signs the book of yard {number}?"
    passage = PromptPassage(f"Yard {number}", "", f"Person {number * 7} signs the book.")
    lesson = make_lesson(number, prompt=build_messages(question, [passage]), question=question)
    return make_lesson(number, prompt=lesson.prompt, subject=f"{number * 7919} {question}")


def test_no_document_is_baked_on_and_measured_on() -> None:
    train, held_out = choose_questions([make_shown(number) for number in range(80)], seed=0)
    assert len(train) >= FEWEST_QUESTIONS and len(held_out) >= FEWEST_HELD_OUT
    assert not {one.source_id for one in train} & {one.source_id for one in held_out}


def test_too_few_questions_say_what_makes_more() -> None:
    with pytest.raises(InvalidInputError, match="exercises make"):
        choose_questions([make_shown(number) for number in range(12)], seed=0)


async def test_a_bake_that_the_gate_refuses_is_served_by_nobody(
    database: Database, base_model: Path, tmp_path: Path
) -> None:
    fake = FakeVllm(base_model)
    settings = NightSettings(base_model=str(base_model), rank=4, threads=1, answer_tokens=16, evaluate_seconds=20)
    lessons = [make_shown(number) for number in range(80)]
    async with fake.running() as url:
        server = ModelServer(url, "base")
        options: dict[str, Any] = {"database": database, "model_server": server, "home": tmp_path}
        baking = Baking(**options, settings=settings, progress=ignore_progress)
        result = await baking.bake(lessons, by="ann", promote=True)
        await server.close()
    # A random model of two layers is not baked in a moment; that the server computes what was trained is proven.
    checks = {check["name"]: check for check in result.checks}
    assert result.verdict == "refuse" and not checks["kl_reduction"]["passed"]
    assert checks["served_proof"]["passed"] is not False
    adapter = await Adapters(database).get(result.adapter)
    assert adapter.is_baked and adapter.state == "rejected" and not result.promoted
    assert await Adapters(database).find_active() is None
    assert ("load", result.adapter) in fake.log and result.adapter not in fake.adapters
    assert not (tmp_path / "nights" / "bake").exists()
    assert result.baked["tokens_saved"] > 40 and 0 < result.baked["kl_after"] < result.baked["kl_before"]
