"""`nightbake documents`: what is stored, hiding and bringing back, reading again."""

from pathlib import Path

from tests.cli.conftest import QUESTION
from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer


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
        (("reindex",), 2, "expected numbers of documents or --source NAME"),
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
