"""`nightbake golden`: stored, taken in and out, reviewed one by one, and asked beside the file."""

import json
from pathlib import Path

from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer

LEAVE = ("How many days of annual leave do employees have?", "--accept", "23 days", "--source", "leave.md")
SALARY = {"question": "연봉은 얼마인가요?", "accept": [], "sources": []}


def find() -> list[dict[str, object]]:
    return run_nightbake("golden", "list", "--json").json["questions"]


def test_questions_are_stored_listed_taken_along_and_removed(filled: FakeModelServer, tmp_path: Path) -> None:
    added = run_nightbake("golden", "add", *LEAVE, "--answer", "They have 23 days.", "--json").json
    assert (added["is_new"], added["missing"], added["questions"]) == (True, [], 1)
    told = run_nightbake("golden", "add", *LEAVE[:-1], "nowhere.md", "--for", "group:hr")
    assert "no document has the path or title nowhere.md" in told.out and "2 of at least 20" in told.out
    file = tmp_path / "more.jsonl"
    file.write_text(json.dumps(SALARY))
    assert run_nightbake("golden", "import", str(file), "--json").json["imported"] == 1
    assert run_nightbake("golden", "import", str(file), "--json").json["known"] == 1
    shown = run_nightbake("golden", "list").out
    assert "연봉은" in shown and "(gone)" in shown
    assert run_nightbake("golden", "export", str(tmp_path / "out.jsonl"), "--json").json["exported"] == 3
    numbers = [str(one["id"]) for one in find()]
    assert run_nightbake("golden", "remove", *numbers, "--json").json["removed"] == [int(one) for one in numbers]
    assert run_nightbake("golden", "remove", *numbers).code == 1
    again = run_nightbake("golden", "import", str(tmp_path / "out.jsonl"), "--json").json
    assert (again["imported"], again["missing"]) == (3, ["nowhere.md"])


def test_a_question_with_texts_and_no_document_is_wrong_usage(filled: FakeModelServer) -> None:
    ran = run_nightbake("golden", "add", "Who?", "--accept", "Ann")
    assert (ran.code, "both accepted texts and sources" in ran.err) == (2, True)


def test_a_document_may_be_named_by_its_title(filled: FakeModelServer, documents: Path) -> None:
    run_nightbake("golden", "add", *LEAVE[:-1], "Leave policy")
    (documents / "twin.md").write_text((documents / "leave.md").read_text())
    run_nightbake("ingest", str(documents))
    told = run_nightbake("golden", "add", "How long?", *LEAVE[1:-1], "Leave policy", "--json").json
    assert told["missing"] == ["Leave policy"]
    assert [one["sources"] for one in find()] == [["leave.md"], ["Leave policy"]]


def test_they_are_asked_beside_the_file(filled: FakeModelServer, tmp_path: Path) -> None:
    run_nightbake("golden", "add", *LEAVE)
    assert run_nightbake("evaluate", "answers", "--json").json["questions"] == 1
    file = tmp_path / "golden.jsonl"
    same = {"question": LEAVE[0], "accept": ["23"], "sources": ["leave.md"]}
    file.write_text(f"{json.dumps(same)}\n{json.dumps(SALARY)}\n")
    both = run_nightbake("evaluate", "answers", "--json", GOLDEN_QUESTIONS=str(file)).json
    assert (both["questions"], both["right"]) == (2, 2)


def test_a_review_shows_the_bots_answer_and_keeps_each_word(filled: FakeModelServer) -> None:
    run_nightbake("golden", "add", *LEAVE)
    run_nightbake("golden", "add", "When is the office closed?", "--accept", "noon", "--source", "leave.md")
    run_nightbake("golden", "add", "What is the dress code?")
    typed = "y\na\nn\ne\nWhen does the office close?\n\nnoon | 12:00\n\nq\n"
    ran = run_nightbake("golden", "review", typed=typed)
    assert ran.code == 0, ran.err
    assert "Employees have 23 days of annual leave." in ran.err and "Leave policy > Annual leave" in ran.err
    assert "1 accept, 1 edit; 1 left" in ran.out
    leave, office, dress = find()
    assert [one["state"] for one in (leave, office, dress)] == ["accepted", "accepted", "waits"]
    assert (office["question"], office["accept"]) == ("When does the office close?", ["noon", "12:00"])
    rest = run_nightbake("golden", "review", "--json", typed="\nr\n").json
    assert (rest["reviewed"], rest["left"], rest["reject"]) == (1, 0, 1)
    assert "no golden question waits" in run_nightbake("golden", "review").out
