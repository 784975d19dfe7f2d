"""Stages of work that overlap: each runs ahead of the next by a bounded number of items, in order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_END = object()


async def run_ahead(source: AsyncGenerator[Item], ahead: int) -> AsyncGenerator[Item]:
    """Items of `source`, which goes on in a task of its own until `ahead` of them wait to be taken.

    An error of the source comes after the items before it. Close it (`aclosing`), and the source is closed too.
    """
    queue: asyncio.Queue[Item | object] = asyncio.Queue(ahead)

    async def fill() -> None:
        async with aclosing(source):
            try:
                async for item in source:
                    await queue.put(item)
            except Exception:
                await queue.put(_END)
                raise
            await queue.put(_END)

    filling = asyncio.create_task(fill())
    try:
        while (item := await queue.get()) is not _END:
            yield item  # pyright: ignore[reportReturnType]  all but the end came from the source
        await filling
    finally:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)


async def map_ahead(
    function: Callable[[Item], Awaitable[Result]], source: AsyncGenerator[Item], ahead: int
) -> AsyncGenerator[tuple[Item, Result]]:
    """Each item with its result, in order, while the results of up to `ahead` later items are under way.

    An error of the source comes after the items before it.
    """
    under_way: deque[tuple[Item, asyncio.Future[Result]]] = deque()
    failed: Exception | None = None
    try:
        async with aclosing(source):
            while True:
                try:
                    item = await anext(source)
                except StopAsyncIteration:
                    break
                except Exception as error:
                    failed = error
                    break
                under_way.append((item, asyncio.ensure_future(function(item))))
                if len(under_way) > ahead:
                    first, result = under_way.popleft()
                    yield first, await result
        while under_way:
            first, result = under_way.popleft()
            yield first, await result
        if failed:
            raise failed
    finally:
        for _, result in under_way:
            result.cancel()
        await asyncio.gather(*(result for _, result in under_way), return_exceptions=True)
