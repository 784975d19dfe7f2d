"""Workers see events through: again after a failure, with one apology at the end, and through outages of the queue."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psycopg
import pytest

from bot.inbox import Claimed, Event, Inbox
from bot.worker import LATE_SECONDS, MOST_ATTEMPTS, Worker
from core.database import Database
from tests.eventually import eventually


class Desk:
    """A handler that fails `failures` times, and waits at a gate where it has one."""

    def __init__(self, *, failures: int = 0, gate: asyncio.Event | None = None) -> None:
        self.handled: list[int] = []
        self.apologies: list[int] = []
        self.begun = asyncio.Event()
        self._failures = failures
        self._gate = gate

    async def handle(self, claimed: Claimed) -> None:
        self.begun.set()
        if self._gate:
            await self._gate.wait()
        if len(self.handled) < self._failures:
            self.handled.append(claimed.id)
            raise ValueError("the lamp is broken")
        self.handled.append(claimed.id)

    async def give_up(self, claimed: Claimed) -> bool:
        self.apologies.append(claimed.id)
        raise ConnectionError("the platform is away too")

    async def find_answered(self, claimed: Claimed) -> bool:
        self.apologies.append(claimed.id)
        return True


def make_worker(inbox: Inbox, desk: Desk, *, concurrency: int = 2) -> Worker:
    return Worker(inbox=inbox, handlers={"question": desk.handle}, give_up=desk.give_up, concurrency=concurrency)


@asynccontextmanager
async def working(worker: Worker) -> AsyncGenerator[None]:
    await worker.start()
    try:
        yield
    finally:
        await worker.stop()


def hold_up_the_thread() -> None:
    time.sleep(2 * LATE_SECONDS)


async def receive(inbox: Inbox, key: str = "e1", conversation: str = "c1") -> int:
    return (await inbox.receive(Event("web", key, conversation, "question", {"text": "Why?"}))).id


async def skip_pauses(database: Database) -> None:
    await database.execute(b"UPDATE inbox SET available_at = now()")


async def test_an_event_is_handled_and_done(database: Database) -> None:
    inbox, desk = Inbox(database), Desk()
    number = await receive(inbox)
    async with working(make_worker(inbox, desk)):

        async def is_done() -> bool:
            return await inbox.count_open() == 0

        await eventually(is_done)
    assert desk.handled == [number]


async def test_without_events_a_turn_does_nothing(database: Database) -> None:
    assert not await make_worker(Inbox(database), Desk()).turn()


async def test_nothing_is_begun_while_the_thread_is_behind(database: Database) -> None:
    """Acknowledgements share it."""
    inbox, desk = Inbox(database), Desk()
    await receive(inbox)
    worker = make_worker(inbox, desk)
    await worker.start()
    until = time.monotonic() + 1
    while time.monotonic() < until:
        hold_up_the_thread()
        await asyncio.sleep(0)
    was_begun = desk.begun.is_set()
    await asyncio.wait_for(desk.begun.wait(), 10)
    await worker.stop()
    assert not was_begun


async def test_a_failed_event_is_tried_again_after_a_pause(database: Database) -> None:
    inbox, desk = Inbox(database), Desk(failures=1)
    worker, number = make_worker(inbox, desk), await receive(inbox)
    assert [await worker.turn(), await worker.turn()] == [True, False]
    await skip_pauses(database)
    assert await worker.turn()
    assert (desk.handled, await inbox.count_open()) == ([number, number], 0)


async def test_pauses_double(database: Database) -> None:
    inbox, pauses = Inbox(database), list[float]()
    worker = make_worker(inbox, Desk(failures=3))
    await receive(inbox)
    for _ in range(3):
        await worker.turn()
        rows = await database.fetch_dicts(b"SELECT extract(epoch FROM available_at - now())::float AS pause FROM inbox")
        pauses.append(rows[0]["pause"])
        await skip_pauses(database)
    # 2, 4 and 8 seconds, less what the look itself took.
    assert all(0 <= wanted - pause < wanted / 2 for wanted, pause in zip((2, 4, 8), pauses, strict=True))


async def test_after_five_attempts_one_apology_is_made_and_the_event_is_buried(database: Database) -> None:
    inbox, desk = Inbox(database), Desk(failures=100)
    worker, number = make_worker(inbox, desk), await receive(inbox)
    for _ in range(MOST_ATTEMPTS + 2):
        await worker.turn()
        await skip_pauses(database)
    rows = await database.fetch_dicts(b"SELECT attempts, error, buried_at IS NOT NULL AS buried FROM inbox")
    assert (desk.handled, desk.apologies) == ([number] * 5, [number])
    assert rows == [{"attempts": 5, "error": "ValueError: the lamp is broken", "buried": True}]


async def test_an_answered_event_is_not_buried_while_the_queue_is_away(database: Database) -> None:
    """It stays open until the queue takes that it is done, and counts as done then."""
    inbox, desk = Inbox(database), Desk(failures=100)
    worker = Worker(inbox=inbox, handlers={"question": desk.handle}, give_up=desk.find_answered, concurrency=1)
    await receive(inbox)
    for _ in range(MOST_ATTEMPTS - 1):
        await worker.turn()
        await skip_pauses(database)
    await database.execute(b"ALTER TABLE inbox ADD CONSTRAINT away CHECK (done_at IS NULL)")
    with pytest.raises(psycopg.errors.CheckViolation):
        await worker.turn()
    await database.execute(b"ALTER TABLE inbox DROP CONSTRAINT away")
    await database.execute(b"UPDATE inbox SET lease_expires_at = now()")
    await worker.turn()
    rows = await database.fetch_dicts(b"SELECT done_at IS NOT NULL AS done, buried_at IS NOT NULL AS buried FROM inbox")
    assert (rows, len(desk.apologies)) == ([{"done": True, "buried": False}], 2)


async def test_an_event_that_fails_does_not_hold_up_other_conversations(database: Database) -> None:
    inbox, desk = Inbox(database), Desk(failures=1)
    worker = make_worker(inbox, desk)
    failing, other = await receive(inbox, "e1", "c1"), await receive(inbox, "e2", "c2")
    await worker.turn()
    await worker.turn()
    assert desk.handled == [failing, other]


async def test_stopping_finishes_what_is_under_way_and_begins_nothing_new(database: Database) -> None:
    gate = asyncio.Event()
    inbox, desk = Inbox(database), Desk(gate=gate)
    worker, first = make_worker(inbox, desk, concurrency=1), await receive(inbox)
    await worker.start()
    await asyncio.wait_for(desk.begun.wait(), 15)
    stopping = asyncio.create_task(worker.stop())
    await receive(inbox, "e2")
    gate.set()
    await stopping
    assert (desk.handled, await inbox.count_open()) == ([first], 1)


async def test_what_takes_too_long_is_handed_over_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.worker.STOP_SECONDS", 0.1)
    inbox, desk = Inbox(database), Desk(gate=asyncio.Event())
    worker = make_worker(inbox, desk)
    await receive(inbox)
    await worker.start()
    await asyncio.wait_for(desk.begun.wait(), 15)
    await worker.stop()
    rows = await database.fetch_dicts(b"SELECT attempts, done_at, error FROM inbox")
    taken = await inbox.claim("the next")
    assert (rows, taken is not None) == ([{"attempts": 0, "done_at": None, "error": None}], True)


async def test_a_worker_that_lost_its_event_stops_and_changes_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.LEASE_SECONDS", 0.15)
    inbox, desk = Inbox(database), Desk(gate=asyncio.Event())
    await receive(inbox)
    turn = asyncio.create_task(make_worker(inbox, desk).turn())
    await asyncio.wait_for(desk.begun.wait(), 15)
    await database.execute(b"UPDATE inbox SET claimed_by = 'the next', attempts = attempts + 1")
    assert await asyncio.wait_for(turn, 15)
    rows = await database.fetch_dicts(b"SELECT claimed_by, attempts, done_at, error FROM inbox")
    assert (desk.handled, rows) == ([], [{"claimed_by": "the next", "attempts": 2, "done_at": None, "error": None}])


async def test_a_long_answer_keeps_its_lease(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.worker.LEASE_SECONDS", 0.15)
    gate = asyncio.Event()
    inbox, desk = Inbox(database), Desk(gate=gate)
    number = await receive(inbox)
    async with working(make_worker(inbox, desk)):
        await asyncio.wait_for(desk.begun.wait(), 15)
        await database.execute(b"UPDATE inbox SET lease_expires_at = now() + interval '1 second'")

        async def is_extended() -> bool:
            rows = await database.fetch_dicts(b"SELECT lease_expires_at > now() + interval '20 s' AS kept FROM inbox")
            return rows[0]["kept"]

        await eventually(is_extended)
        gate.set()
    assert desk.handled == [number]


async def test_an_outage_of_the_queue_is_waited_out(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    inbox, desk = Inbox(database), Desk()
    number = await receive(inbox)
    await database.execute(b"ALTER TABLE inbox RENAME TO mislaid")
    async with working(make_worker(inbox, desk, concurrency=1)):

        async def has_failed() -> bool:
            return "the inbox could not be read" in caplog.messages

        await eventually(has_failed)
        await database.execute(b"ALTER TABLE mislaid RENAME TO inbox")

        async def is_handled() -> bool:
            return desk.handled == [number]

        await eventually(is_handled)
