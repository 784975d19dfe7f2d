"""Turns of work beside everything else: one after the other, whatever becomes of one of them."""

import asyncio
import contextlib
import logging

import pytest

from core.background import BackgroundWork
from core.errors import InvalidInputError
from tests.eventually import eventually


class Counting(BackgroundWork):
    """Fails in its first two turns, as a room would and as a mistake would, and is done after the fourth."""

    def __init__(self) -> None:
        super().__init__("counting", pause_seconds=0.001)
        self.turns = 0

    async def turn(self) -> bool:
        self.turns += 1
        if self.turns == 1:
            raise InvalidInputError("expected a number")
        if self.turns == 2:
            raise ZeroDivisionError
        return self.turns == 4

    async def has_ended(self) -> bool:
        return not self.is_running


class Endless(BackgroundWork):
    """Works on its one turn until it is cut short."""

    def __init__(self) -> None:
        super().__init__("waiting", pause_seconds=0)
        self.begun = asyncio.Event()
        self.was_cut_short = False

    async def turn(self) -> bool:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.was_cut_short = True
        return True


class Deaf(BackgroundWork):
    """Swallows that it is told to end, as `asyncio.wait_for` may."""

    def __init__(self) -> None:
        super().__init__("listening", pause_seconds=3600)
        self.begun = asyncio.Event()

    async def turn(self) -> bool:
        self.begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return False


async def test_a_turn_that_fails_is_logged_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    counting = Counting()
    await counting.start()
    await eventually(counting.has_ended)
    await counting.stop()
    assert counting.turns == 4
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]


async def test_a_turn_that_is_under_way_is_cut_short() -> None:
    endless = Endless()
    await endless.start()
    await endless.begun.wait()
    assert endless.is_running
    await endless.stop()
    assert (endless.was_cut_short, endless.is_running) == (True, False)


async def test_what_never_started_can_be_stopped() -> None:
    counting = Counting()
    await counting.stop()
    assert (counting.turns, counting.is_running) == (0, False)


async def test_work_that_does_not_hear_that_it_shall_end_ends_after_its_turn() -> None:
    deaf = Deaf()
    await deaf.start()
    await deaf.begun.wait()
    await asyncio.wait_for(deaf.stop(), 10)
    assert not deaf.is_running
