"""Nights as rows: one at a time, once by schedule, resumed after a crash."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.database import Database
from core.errors import NotFoundError
from core.locks import Lock
from learning.curate import Fate
from learning.runs import NightLockLostError, NightRunningError, Run, Runs
from tests.learning.log import log_answer, make_passage, vote
from tests.learning.making import make_pair

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)


async def begin(runs: Runs, requested_by: str = "schedule") -> Run | None:
    window_from = NOW - timedelta(days=90)
    return await runs.begin(night=date(2026, 11, 20), requested_by=requested_by, window_from=window_from, window_to=NOW)


async def test_a_second_process_is_told_that_a_night_runs(database: Database, database_url: str) -> None:
    async with Database(database_url) as other, Runs(database).lock():
        with pytest.raises(NightRunningError):
            async with Runs(other).lock():
                pass


async def test_the_lock_is_free_again_after_a_night(database: Database) -> None:
    for _ in range(2):
        async with Runs(database).lock() as lock:
            await lock.check()


async def test_a_broken_connection_is_a_lost_lock(database: Database) -> None:
    kill = b"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = %(key)s"
    async with Runs(database).lock() as lock:
        await database.fetch_dicts(kill, {"key": Lock.NIGHT})
        with pytest.raises(NightLockLostError):
            await lock.check()


async def test_the_schedule_has_a_night_once_and_people_as_often_as_they_like(database: Database) -> None:
    runs = Runs(database)
    assert [bool(await begin(runs, by)) for by in ("schedule", "schedule", "user:ann", "user:ann")] == [
        True, False, True, True
    ]  # fmt: skip


async def test_a_night_that_a_crash_left_is_resumed_at_its_stage(database: Database) -> None:
    runs = Runs(database)
    run = await begin(runs)
    assert run
    await runs.update(run.id, stage="evaluate", counts={"votes": 3}, seconds={"train": 2.5})
    left = await runs.resume()
    assert left and (left.id, left.stage, left.attempts, left.counts) == (run.id, "evaluate", 2, {"votes": 3})
    await runs.finish(run.id, "done", reason="better")
    assert await runs.resume() is None
    assert await runs.has_night(date(2026, 11, 20))


async def test_the_ledger_names_the_people_behind_a_pair_by_pseudonyms(database: Database) -> None:
    runs = Runs(database)
    run = await begin(runs)
    assert run
    answer = await log_answer(database, "q?", [make_passage("parking", 3)], "perhaps")
    await vote(database, answer, "user:ann", -1)
    pair = make_pair(1, voters=("user:ann", "user:bo"))
    for _ in range(2):
        await runs.store_ledger(run.id, [(pair, "trained", None)], {1: Fate("dropped", "unpaired")})
    stored = await runs.find_pairs(run.id)
    names = await database.fetch_tuples(b"SELECT name_voter(unnest(ARRAY['user:ann', 'user:bo']))")
    assert [(one.sha256, one.voters, one.state) for one in stored] == [
        (pair.sha256, sorted(name for (name,) in names), "trained")
    ]


async def test_votes_are_counted_for_thirty_days(database: Database) -> None:
    answer = await log_answer(database, "q?", [make_passage("parking", 3)], "perhaps")
    await vote(database, answer, "user:ann", -1)
    await vote(database, answer, "user:bo", 1)
    days = await Runs(database).count_votes_by_day(datetime.now(UTC))
    assert (len(days), days[-1]["liked"], days[-1]["disliked"]) == (30, 1, 1)


async def test_an_unknown_night_says_how_to_find_one(database: Database) -> None:
    with pytest.raises(NotFoundError, match="nightbake report"):
        await Runs(database).get(7)


async def find_rebuilders(database: Database) -> list[int | None]:
    return [row["run_id"] for row in await database.fetch_dicts(b"SELECT run_id FROM rebuilds ORDER BY id")]


async def test_a_rehearsal_and_a_paused_night_leave_a_rebuild_to_the_next_night(database: Database) -> None:
    runs, now = Runs(database), datetime.now(UTC)
    window = {"window_from": now - timedelta(days=1), "window_to": now}
    await database.execute(b"INSERT INTO rebuilds (reason) VALUES ('test')")
    rehearsal = await runs.rehearse(night=now.date(), requested_by="test", **window)
    await runs.finish(rehearsal.id, "done", reason="pairs_only")
    paused = await begin(runs)
    assert paused
    await runs.finish(paused.id, "skipped", reason="paused")
    assert await find_rebuilders(database) == [None]
    night = await begin(runs, "user:ann")
    assert night
    await runs.finish(night.id, "done", reason="better")
    assert await find_rebuilders(database) == [night.id]


async def test_an_audience_has_each_night_once_however_often_it_is_begun(database: Database) -> None:
    runs, window = Runs(database), {"window_from": NOW - timedelta(days=1), "window_to": NOW}
    begun = [
        await runs.begin(night=NOW.date(), requested_by=by, audience=audience, **window)
        for by, audience in (
            ("user:ann", "everyone"),
            ("user:ann", "everyone"),
            ("schedule", "everyone"),
            ("schedule", "group:hr"),
            ("user:ann", "group:hr"),
            ("user:ann", "group:it"),
        )
    ]
    assert [run and run.audience for run in begun] == [*["everyone"] * 3, "group:hr", None, "group:it"]
    assert [run.audience for run in await runs.find_latest()] == ["everyone"] * 3
