"""Overlapping stages: in order, bounded, errors after what came before them, nothing left running."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from retrieval.pipeline import map_ahead, run_ahead


class Source:
    """The numbers from 0, counting what was taken and whether it was closed."""

    def __init__(self, end: int = 100, *, fails: bool = False) -> None:
        self.taken = 0
        self.closed = False
        self._end, self._fails = end, fails

    async def items(self) -> AsyncGenerator[int]:
        try:
            while self.taken < self._end:
                self.taken += 1
                yield self.taken - 1
            if self._fails:
                raise ValueError("the end")
        finally:
            self.closed = True


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_source_runs_ahead_and_no_further() -> None:
    source = Source()
    async with aclosing(run_ahead(source.items(), 2)) as items:
        assert await anext(items) == 0
        await settle()
        # One was taken, two wait, and one stands before the full queue.
        assert source.taken == 4
    assert source.closed


async def test_everything_comes_in_order() -> None:
    assert [item async for item in run_ahead(Source(7).items(), 2)] == list(range(7))


async def test_an_error_comes_after_the_items_before_it() -> None:
    seen: list[int] = []
    with pytest.raises(ValueError, match="the end"):
        async for item in run_ahead(Source(3, fails=True).items(), 2):
            seen.append(item)
    assert seen == [0, 1, 2]


async def test_results_come_in_order_whichever_is_ready_first() -> None:
    async def wait(item: int) -> int:
        for _ in range(10 - item):
            await asyncio.sleep(0)
        return item * 2

    found = [pair async for pair in map_ahead(wait, Source(5).items(), 2)]
    assert found == [(0, 0), (1, 2), (2, 4), (3, 6), (4, 8)]


async def test_what_is_under_way_is_finished_before_an_error_of_the_source() -> None:
    async def double(item: int) -> int:
        await asyncio.sleep(0)
        return item * 2

    seen: list[int] = []
    with pytest.raises(ValueError, match="the end"):
        async for _, result in map_ahead(double, Source(3, fails=True).items(), 2):
            seen.append(result)
    assert seen == [0, 2, 4]


async def test_work_under_way_is_cancelled_when_its_taker_stops() -> None:
    ended: list[int] = []

    async def wait(item: int) -> int:
        try:
            await asyncio.sleep(0 if item == 0 else 3600)
        finally:
            ended.append(item)
        return item

    source = Source()
    with pytest.raises(RuntimeError, match="no more"):
        async with aclosing(run_ahead(map_ahead(wait, source.items(), 2), 1)) as pairs:
            async for _ in pairs:
                await settle()
                raise RuntimeError("no more")
    assert (sorted(ended), source.closed) == ([0, 1, 2, 3], True)
