"""Rows on their way into the log: records as objects, unknown answers said, a lost database said once."""

import asyncio
import json
from collections.abc import Sequence

import pytest

import core.feedback
import core.interactions
from core.database import Database
from core.errors import DatabaseError, NotFoundError
from core.group_commit import GroupCommit, to_json_rows
from core.interactions import Interactions
from core.records import Feedback, Outcome, Passage, Question

QUESTION = Question("web", "web:c1", "user:ann", ["everyone"], "How many days of leave?", "en")
PASSAGE = Passage(1, 7, 3, 1, "Leave", "Leave", "leave.md", None, 0, 8, "23 days.", "en", 0.9, 0.8, 4.0, ["everyone"])


def test_a_record_inside_a_record_becomes_an_object() -> None:
    (row,) = json.loads(to_json_rows([Outcome(5, "휴가", "quoted", passages=[PASSAGE])]))
    assert (row["interaction_id"], row["answer"], row["passages"][0]["text"]) == (5, "휴가", "23 days.")


def test_a_row_names_every_column() -> None:
    (row,) = json.loads(to_json_rows([Feedback(5, "user:ann", 1, "web")]))
    assert set(row) == {
        "interaction_id",
        "person",
        "value",
        "source",
        "correction",
        "reason",
        "event_key",
        "right_chunk_id",
        "right_source",
        "said_at",
    }


async def test_passages_are_stored_with_every_field(database: Database) -> None:
    interactions = Interactions(database)
    begun = await interactions.begin(QUESTION)
    await interactions.finish(Outcome(begun.id, "23 days. [1]", "generated", passages=[PASSAGE]))
    assert (await interactions.get(begun.id)).passages == json.loads(to_json_rows([PASSAGE]))


async def test_an_unknown_answer_is_not_finished_in_silence(database: Database) -> None:
    interactions = Interactions(database)
    begun = await interactions.begin(QUESTION)
    results = await asyncio.gather(
        interactions.finish(Outcome(begun.id, "23 days.", "quoted")),
        interactions.finish(Outcome(4711, "23 days.", "quoted")),
        return_exceptions=True,
    )
    assert results[0] is None and isinstance(results[1], NotFoundError)


async def test_control_characters_of_a_model_are_stored_without_them(database: Database) -> None:
    interactions = Interactions(database)
    begun = await interactions.begin(QUESTION)
    await interactions.finish(Outcome(begun.id, "a\x00b", "generated", generated="a\ud800b"))
    stored = await interactions.get(begun.id)
    assert (stored.answer, stored.generated) == ("ab", "ab")


async def test_rows_do_not_wait_in_turn_for_a_database_that_is_away() -> None:
    waits: list[int] = []

    async def write(rows: Sequence[int]) -> list[int]:
        waits.append(len(rows))
        raise DatabaseError("the database stayed away")

    group = GroupCommit[int, int](write)
    results = await asyncio.gather(*(group.submit(number) for number in range(20)), return_exceptions=True)
    assert all(isinstance(result, DatabaseError) for result in results)
    with pytest.raises(DatabaseError):
        await group.submit(20)
    assert waits == [20, 1]


@pytest.mark.parametrize("name", ["begin", "finish", "record"])
async def test_a_plan_made_on_an_empty_table_uses_the_index(database: Database, name: str) -> None:
    query = (core.interactions.QUERIES | core.feedback.QUERIES)[name].replace(b"%(rows)s", b"$1")
    async with database.connection() as connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute(b"PREPARE statement (text) AS " + query)
        rows = await (await connection.execute("EXPLAIN EXECUTE statement ('[]')")).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert "Index" in plan and "Seq Scan on interactions" not in plan
