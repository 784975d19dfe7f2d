"""Stopped by the one who asked: the generation ends at the model server, and what was said is kept."""

import asyncio

import pytest

from bot.draft import Draft, keep_stopped
from bot.inbox import Event, Inbox
from bot.stops import StoppedError, Stops
from core.database import Database
from core.model_server import Generation
from core.records import Outcome
from tests.bot.assistant import LEAVE
from tests.bot.test_answer import tell
from tests.eventually import eventually

ANN = "user:ann"


class Work:
    """Work that goes on until it is cancelled."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.was_cancelled = False

    async def go_on(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.was_cancelled = True


async def receive(database: Database) -> int:
    """A stored question of Ann's."""
    event = Event("web", "e1", "c1", "question", {"text": "How many days?", "person": ANN})
    return (await Inbox(database).receive(event)).id


def draft(text: str) -> Draft:
    """An answer under way, so far."""
    return Draft(Outcome(1, "", "stopped", passages=[LEAVE]), Generation(text=text), shown=text, pieces=3)


async def test_work_that_nobody_stops_ends_as_it_ends(database: Database) -> None:
    async def work() -> str:
        return "done"

    stops = Stops(database)
    assert [await stops.run(await receive(database), work()), await stops.run(None, work())] == ["done", "done"]


async def test_an_error_of_the_work_stays_its_own(database: Database) -> None:
    async def work() -> None:
        raise ValueError("the lamp is broken")

    with pytest.raises(ValueError, match="the lamp is broken"):
        await Stops(database).run(await receive(database), work())


async def test_a_wish_stored_by_another_process_cancels_the_work(database: Database) -> None:
    work, number = Work(), await receive(database)
    running = asyncio.create_task(Stops(database).run(number, work.go_on()))
    await work.begun.wait()
    assert await Stops(database).request(number, ANN)
    with pytest.raises(StoppedError):
        await asyncio.wait_for(running, 10)
    assert work.was_cancelled


async def test_a_wish_stored_before_the_work_began_cancels_it(database: Database) -> None:
    number, stops = await receive(database), Stops(database)
    await stops.request(number, ANN)
    with pytest.raises(StoppedError):
        await asyncio.wait_for(stops.run(number, asyncio.Event().wait()), 10)


async def test_only_the_asker_may_stop(database: Database) -> None:
    number, stops = await receive(database), Stops(database)
    assert not await stops.request(number, "user:eve")
    assert await stops.request(number, ANN)


async def test_what_is_over_cannot_be_stopped(database: Database) -> None:
    number = await receive(database)
    await database.execute(b"UPDATE inbox SET done_at = now()")
    assert not await Stops(database).request(number, ANN)


async def test_a_worker_that_stops_takes_its_work_along(database: Database) -> None:
    work = Work()
    running = asyncio.create_task(Stops(database).run(await receive(database), work.go_on()))
    await work.begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert work.was_cancelled


async def test_the_server_sees_the_end_and_the_text_so_far_is_kept(database: Database) -> None:
    gate = asyncio.Semaphore(3)
    number = await receive(database)
    async with tell(database, gate=gate, stall_seconds=10) as story:
        asking = asyncio.create_task(story.ask(inbox_id=number))

        async def is_under_way() -> bool:
            return gate.locked()

        await eventually(is_under_way)
        await Stops(database).request(number, ANN)
        told = await asyncio.wait_for(asking, 10)

        async def is_disconnected() -> bool:
            return story.model.disconnects == 1

        await eventually(is_disconnected)
    assert (told.finished.mode, told.finished.text, told.finished.notice) == (
        "stopped",
        "Employees have 23",
        "Stopped.",
    )
    stored = told.stored
    assert (stored.mode, stored.generated, stored.completion_tokens) == ("stopped", "Employees have 23", 3)
    assert stored.messages and stored.first_token_seconds and stored.answer_seconds


async def test_before_the_first_token_the_answer_says_so_itself(database: Database) -> None:
    number = await receive(database)
    async with tell(database, gate=asyncio.Semaphore(0)) as story:
        await Stops(database).request(number, ANN)
        told = await story.ask(inbox_id=number)
    assert (told.finished.mode, told.finished.text, told.finished.notice) == (
        "stopped",
        "Stopped before the answer began.",
        "",
    )
    assert (told.stored.generated, told.stored.completion_tokens) == (None, None)


def test_citations_that_had_come_are_kept_and_a_broken_one_goes() -> None:
    outcome = keep_stopped(draft("Employees have 23 days. [1] Unused days [9] expire [1"), "en")
    assert (outcome.answer, outcome.citations) == ("Employees have 23 days. [1] Unused days [9] expire", [1])


def test_nothing_but_blanks_is_no_answer() -> None:
    outcome = keep_stopped(draft(" \n"), "ko")
    assert (outcome.answer, outcome.mode_reason) == ("답변이 시작되기 전에 중지했습니다.", "stopped_early")
