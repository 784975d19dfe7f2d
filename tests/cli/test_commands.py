"""Every command by its front door: what it prints, what it stores, and the code it leaves with."""

import json
import os
import re
from pathlib import Path

import psycopg
import pytest

from retrieval.embedding import Embedder
from tests.cli.conftest import ANSWER, QUESTION
from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer
from tests.ports import find_free_port


def store_answer(*, answered: str = ANSWER) -> int:
    """One finished answer in the installation's log; its number."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        row = connection.execute(
            "INSERT INTO interactions (platform, conversation_key, asker, principals, question, language, messages, "
            "answer, generated, mode, citations, passages, finished_at) VALUES ('web', 'c', 'user:ann', '{everyone}', "
            "%(question)s, 'en', %(messages)s, %(answer)s, %(answer)s, 'generated', '{1}', %(passages)s, now()) "
            "RETURNING id",
            {
                "question": QUESTION,
                "messages": json.dumps([{"role": "user", "content": QUESTION}]),
                "answer": answered,
                "passages": json.dumps([{"number": 1, "text": answered, "allow": ["everyone"]}]),
            },
        ).fetchone()
    assert row
    return row[0]


def register_adapter(name: str) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "INSERT INTO adapters (name, folder, base_model, sha256, manifest) VALUES (%s, '/a', 'base', '00', '{}')",
            [name],
        )


def test_a_question_is_answered_as_json(installation: FakeModelServer, documents: Path) -> None:
    assert run_nightbake("ingest", str(documents)).code == 0
    ran = run_nightbake("ask", QUESTION, "--json")
    answer = ran.json
    assert (ran.code, answer["mode"], answer["answer"]) == (0, "generated", ANSWER)
    assert [(source["number"], source["title"], source["heading_path"]) for source in answer["sources"]] == [
        (1, "Leave policy", "Annual leave")
    ]
    human = run_nightbake("ask", QUESTION)
    assert human.out.count(ANSWER) == 1
    assert re.search(r"^\[1\] Leave policy > Annual leave  http://127.0.0.1:8080/passages/\d+$", human.out, re.M)


def test_a_question_finds_its_passage_by_a_word_of_the_companys_file(
    installation: FakeModelServer, documents: Path, tmp_path: Path
) -> None:
    (documents / "coffee.md").write_text("# Coffee\n\nWhoever empties the machine fills it again.\n")
    words = tmp_path / "words.toml"
    words.write_text('[synonyms]\nPTO = ["annual leave", "연차"]\n', "utf-8")
    run_nightbake("ingest", str(documents))
    without = run_nightbake("ask", "연차는요?", "--json").json["sources"]
    sources = run_nightbake("ask", "연차는요?", "--json", SYNONYMS_FILE=str(words)).json["sources"]
    findings = run_nightbake("doctor", "--json", SYNONYMS_FILE=str(words)).json["findings"]
    assert (without, [source["title"] for source in sources]) == ([], ["Leave policy"])
    assert f"groups: 1, company words: 0, from {words}" in [one["detail"] for one in findings]


def test_a_mistake_in_the_companys_file_is_told_with_its_line(installation: FakeModelServer, tmp_path: Path) -> None:
    words = tmp_path / "words.toml"
    words.write_text("[synonyms]\nPTO = 'leave'\n")
    ran = run_nightbake("ask", QUESTION, SYNONYMS_FILE=str(words))
    assert (ran.code, "words.toml line 2: PTO: expected a list of words in brackets" in ran.err) == (2, True)


def test_without_documents_an_answer_says_so(installation: FakeModelServer) -> None:
    ran = run_nightbake("ask", QUESTION)
    assert (ran.code, "I found nothing about this in the documents you may read." in ran.out) == (0, True)


@pytest.mark.parametrize("question", ["", "  ", "???", "\x00", "\ud800", "\udc80", "😀😀"])
def test_what_is_no_question_is_refused(question: str) -> None:
    ran = run_nightbake("ask", question)
    assert (ran.code, "could not find a question" in ran.err) == (2, True)


def test_a_question_as_long_as_a_file_is_refused_with_the_limit() -> None:
    ran = run_nightbake("ask", "휴가 " * 33_334)
    assert (ran.code, "100,001 characters; please ask in at most" in ran.err) == (2, True)


@pytest.mark.parametrize("question", ["the of and", "leave\x00", "\ud800 leave?", "'; DROP TABLE chunks; --"])
def test_an_odd_question_is_answered(installation: FakeModelServer, documents: Path, question: str) -> None:
    run_nightbake("ingest", str(documents))
    assert run_nightbake("ask", question, "--json").code == 0
    assert run_nightbake("ask", QUESTION, "--json").json["sources"]


def test_a_vote_is_given_listed_and_counted(installation: FakeModelServer) -> None:
    number = str(store_answer())
    given = run_nightbake("feedback", "give", number, "down", "--correction", "25 days", "--as", "user:bo", "--json")
    assert given.json == {"interaction_id": int(number), "value": -1, "person": "user:bo"}
    listed = run_nightbake("feedback", "list", "--json").json["votes"]
    assert [(vote["person"], vote["value"], vote["correction"]) for vote in listed] == [("user:bo", -1, "25 days")]
    assert run_nightbake("feedback", "stats", "--json").json == {
        "answers": 1,
        "up": 0,
        "down": 1,
        "withdrawn": 0,
        "corrections": 1,
        "people": 1,
        "fates": {},
        "hints": {},
        "unseen": 1,
    }


def test_the_search_learns_from_a_vote_at_once_and_unlearns_it(installation: FakeModelServer, documents: Path) -> None:
    run_nightbake("ingest", str(documents))
    number = str(run_nightbake("ask", QUESTION, "--json").json["interaction_id"])
    run_nightbake("feedback", "give", number, "up")
    assert "leav" in find_taught_terms()
    run_nightbake("feedback", "give", number, "withdraw")
    assert find_taught_terms() == set()
    assert run_nightbake("chat", "--json", typed=f"{QUESTION}\n/up\n").code == 0
    assert "leav" in find_taught_terms()


def find_taught_terms() -> set[str]:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return {term for (term,) in connection.execute("SELECT term FROM taught_terms")}


def test_votes_are_shown_to_people_as_a_table(installation: FakeModelServer) -> None:
    number = str(store_answer())
    run_nightbake("feedback", "give", number, "up", "--as", "user:[/bo]")
    ran = run_nightbake("feedback", "list")
    assert (ran.code, "👍" in ran.out, "user:[/bo]" in ran.out) == (0, True, True)


def test_votes_are_exported_for_training(installation: FakeModelServer, documents: Path, tmp_path: Path) -> None:
    run_nightbake("ingest", str(documents))
    number, out = str(run_nightbake("ask", QUESTION, "--json").json["interaction_id"]), tmp_path / "votes.jsonl"
    run_nightbake("feedback", "give", number, "down", "--correction", "25 days. [1]")
    printed = run_nightbake("feedback", "export", "--format", "kto")
    written = run_nightbake("feedback", "export", "--format", "kto", "--out", str(out), "--json")
    assert [json.loads(line)["label"] for line in printed.out.splitlines()] == [False]
    assert (written.json["rows"], out.read_text()) == (1, printed.out)


def test_a_file_that_cannot_be_written_is_said(installation: FakeModelServer, tmp_path: Path) -> None:
    ran = run_nightbake("feedback", "export", "--out", str(tmp_path / "nowhere" / "votes.jsonl"))
    assert (ran.code, "expected a file that can be written" in ran.err) == (2, True)


def test_a_vote_on_an_unknown_answer_fails_with_its_number(installation: FakeModelServer) -> None:
    ran = run_nightbake("feedback", "give", "4711", "up")
    assert (ran.code, ran.err) == (1, "error: no answer with the id 4711\n")


def test_an_error_is_one_json_object_where_json_is_wanted(installation: FakeModelServer) -> None:
    ran = run_nightbake("feedback", "give", "4711", "up", "--json")
    assert (ran.code, ran.json) == (1, {"error": "no answer with the id 4711", "kind": "NotFoundError"})


def test_adapters_are_listed_promoted_and_rolled_back(installation: FakeModelServer) -> None:
    register_adapter("night-1")
    promoted = run_nightbake("adapters", "promote", "night-1", "--json")
    listed = run_nightbake("adapters", "--json").json
    rolled_back = run_nightbake("adapters", "rollback", "--json")
    assert (promoted.json, rolled_back.json) == ({"serving": "night-1"}, {"serving": None})
    assert [(adapter["name"], adapter["state"]) for adapter in listed["adapters"]] == [("night-1", "active")]
    assert installation.adapters == {"night-1": "/a"}


def test_an_adapter_is_put_on_trial_and_taken_back(installation: FakeModelServer) -> None:
    register_adapter("night-1")
    tried = run_nightbake("adapters", "promote", "night-1", "--share", "0.1", "--json")
    rolled_back = run_nightbake("adapters", "rollback", "--json")
    trial = "night-1 for 10% of the conversations"
    assert (tried.json, rolled_back.json) == ({"serving": None, "trial": trial}, {"serving": None})
    assert set(installation.adapters) == {"night-1"}


def test_an_unknown_adapter_is_not_promoted(installation: FakeModelServer) -> None:
    ran = run_nightbake("adapters", "promote", "night-9")
    assert (ran.code, ran.err) == (1, "error: no adapter named 'night-9'; `nightbake adapters` lists them\n")


def test_migrations_are_applied_once(installation: FakeModelServer) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    first, second = run_nightbake("migrate", "--json").json, run_nightbake("migrate", "--json").json
    assert (first["applied"][0], len(first["applied"]), second["applied"]) == ("0001_log", first["version"], [])


def test_the_doctor_names_a_model_server_that_is_away(
    installation: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{find_free_port()}"
    monkeypatch.setenv("MODEL_URL", url)
    ran = run_nightbake("doctor", "--json")
    found = {finding["part"]: finding for finding in ran.json["findings"]}
    assert (ran.code, ran.json["ok"], found["model server"]["status"]) == (1, False, "problem")
    assert found["model server"]["detail"] == f"no 'base' at {url}; start vLLM there, check MODEL_URL, MODEL_NAME"
    assert found["database"]["status"] == "ok"


def test_a_healthy_installation_makes_the_doctor_content(installation: FakeModelServer) -> None:
    ran = run_nightbake("doctor")
    assert (ran.code, "problem" in ran.out) == (0, False)


def test_the_doctor_says_what_votes_taught_and_whether_the_learned_order_is_used(installation: FakeModelServer) -> None:
    def look() -> str:
        return next(
            one["detail"] for one in run_nightbake("doctor", "--json").json["findings"] if one["part"] == "votes"
        )

    assert look() == "0 passages learnt from votes, 0 votes wait; learned order: off, no night has trained it"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "INSERT INTO learned_ranks (model, weights, questions, fused_ndcg, rank_ndcg, gain_error, is_used) "
            "VALUES (%s, '{1,0,0,0,0,0}', 120, 0.9, 0.91, 0.01, false)",
            [Embedder().name],
        )
    told = "off, nDCG@10 0.910 ± 0.010 against 0.900 of the fusion on 120 held-out questions"
    assert look().endswith(f"learned order: {told}")


def test_a_broken_file_is_named_and_the_rest_is_read(installation: FakeModelServer, documents: Path) -> None:
    (documents / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing behind it")
    ran = run_nightbake("ingest", str(documents), "--json")
    report = ran.json
    assert (ran.code, report["added"], [failure["path"] for failure in report["failed"]]) == (1, 1, ["broken.pdf"])
    human = run_nightbake("ingest", str(documents))
    assert (human.code, "left out broken.pdf" in human.err) == (1, True)


def test_a_folder_that_is_not_there_is_a_wrong_use(installation: FakeModelServer, tmp_path: Path) -> None:
    ran = run_nightbake("ingest", str(tmp_path / "nowhere"))
    assert (ran.code, "nowhere" in ran.err, "Traceback" in ran.err) == (2, True, False)


def test_without_a_night_there_is_no_report(installation: FakeModelServer) -> None:
    ran = run_nightbake("report")
    assert (ran.code, ran.err) == (1, "error: no night has been run yet; `nightbake night` runs one now\n")


@pytest.mark.parametrize("command", [["ask", "Why?"], ["migrate"], ["doctor"], ["feedback", "stats"], ["up"]])
def test_wrong_settings_are_all_named(command: list[str]) -> None:
    ran = run_nightbake(*command, PORT="eighty", NIGHT_TIME="25:00", SLACK_APP_TOKEN="xapp-secret")
    assert ran.code == 2
    assert all(name in ran.err for name in ("3 setting(s) to mend", "PORT:", "NIGHT_TIME:", "SLACK_BOT_TOKEN:"))
    assert "xapp-secret" not in ran.err + ran.out


def test_a_database_that_is_away_is_named_without_its_password() -> None:
    address = f"127.0.0.1:{find_free_port()}/nightbake"
    ran = run_nightbake("feedback", "stats", DATABASE_URL=f"postgresql://nightbake:hunter2@{address}")
    assert (ran.code, address in ran.err, "hunter2" in ran.err) == (3, True, False)


def test_the_log_is_kept_apart_from_the_answer(installation: FakeModelServer, home: Path) -> None:
    ran = run_nightbake("ask", QUESTION, "--json")
    assert (ran.err, (home / "logs" / "nightbake.log").exists()) == ("", True)
