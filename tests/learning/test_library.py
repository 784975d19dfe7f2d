"""What the documents say now."""

from core.database import Database
from learning.library import find_chunks, find_documents, find_holders
from tests.learning.library import add_passage


async def test_the_passages_that_hold_a_text_are_found_best_first(database: Database) -> None:
    _, some = await add_passage(database, "a", "Interns have 11 days, and other people have other days of leave.")
    _, full = await add_passage(database, "b", "Interns have 11 days of annual leave.")
    await add_passage(database, "c", "Interns have 12 days of annual leave.")
    text = "Interns have 11 days of annual leave."
    found = await find_holders(database, [text, "The gym opens at 7."])
    # Terms: inter, days, annua, leave, 11; the first passage lacks one of the five.
    assert {text: [(one.chunk_id, one.support) for one in held] for text, held in found.items()} == {
        text: [(full, 1.0), (some, 0.8)]
    }


async def test_a_removed_document_holds_nothing_and_is_visible_to_nobody(database: Database) -> None:
    document_id, chunk_id = await add_passage(database, "a", "Interns have 11 days of annual leave.")
    await database.execute(b"UPDATE documents SET removed_at = now()")
    assert await find_holders(database, ["Interns have 11 days."]) == {}
    assert not (await find_documents(database, [document_id]))[document_id].is_visible(["everyone"])
    assert await find_chunks(database, [chunk_id, chunk_id + 1]) == {chunk_id: document_id}


async def test_deny_wins_over_allow(database: Database) -> None:
    document_id, _ = await add_passage(database, "a", "text", allow=("group:hr", "user:ann"))
    await database.execute(b"UPDATE documents SET deny = '{user:ann}'")
    document = (await find_documents(database, [document_id]))[document_id]
    readers = (["group:hr"], ["user:bo"], ["group:hr", "user:ann"])
    assert [document.is_visible(one) for one in readers] == [True, False, False]
