"""Questions side by side: where one fails, nothing of the others goes on behind its back."""

import asyncio

import pytest

from bot.side_by_side import take_answers


async def test_those_beside_a_failed_one_end_with_it() -> None:
    ended: list[str] = []

    async def fail() -> None:
        raise ValueError("away")

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waiting")

    with pytest.raises(ValueError, match="away"):
        async for _ in take_answers([wait(), fail(), wait()]):
            pass
    assert ended == ["waiting", "waiting"]
