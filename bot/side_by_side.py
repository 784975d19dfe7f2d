"""Several questions to the model server at a time: answers written side by side take hardly longer than one."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable
from itertools import islice
from typing import TypeVar

Answer = TypeVar("Answer")

AT_ONCE = 4


async def take_answers(asked: Iterable[Awaitable[Answer]]) -> AsyncGenerator[Answer]:
    """The answers in order; of the questions, which may be made as they are taken, no more than `AT_ONCE` are out.

    Where one fails, those beside it end before it is told: what they ask with may be closed right after.
    """
    waiting = iter(asked)
    while group := [asyncio.ensure_future(one) for one in islice(waiting, AT_ONCE)]:
        try:
            answers = await asyncio.gather(*group)
        finally:
            for one in group:
                one.cancel()
            await asyncio.gather(*group, return_exceptions=True)
        for answer in answers:
            yield answer
