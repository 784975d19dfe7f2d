"""`nightbake documents`: what is stored, hiding and bringing back, reading again."""

import time
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import QUESTION
from tests.cli.running import run_nightbake, start_nightbake
from tests.fakes.model_server import FakeModelServer
from tests.retrieval.small_models import save_model


def ingest(documents: Path) -> int:
    """Number of the one document."""
    assert run_nightbake("ingest", str(documents)).code == 0
    (document,) = run_nightbake("documents", "list", "--json").json["documents"]
    return document["id"]


def test_documents_are_listed_with_who_may_read_them(installation: FakeModelServer, documents: Path) -> None:
    ingest(documents)
    ran = run_nightbake("documents", "list")
    assert (ran.code, "Leave policy" in ran.out, "everyone" in ran.out) == (0, True, True)


def test_a_document_is_shown_chunk_by_chunk(installation: FakeModelServer, documents: Path) -> None:
    (documents / "copy.md").write_text((documents / "leave.md").read_text())
    run_nightbake("ingest", str(documents))
    first, second = run_nightbake("documents", "list", "--json").json["documents"]
    shown = run_nightbake("documents", "show", str(first["id"]), "--json").json
    (chunk,) = shown["chunks"]
    assert (shown["document"]["allow"], shown["document"]["version"]) == (["everyone"], 1)
    assert (chunk["heading_path"], len(chunk["models"])) == ("Annual leave", 1)
    assert [copy["id"] for copy in shown["copies"]] == [second["id"]]
    human = run_nightbake("documents", "show", str(first["id"])).out
    assert "who may read  everyone" in human
    assert "Employees have 23 days of annual leave." in human


def test_what_is_removed_stays_hidden_until_it_is_restored(installation: FakeModelServer, documents: Path) -> None:
    number = str(ingest(documents))
    assert run_nightbake("documents", "remove", number, "--json").json == {"removed": [int(number)]}
    run_nightbake("ingest", str(documents))
    answer = run_nightbake("ask", QUESTION, "--json").json
    (hidden,) = run_nightbake("documents", "list", "--hidden", "--json").json["documents"]
    assert (answer["sources"], hidden["id"], hidden["withdrawn_at"] is None) == ([], int(number), False)
    assert "removed" in run_nightbake("documents", "list", "--hidden").out
    assert run_nightbake("documents", "restore", number).code == 0
    assert len(run_nightbake("ask", QUESTION, "--json").json["sources"]) == 1


def test_a_document_is_read_again(installation: FakeModelServer, documents: Path) -> None:
    number = str(ingest(documents))
    ran = run_nightbake("documents", "reindex", number, "--json")
    shown = run_nightbake("documents", "show", number, "--json").json["document"]
    assert (ran.json["read"], shown["version"]) == ([documents.as_posix()], 2)


def test_unknown_documents_and_wrong_use_are_said(installation: FakeModelServer) -> None:
    for arguments, code, advice in [
        (("show", "4711"), 1, "no document with the id 4711"),
        (("remove", "4711"), 1, "no document with the id 4711"),
        (("restore", "4711"), 1, "was removed by hand"),
        (("reindex",), 2, "expected one of: numbers of documents, --source NAME, --model NAME"),
        (("reindex", "1", "--drop-old"), 2, "expected one of"),
        (("reindex", "--source", "none", "--model", "none"), 2, "expected one of"),
        (("reindex", "--source", "none"), 2, "no documents of a source 'none'"),
    ]:
        ran = run_nightbake("documents", *arguments)
        assert (ran.code, advice in ran.err) == (code, True), ran.err


def test_more_documents_than_wanted_are_said_to_be_there(installation: FakeModelServer, documents: Path) -> None:
    (documents / "travel.md").write_text("# Travel\n\nBook the train.\n")
    run_nightbake("ingest", str(documents))
    first = run_nightbake("documents", "list", "--limit", "1", "--json").json
    after = str(first["documents"][0]["id"])
    second = run_nightbake("documents", "list", "--limit", "1", "--after", after, "--json").json
    assert (first["more"], second["more"], len(second["documents"])) == (True, False, 1)


@pytest.fixture
def new_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Another model than the documents were read with, named by the settings from now on."""
    name = save_model(tmp_path / "new-model", {"leave": [1, 0], "holiday": [1, 0], "coffee": [0, 1]})
    monkeypatch.setenv("EMBEDDING_MODEL", name)
    return name


def find_detail(part: str) -> tuple[str, str]:
    findings = run_nightbake("doctor", "--json").json["findings"]
    return next((one["status"], one["detail"]) for one in findings if one["part"] == part)


def test_a_new_model_is_filled_in_and_switched(
    installation: FakeModelServer, documents: Path, new_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.delenv("EMBEDDING_MODEL")
        ingest(documents)
    status, detail = find_detail("embedding")
    assert (status, f"asked with all-MiniLM-L6-v2 until {new_model} is filled in (0 of 1 chunks)" in detail) == (
        "note",
        True,
    )
    assert run_nightbake("ask", QUESTION, "--json").json["sources"]
    assert f"`nightbake documents reindex --model {new_model}`" in run_nightbake("ingest", str(documents)).err
    changed = run_nightbake("documents", "reindex", "--model", new_model, "--json").json
    assert changed == {"model": new_model, "chunks": 1, "already_filled": 0}
    assert "vectors of all-MiniLM-L6-v2 (1) are kept" in find_detail("embedding")[1]
    assert run_nightbake("documents", "reindex", "--drop-old", "--json").json == {"dropped": {"all-MiniLM-L6-v2": 1}}
    assert find_detail("embedding")[0] == "ok"
    assert run_nightbake("ask", "holiday", "--json").json["sources"]


def test_a_model_that_the_settings_do_not_name_is_said(
    installation: FakeModelServer, documents: Path, new_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EMBEDDING_MODEL")
    ingest(documents)
    ran = run_nightbake("documents", "reindex", "--model", new_model, "--drop-old")
    assert (ran.code, f"set EMBEDDING_MODEL={new_model}" in ran.err, "are kept" in ran.err) == (0, True, True)
    missing = run_nightbake("documents", "reindex", "--model", "/nowhere")
    assert (missing.code, "hub name or folder, as safetensors, got '/nowhere'" in missing.err) == (2, True)


def test_a_filling_that_was_killed_goes_on_behind_what_was_stored(
    installation: FakeModelServer, documents: Path, new_model: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n\n".join(f"# Leave {number}\n\nLeave is granted in room {number}." for number in range(299))
    (documents / "rooms.md").write_text(text)
    with monkeypatch.context() as before:
        before.setenv("EMBEDDING_MODEL", save_model(documents.parent / "old-model", {"leave": [1, 0]}))
        assert run_nightbake("ingest", str(documents)).code == 0
    with psycopg.connect(database_url, autocommit=True) as connection:
        # The database itself stops in the middle of the second batch, where the kill comes.
        connection.execute(
            "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NEW; END'"
        )
        connection.execute(
            "CREATE TRIGGER stop BEFORE INSERT ON embeddings FOR EACH ROW "
            "WHEN (NEW.chunk_id > 280) EXECUTE FUNCTION stop()"
        )
        process = start_nightbake("documents", "reindex", "--model", new_model)
        sleeping = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        deadline = time.monotonic() + 100
        while not (found := connection.execute(sleeping).fetchone()):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()
        process.wait()
        # PostgreSQL finds out that its client is gone when it writes to it, which the sleep puts off.
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", found)
        connection.execute("DROP TRIGGER stop ON embeddings")
    assert "(256 of 300 chunks)" in find_detail("embedding")[1]
    changed = run_nightbake("documents", "reindex", "--model", new_model, "--json").json
    assert (changed["already_filled"], changed["chunks"]) == (256, 300)
