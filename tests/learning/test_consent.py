"""Nothing is learnt from people and rooms that refuse."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.room_settings import RoomSettings, RoomSettingsLog
from core.consent import Consents
from core.database import Database
from core.interactions import Interactions
from core.records import Outcome, Question
from learning.labels import find_hints, find_votes
from learning.runs import Runs
from learning.synthetic import find_replaced
from tests.learning.log import vote
from tests.learning.test_export import read

ANN, BOB = "slack:T:U0ANN", "slack:T:U0BOB"
FROM, TO = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)


async def log(database: Database, asker: str, question: str, *, room: str = "C1", standalone: str | None = None) -> int:
    """An answer in a thread of its room, liked by its asker and by the other."""
    interactions = Interactions(database)
    begun = await interactions.begin(Question("slack", f"slack:T:{room}:1.1", asker, ["everyone"], question, "en"))
    messages = [{"role": "user", "content": question}]
    outcome = Outcome(
        begun.id,
        "23 days.",
        "generated",
        standalone_question=standalone or question,
        messages=messages,  # type: ignore[arg-type]
    )
    await interactions.finish(outcome)
    await vote(database, begun.id, ANN, 1)
    await vote(database, begun.id, BOB, 1)
    return begun.id


async def find_learnt(database: Database) -> list[tuple[int, str]]:
    votes = await find_votes(database, window_from=FROM, window_to=TO)
    exported = [row["prompt"][-1]["content"] for row in await read(database, "kto", public_only=False)]
    assert len(exported) == len({one.interaction_id for one in votes})
    return [(one.interaction_id, one.person) for one in votes]


async def test_who_was_never_asked_is_learnt_from(database: Database) -> None:
    one = await log(database, ANN, "Leave?")
    assert await find_learnt(database) == [(one, ANN), (one, BOB)]


async def test_neither_the_questions_nor_the_votes_of_who_refuses(database: Database) -> None:
    await log(database, ANN, "Leave?")
    other = await log(database, BOB, "Travel?")
    await Consents(database).set(ANN, allows_training=False)
    assert not await Consents(database).allows_training(ANN)
    assert await find_learnt(database) == [(other, BOB)]


async def test_who_agrees_again_is_learnt_from_again(database: Database) -> None:
    one = await log(database, ANN, "Leave?")
    for allows_training in (False, True):
        await Consents(database).set(ANN, allows_training=allows_training)
    assert await find_learnt(database) == [(one, ANN), (one, BOB)]


async def test_words_of_who_refuses_are_not_learnt_from_another_s_follow_up(database: Database) -> None:
    await log(database, ANN, "Leave?")
    await log(database, BOB, "And for interns?", standalone="Leave? — And for interns?")
    own = await log(database, BOB, "Parking?")
    await Consents(database).set(ANN, allows_training=False)
    assert await find_learnt(database) == [(own, BOB)]


@pytest.mark.parametrize("room", ["slack:T:C1", "slack:T:C"])
async def test_a_room_that_refuses_and_no_other_whose_name_begins_alike(database: Database, room: str) -> None:
    one = await log(database, ANN, "Leave?", room="C1")
    await RoomSettingsLog(database).set(room, RoomSettings(allows_training=False), by=ANN)
    assert await find_learnt(database) == ([] if room == "slack:T:C1" else [(one, ANN), (one, BOB)])


async def test_nothing_is_read_from_what_who_refuses_let_slip(database: Database) -> None:
    ids = [await log(database, asker, f"{asker}?") for asker in (ANN, BOB)]
    await database.execute(b"DELETE FROM feedback")
    await database.execute(b"UPDATE interactions SET mode = 'stopped' WHERE id = ANY(%s)", [ids])
    await Consents(database).set(ANN, allows_training=False)
    hints = await find_hints(database, window_from=FROM, window_to=TO)
    assert [(hint.interaction_id, hint.kind) for hint in hints] == [(ids[1], "abandonment")]


async def test_a_replaced_answer_of_who_refuses_is_not_learnt_from(database: Database) -> None:
    ids = [await log(database, asker, f"{asker}?") for asker in (ANN, BOB)]
    await database.execute(b"DELETE FROM feedback")
    query = b"UPDATE interactions SET mode = 'quoted', mode_reason = 'quoted_unsupported' WHERE id = ANY(%s)"
    await database.execute(query, [ids])
    await Consents(database).set(ANN, allows_training=False)
    run = await Runs(database).begin(night=FROM.date(), requested_by="test", window_from=FROM, window_to=TO)
    assert run
    assert [answer.id for answer in await find_replaced(database, run, limit=9)] == [ids[1]]
