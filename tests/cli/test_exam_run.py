"""`nightbake exam run`: items and golden questions asked every way, told with intervals, kept, and gone on with."""

import asyncio
import json
import math
import signal
from datetime import UTC, datetime
from pathlib import Path
from subprocess import PIPE
from typing import Any
from xml.etree import ElementTree

import pytest

from cli.exam_ways import find_trained, read_adapters
from core.adapters import Adapter
from core.errors import InvalidInputError
from tests.cli.exam_items import make_items, write_guides
from tests.cli.running import run_nightbake, start_nightbake
from tests.eventually import eventually
from tests.fakes.model_server import FakeModelServer

FERRY = {
    "question": "When does the ferry leave?",
    "answer": "It leaves at 07:50.",
    "accept": ["07:50"],
    "sources": ["travel.md"],
}
DRESS = {"question": "What is the dress code?", "accept": [], "sources": []}


def answer_from_passages(messages: list[dict[str, str]]) -> str:
    """Knows nothing without passages; with them chooses the first option, and tells of the ferry."""
    asked = messages[-1]["content"]
    if not asked.startswith("[1]"):
        return "The documents do not say."
    return "A" if "\nA) " in asked else "The ferry leaves at 07:50. [1]"


@pytest.fixture
def pinned(tmp_path: Path, installation: FakeModelServer) -> FakeModelServer:
    """An exam of four items, and two golden questions in a file."""
    installation.answer = "I do not know."
    guides = write_guides(tmp_path / "guides")
    make_items(guides, 4)
    assert run_nightbake("exam", "pin").code == 0
    (tmp_path / "golden.jsonl").write_text(f"{json.dumps(FERRY)}\n{json.dumps(DRESS)}\n")
    installation.answers = answer_from_passages
    installation.requests.clear()
    return installation


def run(tmp_path: Path, *arguments: str) -> Any:
    ran = run_nightbake("exam", "run", "--golden", str(tmp_path / "golden.jsonl"), "--json", *arguments)
    assert ran.code == 0, ran.err + ran.out
    return ran.json


def test_each_way_is_held_against_the_base(pinned: FakeModelServer, tmp_path: Path) -> None:
    picture = tmp_path / "exam.svg"
    told = run(tmp_path, "--picture", str(picture))
    assert (told["items"], told["golden_questions"], told["ways"]) == (4, 2, ["base", "rag"])
    assert set(told["skipped"]) == {"few_shot", "sft", "sft_dpo"}
    tables = {one["measure"]: one for one in told["comparisons"]}
    assert {"four-choice, by letter", "four-choice, by likelihood", "golden questions right"} <= set(tables)
    base, rag = tables["four-choice, by letter"]["rows"]
    assert (base["score"]["value"], rag["score"]["value"]) == (0.0, 0.25)
    assert told["four_choice"]["generation"]["rag"]["places"]["chosen"] == [1.0, 0.0, 0.0, 0.0]
    base, rag = tables["golden questions right"]["rows"]
    assert (base["score"]["value"], told["golden"]["rag"]["cells"].get("found_right")) == (0.5, 1)
    assert told["speed"]["rag"]["prompt_tokens"]["value"] == 100
    assert ElementTree.fromstring(picture.read_text()).tag.endswith("svg")
    # What no document holds is refused before a model is asked.
    assert len([one for one in pinned.requests if one.get("stream")]) == 2 * 4 * 4 + 2 + 1


def test_people_read_tables_and_why_a_way_is_left_out(pinned: FakeModelServer, tmp_path: Path) -> None:
    golden = ("--golden", str(tmp_path / "golden.jsonl"))
    ran = run_nightbake("exam", "run", "--by", "generation", *golden, "--way", "base", "--way", "sft")
    assert ran.code == 0, ran.err
    assert "sft is left out: no adapter was trained this way" in ran.err
    assert "four-choice, by letter" in ran.out and "above chance" in ran.out and "golden review" in ran.out
    again = run_nightbake("exam", "results")
    assert (again.code, again.out.splitlines()[1:]) == (0, ran.out.splitlines())
    assert run_nightbake("exam", "results", "--json").json["ways"] == ["base"]
    assert run_nightbake("exam", "results", "99").code == 1


def test_examples_for_training_stand_before_the_question(pinned: FakeModelServer, tmp_path: Path) -> None:
    make_items(tmp_path / "guides", 3, purpose="training")
    pinned.requests.clear()
    told = run(tmp_path, "--way", "few_shot", "--by", "generation", "--limit", "1")
    assert (told["ways"], told["items"]) == (["few_shot"], 1)
    assert len(pinned.requests[0]["messages"]) == 8, "an instruction, three examples with their answers, the question"


def test_judges_grade_compare_and_are_held_against_people(pinned: FakeModelServer, tmp_path: Path) -> None:
    run_nightbake("golden", "add", FERRY["question"], "--accept", "07:50", "--source", "travel.md")
    assert run_nightbake("golden", "review", typed="y\na\n").code == 0

    def judge(messages: list[dict[str, str]]) -> str:
        is_rubric = "numbered steps" in messages[-1]["content"]
        return "1. Look for the time." if is_rubric else answer_from_passages(messages)

    pinned.answers = judge
    pinned.next_tokens = {"5": math.log(0.6), "1": math.log(0.3)}
    told = run(tmp_path, "--only", "golden", "--judge", "complete", "--way", "base", "--way", "rag")
    grades = next(one for one in told["comparisons"] if one["measure"] == "G-Eval, complete")
    assert [row["score"]["value"] for row in grades["rows"]] == pytest.approx([2 / 3, 2 / 3])
    assert told["duels"]["complete"]["rag"]["unread"] == 2, "neither letter was likely"
    assert told["agreement"]["accepted texts"]["same"]["value"] == 1.0
    assert told["agreement"]["G-Eval, complete"]["same"]["value"] == 1.0
    assert (told["judge"], told["exam"]) == ("base", None)


def test_a_run_that_was_stopped_goes_on_where_it_was(pinned: FakeModelServer, tmp_path: Path) -> None:
    pinned.answers, pinned.answer = None, "A"
    pinned.gate = asyncio.Semaphore(8)
    arguments = ("exam", "run", "--by", "generation", "--way", "base", "--golden", str(tmp_path / "golden.jsonl"))
    command = start_nightbake(*arguments, stderr=PIPE, stdout=PIPE)

    async def has_third_group() -> bool:
        return len(pinned.requests) == 12

    asyncio.run(eventually(has_third_group, seconds=120))
    command.send_signal(signal.SIGINT)
    _, err = command.communicate(timeout=30)
    assert (command.returncode, "8 of 18 answered and kept; go on with --resume" in err) == (130, True), err
    pinned.gate = None
    ran = run_nightbake(*arguments, "--resume", "--json")
    assert (ran.code, len(pinned.requests)) == (0, 12 + 10)
    again = run_nightbake(*arguments, "--resume", "--json")
    assert (again.code, len(pinned.requests)) == (0, 22 + 18), "it was over, so the next run begins anew"


def make_adapter(name: str, trained: str | None, **changes: Any) -> Adapter:
    manifest = {"trained": trained} if trained else {}
    values: dict[str, Any] = {"folder": "/a", "base_model": "b", "sha256": "0", "manifest": manifest, "reason": None}
    values |= {"created_at": datetime(2026, 11, 22, tzinfo=UTC), "state": "candidate"}
    return Adapter(1, name, **(values | changes))


def test_each_trained_way_takes_the_newest_adapter_of_its_kind() -> None:
    adapters = [
        make_adapter("night-4-refused", None, state="rejected"),
        make_adapter("bake-3", "baked"),
        make_adapter("night-2", None),
        make_adapter("exercises-1", "sft"),
    ]
    assert (find_trained(adapters, "sft"), find_trained(adapters, "sft_dpo")) == ("exercises-1", "night-2")
    assert find_trained(adapters[:2], "sft_dpo") is None
    assert read_adapters(["mine"], ["base", "sft", "sft_dpo"]) == {"sft_dpo": "mine"}
    assert read_adapters(["sft=mine", "other"], ["sft", "sft_dpo"]) == {"sft": "mine", "sft_dpo": "other"}
    with pytest.raises(InvalidInputError, match="WAY=NAME"):
        read_adapters(["rag=mine"], ["rag", "sft"])


def test_without_a_pinned_exam_it_says_what_to_do(installation: FakeModelServer) -> None:
    ran = run_nightbake("exam", "run")
    assert (ran.code, "nightbake exam pin" in ran.err, "--only golden" in ran.err) == (1, True, True)
    assert run_nightbake("exam", "run", "--only", "golden").code == 2
    assert run_nightbake("exam", "run", "--way", "rag", "--adapter", "night-1").code == 2
