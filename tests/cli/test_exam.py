"""`nightbake evaluate answers`: a file of golden questions, counted by whose fault a wrong answer is."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import run_nightbake
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
