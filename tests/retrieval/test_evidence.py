"""Where a right answer stands: whole, in two pieces, in another edition, nowhere, or out of the asker's sight."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.database import Database
from core.records import Passage
from retrieval.embedding import Embedder
from retrieval.evidence import Evidence, find_evidence, is_superseded
from retrieval.ingest import ingest
from tests.retrieval.conftest import Write

PAGE = Passage(1, 1, 1, 1, "Leave", "", "leave.md", None, 0, 9, "some text", "en", 0.5, 0.5, 0.5, ["everyone"])
LEAVE = "# Leave\n\n## Days\n\nStaff have 23 days of annual leave.\n\n## Asking\n\nLeave is asked for in the portal."


def holding(*texts: str) -> Callable[[str], bool]:
    return lambda said: all(text in said for text in texts)


@pytest.fixture
async def ingested(database: Database, embedder: Embedder, folder: Path, write: Write) -> Database:
    """A document for everyone, and one for the board."""
    write("leave.md", LEAVE)
    write("board/.access.json", json.dumps({"allow": ["group:board"]}))
    write("board/bonus.md", "# Bonus\n\nThe board decides on a bonus of 7 percent.")
    await ingest(database, embedder, [folder], max_tokens=45)
    return database


async def ask(database: Database, path: str, *texts: str, principals: tuple[str, ...] = ("everyone",)) -> Evidence:
    question = "How many days of annual leave?"
    return await find_evidence(
        database, question=question, principals=principals, paths=[path], holds=holding(*texts), limit=3
    )


async def test_the_passage_that_holds_it_is_found(ingested: Database) -> None:
    found = await ask(ingested, "leave.md", "23 days")
    assert (found.standing, found.is_split) == ("there", False)
    assert [(one.number, one.text) for one in found.passages] == [(1, "Staff have 23 days of annual leave.")]


async def test_what_stands_in_no_passage_alone_is_given_as_two(ingested: Database) -> None:
    found = await ask(ingested, "leave.md", "23 days", "portal")
    assert (found.standing, found.is_split, len(found.passages)) == ("there", True, 2)


@pytest.mark.parametrize(
    ("path", "standing"), [("leave.md", "stale"), ("none.md", "missing"), ("board/bonus.md", "hidden")]
)
async def test_what_is_not_to_be_had_says_why_and_nothing_else(ingested: Database, path: str, standing: str) -> None:
    found = await ask(ingested, path, "7 percent")
    assert (found.standing, found.passages) == (standing, ())


async def test_the_board_reads_its_own(ingested: Database) -> None:
    found = await ask(ingested, "board/bonus.md", "7 percent", principals=("everyone", "group:board"))
    assert found.standing == "there"


async def test_a_removed_document_is_missing_to_everybody(ingested: Database) -> None:
    await ingested.execute(b"UPDATE documents SET removed_at = now()")
    assert (await ask(ingested, "board/bonus.md", "7 percent")).standing == "missing"


def test_an_old_edition_stands_in_the_way() -> None:
    now = replace(PAGE, chunk_id=1, path="leave-2026.md")
    old = replace(PAGE, chunk_id=2, path="leave-2023.md")
    travel = replace(PAGE, chunk_id=3, path="travel-2023.md", title="Travel")
    assert is_superseded([now], [old, travel])
    assert not is_superseded([now], [now, travel])
    assert is_superseded([replace(now, title="Leave (superseded)")], [travel])
