"""`nightbake evaluate answers`: a file of golden questions, counted by whose fault a wrong answer is."""

import asyncio
import json
import signal
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from bot.exam import Graded
from bot.golden import load_golden
from cli.exam_journal import ExamJournal
from tests.cli.running import run_nightbake, start_nightbake
from tests.eventually import eventually
from tests.fakes.model_server import FakeModelServer

LEAVE = {"question": "How many days of annual leave do employees have?", "accept": ["23 days"], "sources": ["leave.md"]}
SALARY = {"question": "연봉은 얼마인가요?", "accept": [], "sources": []}


def write(file: Path, *questions: dict[str, Any]) -> Path:
    file.write_text("\n".join(json.dumps(question, ensure_ascii=False) for question in questions))
    return file


@pytest.fixture(autouse=True)
def ingested(installation: FakeModelServer, documents: Path) -> FakeModelServer:
    """An installation whose documents everyone may read."""
    assert run_nightbake("ingest", str(documents)).code == 0
    return installation


def test_cells_are_counted_and_failures_named(ingested: FakeModelServer, tmp_path: Path) -> None:
    wrong = {**LEAVE, "accept": ["24 days"], "id": "q2"}
    ran = run_nightbake("evaluate", "answers", "--golden", str(write(tmp_path / "g.jsonl", LEAVE, wrong)), "--json")
    assert ran.code == 0, ran.err
    assert {key: ran.json[key] for key in ("questions", "right", "found_right", "found_wrong")} == {
        "questions": 2,
        "right": 1,
        "found_right": 1,
        "found_wrong": 1,
    }
    assert [one["id"] for one in ran.json["failed"]] == ["q2"]


def test_people_see_a_table_and_the_file_may_be_a_setting(tmp_path: Path) -> None:
    golden = write(tmp_path / "g.jsonl", LEAVE, SALARY)
    ran = run_nightbake("evaluate", "answers", GOLDEN_QUESTIONS=str(golden))
    assert ran.code == 0, ran.err
    assert "retrieved, right" in ran.out and "of 2 right, by the base model" in ran.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "found none"),
        ("{", "g.jsonl:1: expected an object"),
        ('{"question": "Who?", "accept": ["Ann"]}', "both `accept` and `sources` or neither"),
    ],
)
def test_a_file_that_is_none_of_golden_questions_is_wrong_usage(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "g.jsonl"
    file.write_text(text)
    ran = run_nightbake("evaluate", "answers", "--golden", str(file))
    assert ran.code == 2
    assert words in ran.err


def test_without_a_file_it_says_what_to_do() -> None:
    ran = run_nightbake("evaluate", "answers")
    assert ran.code == 2
    assert "GOLDEN_QUESTIONS" in ran.err


def test_a_round_that_was_stopped_goes_on_where_it_was(ingested: FakeModelServer, tmp_path: Path) -> None:
    asked = [{**LEAVE, "id": f"q{number}"} for number in range(12)]
    golden = write(tmp_path / "g.jsonl", *asked)
    # Two groups of four are answered, the third waits.
    ingested.gate = asyncio.Semaphore(len(ingested.pieces()) * 8)
    command = start_nightbake("evaluate", "answers", "--golden", str(golden), stderr=PIPE, stdout=PIPE)

    async def has_third_group() -> bool:
        return len(ingested.requests) == 12

    asyncio.run(eventually(has_third_group, seconds=120))
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=30)
    assert command.returncode == 130
    assert "8 of 8 right" in out
    assert "8 of 12 answered and kept; go on with --resume" in err

    ingested.gate = None
    changed = write(tmp_path / "g.jsonl", *asked[:11], {**asked[11], "accept": ["24 days"]})
    ran = run_nightbake("evaluate", "answers", "--golden", str(changed), "--resume", "--json")
    assert (ran.code, ran.json["questions"], ran.json["right"], ran.json["found_wrong"]) == (0, 12, 11, 1)
    assert len(ingested.requests) == 16
    # It is over, so the next round begins anew.
    assert run_nightbake("evaluate", "answers", "--golden", str(changed), "--resume", "--json").code == 0
    assert len(ingested.requests) == 28


def test_what_a_stopped_round_left_is_read_line_by_line(tmp_path: Path) -> None:
    asked = load_golden(write(tmp_path / "g.jsonl", {**LEAVE, "id": "a"}, {**SALARY, "id": "b"}))
    graded = [Graded(question, "found_right", "generated", "23 days \ud800", True) for question in asked]
    first = ExamJournal(tmp_path / "state", tmp_path / "g.jsonl", None, resume=False)
    for one in graded:
        first.add(one)
    with first.file.open("a") as file:
        file.write('{"question": "cut sh')
    assert first.read(asked) == (graded, [])
    another = ExamJournal(tmp_path / "state", tmp_path / "g.jsonl", "night-1", resume=True)
    assert another.read(asked) == ([], asked), "another adapter answers for itself"
    anew = ExamJournal(tmp_path / "state", tmp_path / "g.jsonl", None, resume=False)
    anew.add(graded[1])
    assert anew.read(asked) == (graded[1:], asked[:1])
