"""`nightbake advice` and `nightbake experiments`: what failed is diagnosed, kept, pictured, adopted and followed up."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Ran, run_nightbake
from tests.fakes.model_server import FakeModelServer

LEAVE = {
    "id": "leave", "question": "How many days of annual leave do employees have?", "accept": ["23 days"],
    "answer": "23 days.", "sources": ["leave.md"],
}  # fmt: skip
NOWHERE = {**LEAVE, "id": "bike", "question": "How many days of bicycle leave?", "accept": ["4 days"],
           "answer": "They have 4 days.", "sources": ["bike.md"]}  # fmt: skip
BONUS = {**LEAVE, "id": "bonus", "question": "How large is the board's bonus?", "accept": ["7 percent"],
         "answer": "It is 7 percent.", "sources": ["board/bonus.md"]}  # fmt: skip


@pytest.fixture(autouse=True)
def ingested(installation: FakeModelServer, documents: Path) -> FakeModelServer:
    """A document for everyone, and one for the board."""
    (documents / "board").mkdir()
    (documents / "board" / ".access.json").write_text('{"allow": ["group:board"]}')
    (documents / "board" / "bonus.md").write_text("# Secret bonus\n\nThe board has a bonus of 7 percent.\n")
    assert run_nightbake("ingest", str(documents)).code == 0
    return installation


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    """A question that is answered rightly, one that no document answers, and one whose document is hidden."""
    return write(tmp_path / "g.jsonl", LEAVE, NOWHERE, BONUS)


def write(file: Path, *questions: dict[str, Any]) -> Path:
    file.write_text("\n".join(json.dumps(question, ensure_ascii=False) for question in questions))
    return file


def advise(golden: Path, *arguments: str, **environment: str) -> Ran:
    return run_nightbake("advice", "--golden", str(golden), *arguments, **environment)


def test_faults_are_told_apart_and_priced(golden: Path, tmp_path: Path) -> None:
    picture = tmp_path / "matrix.svg"
    ran = advise(golden, "--json", "--picture", str(picture))
    assert ran.code == 0, ran.err
    assert (ran.json["asked"], ran.json["right"], ran.json["failed"]) == (3, 1, 2)
    lacking = {one["key"]: (one["context"], one["behaviour"]) for one in ran.json["questions"]}
    # The model says 23 days whatever it is shown; what is quoted in its place is not to its merit.
    assert lacking == {
        "golden:leave": (None, None), "golden:bike": ("missing", "memory"), "golden:bonus": ("hidden", None),
    }  # fmt: skip
    assert ran.json["lost_sources"] == ["bike.md"]
    assert ran.json["recommended"] == "train" and ran.json["tokens"] > 0
    assert picture.read_text().startswith("<svg")
    assert "Secret" not in ran.out and "7 percent" not in ran.out, "what the asker may not read is not told"


def test_people_see_a_matrix_and_one_step_in_their_language(golden: Path) -> None:
    english, korean = advise(golden), advise(golden, "--language", "ko")
    assert (english.code, korean.code) == (0, 0), english.err
    assert "hidden from the asker" in english.out and "Next: " in english.out and "1 of 3 right" in english.out
    assert "다음 할 일" in korean.out
    assert all("bike.md" in told.out and "bonus.md" not in told.out for told in (english, korean))


def test_a_round_that_failed_goes_on_where_it_was(ingested: FakeModelServer, golden: Path) -> None:
    ingested.behaviour = "error"
    failed = advise(golden)
    assert failed.code == 3
    assert "expected answers of the model server" in failed.err and "go on with --resume" in failed.err
    ingested.behaviour = "answer"
    first = advise(golden, "--json")
    asked = len(ingested.requests)
    write(golden, {**LEAVE, "accept": ["24 days"]}, NOWHERE, BONUS)
    assert advise(golden, "--resume", "--json").code == 0
    assert first.json["round"] and len(ingested.requests) > asked, "the first round was over, so it begins anew"


def test_an_adopted_step_is_measured_by_the_next_round(golden: Path, documents: Path) -> None:
    opened = advise(golden, "--adopt", "--json").json["experiment"]
    again = advise(golden, "--adopt")
    assert again.code == 2 and "no open experiment of 'train'" in again.err
    (documents / "bike.md").write_text("# Bicycles\n\nEmployees have 23 days of bicycle leave.\n")
    listed = run_nightbake("experiments", "list", "--json").json["experiments"][0]
    assert (listed["id"], listed["state"], listed["before"]["targets"]) == (opened, "open", ["golden:bike"])
    assert listed["after"]["mended"] == 0 and listed["after"]["source"] == "advice"
    write(golden, LEAVE, {**NOWHERE, "accept": ["23 days"]}, BONUS)
    assert advise(golden, "--json").code == 0
    listed = run_nightbake("experiments", "list", "--json").json["experiments"][0]
    assert (listed["after"]["mended"], listed["after"]["targets"], listed["after"]["right"]) == (1, 1, 2)
    assert run_nightbake("experiments", "close", str(opened)).code == 0
    assert run_nightbake("experiments", "drop", str(opened)).code == 1
    assert "closed" in run_nightbake("experiments", "list").out


def test_an_exam_measures_it_too(golden: Path) -> None:
    assert advise(golden, "--json").code == 0
    ran = run_nightbake("experiments", "open", "Bonuses are asked for", "--change", "read the board's rules", "--json")
    assert ran.code == 0, ran.err
    write(golden, LEAVE, {**NOWHERE, "accept": ["23 days"]}, BONUS)
    assert run_nightbake("evaluate", "answers", "--golden", str(golden), "--json").code == 0
    listed = run_nightbake("experiments", "list", "--json").json["experiments"][0]
    assert (listed["after"]["source"], listed["after"]["mended"], listed["after"]["targets"]) == ("exam", 1, 2)


def test_disliked_answers_with_a_correction_are_diagnosed_as_their_askers(golden: Path) -> None:
    asked = run_nightbake("ask", "How many days of parental leave are there?", "--json")
    answer = str(asked.json["interaction_id"])
    assert run_nightbake("feedback", "give", answer, "down", "--correction", "Parental leave is 90 days.").code == 0
    ran = run_nightbake("advice", "--golden", str(golden), "--json")
    assert ran.code == 0, ran.err
    found = next(one for one in ran.json["questions"] if one["key"] == f"answer:{answer}")
    assert (found["is_right"], found["context"]) == (False, "missing")


def test_without_any_question_it_says_what_to_do() -> None:
    ran = run_nightbake("advice")
    assert ran.code == 2 and "golden add" in ran.err
    nothing = run_nightbake("experiments", "open", "h", "--change", "c")
    assert nothing.code == 2 and "nightbake advice" in nothing.err
