"""What documents behind pairs are today, and who may read the pair."""

from dataclasses import replace

import pytest

from core.database import Database
from learning.pair_sources import check_document, find_restricted, find_sources
from learning.permission import intersect_access
from tests.learning.log import log_answer, make_passage
from tests.learning.making import make_pair


async def find_state(database: Database, answer: int) -> list[str]:
    sources = await find_sources(database, [make_pair(1, interaction_ids=(answer, 99))])
    return [source.state for source in sources[answer]]


async def test_a_document_that_changed_is_stale_until_it_is_checked_again(database: Database) -> None:
    passage = make_passage("parking", 3)
    answer = await log_answer(database, "Parking?", [passage], "3 days. [1]")
    assert await find_state(database, answer) == ["same"]
    await database.execute(b"UPDATE documents SET version = 2")
    assert await find_state(database, answer) == ["changed"]
    assert await check_document(database, passage.document_id, by="user:kim")
    assert await find_state(database, answer) == ["checked"]
    await database.execute(b"UPDATE documents SET version = 3")
    assert await find_state(database, answer) == ["changed"]
    await database.execute(b"UPDATE documents SET removed_at = now()")
    assert await find_state(database, answer) == ["gone"]
    assert not await check_document(database, passage.document_id, by="user:kim")


async def test_a_passage_that_still_stands_in_the_new_version_is_the_same(database: Database) -> None:
    passage = make_passage("parking", 3)
    answer = await log_answer(database, "Parking?", [passage, replace(make_passage("lunch", 4), number=2)], "3. [1]")
    await database.execute(b"UPDATE documents SET version = 2")
    text = f"A new preface.\n{passage.text}\nAnd more."
    await database.execute(b"INSERT INTO document_texts VALUES (%s, %s)", [passage.document_id, text])
    assert await find_state(database, answer) == ["same", "changed"]


@pytest.mark.parametrize(
    ("access", "readers"),
    [
        ([], ["everyone"]),
        ([["everyone"], ["everyone", "group:hr"]], ["everyone"]),
        ([["everyone"], ["group:hr", "group:it"]], ["group:hr", "group:it"]),
        ([["group:hr", "group:it"], ["group:it", "user:kim"]], ["group:it"]),
        ([["group:hr"], ["group:board"]], []),
        ([["everyone"], []], []),
        ([["public"], ["everyone"]], ["everyone"]),
        ([["public"], ["group:hr", "public"], ["group:it"]], ["group:it"]),
    ],
)
async def test_a_pair_carries_whom_all_of_its_documents_let_through(
    database: Database, access: list[list[str]], readers: list[str]
) -> None:
    assert list(intersect_access(access)) == readers
    query = b"SELECT intersect_access(%s::jsonb) AS readers"
    assert await database.fetch_dicts(query, [str(access).replace("'", '"')]) == [{"readers": readers}]


async def test_what_guests_may_read_too_is_restricted_to_nobody(database: Database) -> None:
    open_one = make_passage("parking", 3, allow=("public",))
    closed = make_passage("bonus", 4, allow=("group:board",))
    asked = [await log_answer(database, "How many?", [passage], "3. [1]") for passage in (open_one, closed)]
    assert await find_restricted(database, asked) == {asked[1]}
