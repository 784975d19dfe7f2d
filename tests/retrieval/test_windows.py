"""A passage with its section around it: as it stands in the document, no text twice, nothing that may not be read."""

from pathlib import Path

import pytest

from core.database import Database
from core.records import Passage
from retrieval.access import Access
from retrieval.embedding import Embedder
from retrieval.ingest import ingest
from retrieval.query import Finder
from retrieval.search import Search
from retrieval.windows import widen
from tests.retrieval.conftest import Write

RULES = [
    f"Rule {number} says that the {thing} of the office on floor {number} is for all of its people, always, in full."
    for number, thing in enumerate(["kettle", "printer", "balcony", "bicycle", "library", "piano"], start=1)
]


@pytest.fixture
async def passages(database: Database, embedder: Embedder, folder: Path, write: Write) -> list[Passage]:
    """Each rule a chunk, in order; the last two under another heading."""
    write("rules.md", "# House\n\n## Rules\n\n" + "\n\n".join(RULES[:4]) + "\n\n## Luxury\n\n" + "\n\n".join(RULES[4:]))
    await ingest(database, embedder, [folder], max_tokens=45)
    search = Search(database, embedder)
    found = [(await search.search(rule, ["everyone"], limit=1))[0] for rule in RULES]
    assert [passage.text for passage in found] == RULES
    return found


async def test_a_passage_grows_within_its_section(database: Database, passages: list[Passage]) -> None:
    (found,) = await widen(Access(database), [passages[1]], ["everyone"], neighbours=1)
    assert found.text == "\n\n".join(RULES[:3])
    assert (found.chunk_id, found.start, found.end) == (passages[1].chunk_id, passages[0].start, passages[2].end)
    (last,) = await widen(Access(database), [passages[4]], ["everyone"], neighbours=10)
    assert last.text == "\n\n".join(RULES[4:])


async def test_no_text_stands_in_two_passages(database: Database, passages: list[Passage]) -> None:
    found = await widen(Access(database), [passages[2], passages[0]], ["everyone"], neighbours=2)
    assert [passage.text for passage in found] == ["\n\n".join(RULES[1:4]), RULES[0]]


async def test_what_may_not_be_read_any_more_does_not_grow(database: Database, passages: list[Passage]) -> None:
    await database.execute(b"UPDATE documents SET allow = '{group:board}'")
    assert await widen(Access(database), [passages[1]], ["everyone"], neighbours=1) == [passages[1]]


async def test_people_get_windows_where_they_are_set(
    database: Database, embedder: Embedder, passages: list[Passage]
) -> None:
    search = Search(database, embedder)
    narrow = await Finder(database, search).find("Whose is the printer?", ["everyone"], limit=1)
    wide = await Finder(database, search, neighbours=1).find("Whose is the printer?", ["everyone"], limit=1)
    assert [one.text for one in narrow.passages] == [RULES[1]]
    assert [one.text for one in wide.passages] == ["\n\n".join(RULES[:3])]
    assert wide.confidence == narrow.confidence
