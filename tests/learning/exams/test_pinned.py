"""Pinned exams: accepted items only, the same words for good, gone with their documents, and never trained on."""

import psycopg
import pytest

from core.database import Database
from core.errors import InvalidInputError, NotFoundError
from learning.curate import curate_stored
from learning.exams.guard import find_held
from learning.exams.pinned import Pinned, PinnedExams
from learning.exercises.store import Exercise, Exercises
from tests.learning.exams.exams import add_item
from tests.learning.exercises.library import add_document
from tests.learning.exercises.making import FERRY
from tests.learning.making import NOON, make_pair

ASKED = "When does the ferry to the island leave on Mondays?"


async def find_accepted(database: Database) -> list[Exercise]:
    return await Exercises(database).find(kind="four_choice", state="accepted", purpose="exam")


async def pin(database: Database, count: int = 500) -> Pinned:
    return (await PinnedExams(database).pin(await find_accepted(database), count=count, by="user:ann"))[0]


async def test_only_accepted_exam_items_are_pinned_as_people_edited_them(database: Database) -> None:
    travel = await add_document(database, "Travel", {"Ferry": FERRY})
    await add_item(database, travel, ASKED, verdict="edit", edited=("When does the ferry leave?", "at 07:50 sharp"))
    await add_item(database, travel, "What does a cabin cost a night?", verdict=None)
    await add_item(database, travel, "How many bicycles does it carry?", verdict="reject")
    await add_item(database, travel, "Which harbour is it?", purpose="training")
    pinned = await pin(database)
    (item,) = await PinnedExams(database).find_items(pinned.id)
    assert (pinned.items, pinned.asked, item.version, item.group) == (1, 1, 1, str(travel))
    assert (item.question, item.options[item.right_option]) == ("When does the ferry leave?", "at 07:50 sharp")


async def test_the_same_items_are_the_same_exam_and_others_another(database: Database) -> None:
    travel = await add_document(database, "Travel", {"Ferry": FERRY})
    await add_item(database, travel, ASKED)
    first = await pin(database)
    exams, accepted = PinnedExams(database), await find_accepted(database)
    assert await exams.pin(accepted, count=9, by="user:ben") == (first, False)
    await add_item(database, travel, "What does a cabin cost a night?")
    second = await pin(database)
    assert second.sha256 != first.sha256
    assert [one.name for one in await exams.find_all()] == [second.name, first.name]
    assert (await exams.get(), await exams.get(first.name)) == (second, first)
    with pytest.raises(NotFoundError, match="exam list"):
        await exams.get("exam-nothing")


async def test_each_document_gives_an_item_before_one_gives_two(database: Database) -> None:
    ids = [await add_document(database, title, {"Ferry": FERRY}) for title in ("One", "Two", "Three")]
    for number in range(4):
        await add_item(database, ids[0], f"Question {number} of the first, about its harbour?")
    for id_ in ids[1:]:
        await add_item(database, id_, f"What does document {id_} say of boats?")
    items = await PinnedExams(database).find_items((await pin(database, 3)).id)
    assert sorted(one.group for one in items) == sorted(map(str, ids))


async def test_what_is_pinned_cannot_be_changed(database: Database) -> None:
    await add_item(database, await add_document(database, "Travel", {"Ferry": FERRY}), ASKED)
    await pin(database)
    with pytest.raises(psycopg.Error, match="never changes"):
        await database.execute(b"UPDATE pinned_items SET question = 'Another?'")
    with pytest.raises(psycopg.Error, match="never changes"):
        await database.execute(b"UPDATE pinned_exams SET items = 2")


async def pin_two(database: Database) -> Pinned:
    """An item of each of two documents, Travel and Other."""
    for title, question in (("Travel", ASKED), ("Other", "What does a cabin cost a night?")):
        await add_item(database, await add_document(database, title, {"Ferry": FERRY}), question)
    return await pin(database)


@pytest.mark.parametrize(
    ("change", "stored"),
    [
        (b"DELETE FROM documents WHERE title = 'Travel'", 1),
        (b"UPDATE documents SET removed_at = now() WHERE title = 'Travel'", 2),
    ],
)
async def test_an_item_goes_with_its_document(database: Database, change: bytes, stored: int) -> None:
    pinned = await pin_two(database)
    await database.execute(change)
    now = await PinnedExams(database).get(pinned.name)
    assert (now.items, now.asked, now.gone) == (2, 1, 1)
    assert [one.question for one in await PinnedExams(database).find_items(pinned.id)] != [ASKED]
    assert await database.fetch_tuples(b"SELECT count(*) FROM pinned_items") == [(stored,)]


async def test_an_item_is_asked_as_long_as_a_changed_document_says_so(database: Database) -> None:
    await pin_two(database)
    await database.execute(b"UPDATE documents SET version = 2")
    assert (await PinnedExams(database).get()).gone == 0
    await database.execute(b"UPDATE document_texts SET text = 'The ferry is no more.'")
    assert (await PinnedExams(database).get()).gone == 2


async def test_items_are_for_who_may_read_their_documents(database: Database) -> None:
    open_ = await add_document(database, "Open", {"Ferry": FERRY})
    closed = await add_document(database, "Closed", {"Ferry": FERRY}, allow=["group:board"])
    await add_item(database, open_, ASKED)
    await add_item(database, closed, "What does a cabin cost a night?")
    pinned = await pin(database)
    find = PinnedExams(database).find_items
    assert [one.group for one in await find(pinned.id, principals=["everyone"])] == [str(open_)]
    assert len(await find(pinned.id, principals=["everyone", "group:board"])) == 2


async def test_without_accepted_items_it_says_what_to_do(database: Database) -> None:
    with pytest.raises(InvalidInputError, match="exercises review"):
        await pin(database)
    with pytest.raises(NotFoundError, match="exam pin"):
        await PinnedExams(database).get()


async def test_nothing_near_the_exam_is_trained_on(database: Database) -> None:
    await add_item(database, await add_document(database, "Travel", {"Ferry": FERRY}), ASKED)
    await pin(database)
    near = make_pair(1, question="When does the ferry to the island leave on Mondays, please?", chosen="At 07:50. [1]")
    far = make_pair(2, question="Who looks after the harbour's lights?", chosen="Ann does. [1]")
    curated = await curate_stored(database, [near, far], window_from=NOON, window_to=NOON, max_pairs=9)
    assert [reason for _, reason in curated.dropped] == ["exam"]
    assert [pair.question for pair in curated.kept] == [far.question]
    assert await find_held(database) == [(ASKED, "at 07:50")]
