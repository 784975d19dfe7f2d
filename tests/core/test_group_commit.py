"""Writes that arrive together share a commit; each caller still gets its own result or its own error."""

import asyncio
from collections.abc import Sequence

import pytest

from core.group_commit import MAX_BATCH, GroupCommit


class Shelf:
    """Doubles numbers; refuses 13; waits at a gate so that a test decides what arrives meanwhile."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.started = asyncio.Event()
        self.gate = asyncio.Semaphore(0)

    async def write(self, rows: Sequence[int]) -> list[int]:
        self.batches.append(list(rows))
        self.started.set()
        await self.gate.acquire()
        if 13 in rows:
            raise ValueError("13 is refused")
        return [row * 2 for row in rows]

    def open(self) -> None:
        for _ in range(1000):
            self.gate.release()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def submit_all(group: GroupCommit[int, int], rows: Sequence[int]) -> list[asyncio.Task[int]]:
    """Tasks that have all reached their place in the queue."""
    tasks = [asyncio.create_task(group.submit(row)) for row in rows]
    await asyncio.sleep(0)
    return tasks


async def test_a_lone_caller_is_written_at_once(shelf: Shelf) -> None:
    shelf.open()
    assert await asyncio.wait_for(GroupCommit(shelf.write).submit(1), 30) == 2


async def test_what_arrives_during_a_commit_shares_the_next(shelf: Shelf) -> None:
    group = GroupCommit(shelf.write)
    first = await submit_all(group, [1])
    await shelf.started.wait()
    later = await submit_all(group, [2, 3, 4])
    shelf.open()
    assert await asyncio.gather(*first, *later) == [2, 4, 6, 8]
    assert shelf.batches == [[1], [2, 3, 4]]


async def test_a_commit_has_a_largest_size(shelf: Shelf) -> None:
    shelf.open()
    tasks = await submit_all(GroupCommit(shelf.write), range(100, 101 + MAX_BATCH))
    await asyncio.gather(*tasks)
    assert [len(batch) for batch in shelf.batches] == [256, 1]


async def test_one_bad_row_fails_alone(shelf: Shelf) -> None:
    shelf.open()
    tasks = await submit_all(GroupCommit(shelf.write), [12, 13, 14])
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(result) for result in results] == ["24", "13 is refused", "28"]


async def test_a_bad_row_is_followed_by_good_ones(shelf: Shelf) -> None:
    shelf.open()
    group = GroupCommit(shelf.write)
    with pytest.raises(ValueError, match="13 is refused"):
        await group.submit(13)
    assert await group.submit(5) == 10


async def test_a_caller_that_leaves_takes_no_other_along(shelf: Shelf) -> None:
    group = GroupCommit(shelf.write)
    first, second, third = await submit_all(group, [1, 2, 3])
    await shelf.started.wait()
    first.cancel()
    shelf.open()
    assert await asyncio.gather(second, third) == [4, 6]
    assert first.cancelled()


async def test_a_caller_that_leaves_before_its_commit_takes_no_other_along(shelf: Shelf) -> None:
    group = GroupCommit(shelf.write)
    (first,) = await submit_all(group, [1])
    await shelf.started.wait()
    second, third = await submit_all(group, [2, 3])
    second.cancel()
    shelf.open()
    assert await asyncio.gather(first, third) == [2, 6]
