"""What nights cost and brought, read from a real log."""

from datetime import date, timedelta

import pytest

from core.adapters import Adapters
from core.database import Database
from core.exams import Exams
from learning.break_even import Figures
from learning.economy import find_economy
from tests.learning.log import log_answer, make_passage, vote

ADD_RUN = b"""INSERT INTO runs (night, requested_by, window_from, window_to, stage, state, adapter, seconds, evaluation,
                                finished_at)
VALUES (%(night)s, 'schedule', now() - interval '1 day', now(), 'report', 'done', %(adapter)s, %(seconds)s::jsonb,
        '{"golden": {"live": 6, "candidate": 9, "count": 12}}', now())"""


async def add_night(database: Database, day: int, adapter: str | None = None) -> None:
    seconds = '{"collect": 999, "train": 3000, "serve": 100, "evaluate": 500}'
    await database.execute(ADD_RUN, {"night": date(2026, 11, day), "adapter": adapter, "seconds": seconds})
    if adapter:
        await Adapters(database).register(name=adapter, folder="/a", base_model="b", sha256=adapter, manifest={})


async def find(database: Database, figures: Figures | None = None):
    (now,) = await database.fetch_dicts(b"SELECT clock_timestamp() + interval '1 second' AS at")
    return await find_economy(database, figures or Figures(hour=2.0), until=now["at"])


async def test_an_empty_log_claims_nothing(database: Database) -> None:
    found = await find(database)
    assert (found.break_even.state, found.spending.nights, found.spending.cost) == ("unknown", 0, 0)


async def test_nights_that_brought_nothing_are_paid_for_too(database: Database) -> None:
    await add_night(database, 1)
    await add_night(database, 2, "night-2")
    await Adapters(database).switch("night-2", by="nightbake", reason="better")
    await database.execute(b"UPDATE switches SET switched_at = now() - interval '1 hour'")
    for _ in range(4):
        await log_answer(database, "Leave?", [make_passage("leave", 3)], "3 days. [1]")
    await database.execute(
        b"UPDATE interactions SET adapter = 'night-2' WHERE id <> (SELECT min(id) FROM interactions)"
    )
    spending = (await find(database)).spending
    assert (spending.nights, spending.hours, spending.accepted, spending.cost_each) == (2, 2.0, 1, 4.0)
    # A quarter of the three answers since, not the base model's, each worth 110, over two hours.
    assert spending.returned == pytest.approx(0.25 * 3 * 110 / 2)


async def test_votes_count_where_no_golden_question_was_asked(database: Database) -> None:
    for value in (1, 1, -1):
        answer_id = await log_answer(database, "Leave?", [make_passage("leave", 3)], "3 days. [1]")
        await vote(database, answer_id, "user:ann", value)
        await vote(database, answer_id, "user:bo", 0)
    found = (await find(database)).break_even
    assert (found.source, found.share, found.count) == ("votes", pytest.approx(2 / 3), 3)
    cells = {"found_right": 8, "found_wrong": 1, "invented": 1, "refused": 5}
    await Exams(database).record(by="user:ann", adapter=None, cells={"en": cells}, failed=[])
    found = (await find(database)).break_even
    assert (found.source, found.share, found.count) == ("golden", 0.8, 10)


async def test_older_nights_are_history(database: Database) -> None:
    await add_night(database, 1)
    await database.execute(b"UPDATE runs SET started_at = %s", [(await now(database)) - timedelta(days=31)])
    assert (await find(database)).spending.nights == 0


async def now(database: Database):
    return (await database.fetch_dicts(b"SELECT now() AS at"))[0]["at"]
