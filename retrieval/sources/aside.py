"""A walk that blocks, taken aside by a thread in batches, so that the service goes on meanwhile."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from itertools import islice

from retrieval.sources.source import Listed

_BATCH = 512


async def list_aside(walk: Generator[Listed]) -> AsyncGenerator[Listed]:
    """What a walk yields; the walk is closed with this, in its thread too. Close this with `aclosing`."""
    try:
        while batch := await asyncio.to_thread(_take, walk):
            for one in batch:
                yield one
    finally:
        await asyncio.to_thread(walk.close)


def _take(walk: Generator[Listed]) -> list[Listed]:
    return list(islice(walk, _BATCH))
