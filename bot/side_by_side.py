"""Several questions to the model server at a time: answers written side by side take hardly longer than one."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable
from itertools import islice
from typing import TypeVar

Answer = TypeVar("Answer")

AT_ONCE = 4


async def take_answers(asked: Iterable[Awaitable[Answer]]) -> AsyncGenerator[Answer]:
    """The answers in order; of the questions, which may be made as they are taken, no more than `AT_ONCE` are out."""
    waiting = iter(asked)
    while group := list(islice(waiting, AT_ONCE)):
        for answer in await asyncio.gather(*group):
            yield answer
