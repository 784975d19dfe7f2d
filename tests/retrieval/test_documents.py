"""Opening a citation, removing, erasing, reading again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.database import Database
from core.errors import NotFoundError
from retrieval.documents import Documents
from retrieval.embedding import Embedder
from retrieval.ingest import ingest
from retrieval.search import Search
from tests.retrieval.conftest import Write

LEAVE = "# 휴가\n\n## Annual leave\n\nEmployees get 23 days 🌴 of leave.\n\n## Sick leave\n\nCall before nine.\n"


async def store(database: Database, embedder: Embedder, folder: Path, write: Write) -> int:
    """Id of the chunk about sick leave."""
    write("leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    found = await Search(database, embedder).search("call before nine", ["everyone"], limit=1)
    return found[0].chunk_id


async def test_a_citation_opens_where_it_stands(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    place = await Documents(database).get_place(await store(database, embedder, folder, write), ["everyone"])
    assert (place.title, place.path, place.heading_path) == ("휴가", "leave.md", "Sick leave")
    whole = "휴가\n\nAnnual leave\n\nEmployees get 23 days 🌴 of leave.\n\nSick leave\n\nCall before nine."
    assert place.text_before + place.passage + place.text_after == whole
    assert place.passage == "Call before nine."


async def test_the_text_around_a_citation_has_a_limit(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    chunk_id = await store(database, embedder, folder, write)
    place = await Documents(database).get_place(chunk_id, ["everyone"], context_characters=7)
    assert (place.text_before, place.text_after) == (" leave\n\n"[-7:], "")


async def test_a_citation_does_not_open_for_others(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    chunk_id = await store(database, embedder, folder, write)
    with pytest.raises(NotFoundError, match="its document may have changed"):
        await Documents(database).get_place(chunk_id, ["group:unknown"])


async def test_a_removed_document_is_invisible_at_once(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    chunk_id = await store(database, embedder, folder, write)
    documents = Documents(database)
    await documents.remove((await documents.find(["everyone"]))[0].id)
    assert await Search(database, embedder).search("call before nine", ["everyone"]) == []
    with pytest.raises(NotFoundError):
        await documents.get_place(chunk_id, ["everyone"])


async def test_what_was_removed_can_be_erased_for_good(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    await store(database, embedder, folder, write)
    documents = Documents(database)
    await documents.remove((await documents.find_all())[0].id)
    assert await documents.erase_removed(before=datetime.now(UTC) + timedelta(minutes=1)) == 1
    rows = await database.fetch_dicts(
        b"SELECT (SELECT count(*) FROM chunks) + (SELECT count(*) FROM packed_postings) "
        b"+ (SELECT count(*) FROM fresh_postings) + (SELECT count(*) FROM embeddings) "
        b"+ (SELECT count(*) FROM document_texts) + (SELECT count(*) FROM audience_blocks) AS left_over"
    )
    assert rows == [{"left_over": 0}]


async def test_a_source_can_be_read_again(database: Database, embedder: Embedder, folder: Path, write: Write) -> None:
    await store(database, embedder, folder, write)
    documents = Documents(database)
    await documents.forget_content((await documents.find_all())[0].source)
    report = await ingest(database, embedder, [folder])
    assert (report.updated, report.embedded) == (1, 0)


async def test_removing_an_unknown_document_says_so(database: Database) -> None:
    with pytest.raises(NotFoundError, match="no document with the id 4711"):
        await Documents(database).remove(4711)
