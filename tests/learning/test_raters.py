"""Newcomers, bursts and people who vote as one, found in a real log."""

from datetime import datetime, timedelta

from core.database import Database
from learning.raters import Raters, build_teams, find_raters
from tests.learning.log import log_answer
from tests.learning.making import NOON

WINDOW = {"window_from": NOON - timedelta(days=30), "window_to": NOON}


async def vote_at(
    database: Database, answer: int, person: str, at: datetime, value: int = -1, correction: str | None = None
) -> int:
    query = b"""INSERT INTO feedback (interaction_id, person, value, source, correction, given_at)
                VALUES (%s, %s, %s, 'test', %s, %s) RETURNING id"""
    rows = await database.fetch_dicts(query, [answer, person, value, correction, at])
    return rows[0]["id"]


async def test_a_newcomer_waits_three_days_where_others_voted_long_before(database: Database) -> None:
    answer = await log_answer(database, "q", [], "a")
    await vote_at(database, answer, "new", NOON - timedelta(days=2))
    assert (await find_raters(database, **WINDOW)).new == frozenset()
    await vote_at(database, answer, "old", NOON - timedelta(days=7))
    assert (await find_raters(database, **WINDOW)).new == {"new"}
    later = {"window_from": NOON, "window_to": NOON + timedelta(days=2)}
    await vote_at(database, answer, "new", NOON + timedelta(days=1))
    assert (await find_raters(database, **later)).new == frozenset()


async def test_thirty_votes_within_ten_minutes_are_a_burst(database: Database) -> None:
    answers = [await log_answer(database, f"q{n}", [], "a") for n in range(30)]
    begin = NOON - timedelta(days=1)
    for n, answer in enumerate(answers[:29]):
        await vote_at(database, answer, "fast", begin + timedelta(seconds=10 * n))
        await vote_at(database, answer, "slow", begin + timedelta(minutes=5 * n))
    assert (await find_raters(database, **WINDOW)).burst == frozenset()
    last = await vote_at(database, answers[29], "fast", begin + timedelta(seconds=299))
    burst = (await find_raters(database, **WINDOW)).burst
    # Only those with all thirty within five minutes to each side: from the first second to the last, all of them.
    assert last in burst
    assert len(burst) == 30


async def test_people_who_say_the_same_of_the_same_answers_at_once_are_one(database: Database) -> None:
    answers = [await log_answer(database, f"q{n}", [], "a") for n in range(6)]
    begin = NOON - timedelta(days=1)
    for n, answer in enumerate(answers):
        await vote_at(database, answer, "a", begin + timedelta(hours=n))
        if n < 5:
            await vote_at(database, answer, "b", begin + timedelta(hours=n, minutes=3))
        await vote_at(database, answer, "c", begin + timedelta(hours=n, minutes=30))
        await vote_at(database, answer, "d", begin + timedelta(hours=n, minutes=1), 1)
    assert (await find_raters(database, **WINDOW)).teams == {"a": "a", "b": "a"}


async def test_three_corrections_shared_to_the_letter_make_one_of_two(database: Database) -> None:
    answers = [await log_answer(database, f"q{n}", [], "a") for n in range(6)]
    for n in range(3):
        for at, person in enumerate(("x", "y")):
            when = NOON - timedelta(days=1 + at, hours=n)
            await vote_at(database, answers[2 * n + at], person, when, correction=f"Buy {n} of Zorblax!")
    assert (await find_raters(database, **WINDOW)).teams == {"x": "x", "y": "x"}


def test_links_grow_into_teams_named_by_their_first() -> None:
    teams = build_teams([("c", "d"), ("e", "f"), ("d", "e"), ("x", "y")])
    assert teams == dict.fromkeys("cdef", "c") | dict.fromkeys("xy", "x")
    assert (Raters(teams=teams).get_team("f"), Raters(teams=teams).get_team("z")) == ("c", "z")
