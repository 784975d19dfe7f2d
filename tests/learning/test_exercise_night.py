"""Nights on exercises, and nights that go on from them: real database, real training, a server that serves it."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from core.adapters import Adapters
from core.database import Database
from core.model_server import ModelServer
from core.serving import Serving
from learning.exercise_night import ExerciseSettings, build_supervised, count_parts, may_still_teach
from learning.exercises.draft import KINDS, Related
from learning.exercises.make import Wanted
from learning.exercises.sections import read_sections
from learning.night import NightSettings
from learning.nightly import run_night
from learning.runs import Runs
from learning.trainer import read_evaluation
from tests.fakes.vllm import FakeVllm
from tests.learning.exercises.library import FixedSearch, add_document, build_maker, fill

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
    pytest.mark.timeout(600),  # training starts a process that imports torch, which takes a busy machine minutes
]

PARKING = "Bicycles stand behind the harbour house, and whoever parks there signs the book at the gate first."
TONIGHT = date(2026, 11, 21)


@pytest.fixture
async def server(base_model: Path) -> AsyncIterator[ModelServer]:
    async with FakeVllm(base_model).running() as url:
        client = ModelServer(url, "base")
        yield client
        await client.close()


@pytest.fixture
async def filled(database: Database) -> Database:
    """Accepted exercises of every kind, of four documents."""
    await fill(database)
    other = await add_document(database, "Parking", {"Bicycles": PARKING})
    negatives = [
        Related(other, 1, "Parking", heading, text) for heading, text in (("A", PARKING), ("B", PARKING[::-1]))
    ]
    maker = build_maker(database, Wanted(KINDS, 60), find_related=FixedSearch(*negatives))
    await maker.make(await read_sections(database), on_try=lambda _: None)
    await database.execute(
        b"INSERT INTO exercise_reviews (exercise_id, verdict, reviewer, seconds) "
        b"SELECT id, 'accept', 'ann', 1 FROM exercises"
    )
    return database


def make_settings(base_model: Path, **changes: Any) -> NightSettings:
    values: dict[str, Any] = {
        "rank": 4,
        "threads": 1,
        "answers": 2,
        "evaluate_seconds": 20,
        "min_pairs": 1,
        "seed": 3,
        "regenerate": 1,
    }
    exercises = ExerciseSettings(overlap=1.0, epochs=1, learning_rate=1e-3, pairs=24)
    return NightSettings(base_model=str(base_model), exercises=exercises, **values | changes)


async def test_a_night_on_exercises_is_a_night_and_later_ones_go_on_from_it(
    filled: Database, server: ModelServer, base_model: Path, tmp_path: Path
) -> None:
    parts: dict[str, Any] = {"database": filled, "model_server": server, "home": tmp_path / "home"}
    settings = make_settings(base_model)
    result = await run_night(**parts, settings=settings, kind="exercises", night=TONIGHT, requested_by="ann")
    runs, adapters = Runs(filled), Adapters(filled)
    run = await runs.get(result.run_id)
    assert (run.kind, result.votes, run.error) == ("exercises", 0, None)
    assert result.adapter and result.adapter.startswith("night-sft-20261121-")
    manifest = (await adapters.get(result.adapter)).manifest
    assert (manifest["trained"], manifest["pairs"], manifest["held_out"]) == ("sft", 0, result.held_out)
    # Exercises and as many general chats.
    assert manifest["supervised"] == 2 * result.trained > 20
    assert run.proof and run.proof["passed"] is not False and run.gate
    held_out = [pair for pair in await runs.find_pairs(run.id) if pair.state == "held_out"]
    assert {pair.origin for pair in held_out} == {"exercise_distractor"} and len(held_out) == result.held_out
    assert len(read_evaluation(tmp_path / "home" / "adapters" / result.adapter)["pairs"]) == result.held_out
    assert "Supervised training on exercises" in (await runs.get_report(run.id)).markdown
    # The schedule's night is still to come.
    assert not await runs.has_night(TONIGHT)

    trained = await build_supervised(filled, run, settings.exercises, seed=settings.seed)
    assert count_parts(trained)["general"] == result.trained
    prompts = {str(row["prompt"]) for row in trained}
    assert not prompts & {str(pair.prompt) for pair in held_out}

    serving = Serving(adapters=adapters, model_server=server)
    await serving.promote(result.adapter, by="ann", reason="good enough")
    after = await run_night(**parts, settings=settings, night=TONIGHT, requested_by="schedule")
    # Near-duplicates of the 24 go.
    assert (after.votes, after.adapter is None) == (0, False) and 12 < after.pairs <= 24
    made = (await adapters.get(after.adapter or "")).manifest
    assert (made["trained"], made["anchor"], made["job"]["rank"]) == ("dpo", result.adapter, 4)
    origins = (await runs.get(after.run_id)).counts["origins"]
    assert set(origins) <= {"exercise_distractor", "exercise_sampled"} and sum(origins.values()) == after.pairs
    sampled = await filled.fetch_dicts(b"SELECT DISTINCT model FROM exercise_samples")
    assert [row["model"] for row in sampled] == [result.adapter]
    assert await runs.has_night(TONIGHT)

    assert await may_still_teach(filled, settings.exercises, result.adapter, "everyone")
    await filled.execute(b"UPDATE documents SET allow = '{group:hr}' WHERE title = 'Parking'")
    assert not await may_still_teach(filled, settings.exercises, result.adapter, "everyone")


async def test_too_few_exercises_are_a_report(database: Database, server: ModelServer, tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "no-model")
    parts: dict[str, Any] = {"database": database, "model_server": server, "home": tmp_path / "home"}
    result = await run_night(**parts, settings=settings, kind="exercises", requested_by="ann")
    assert (result.state, result.reason, result.adapter) == ("skipped", "too_few_exercises", None)
    told = (await Runs(database).get_report(result.run_id)).markdown
    assert "nightbake exercises make" in told and datetime.now(UTC).date().isoformat() in told
