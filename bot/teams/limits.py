"""Teams' rates: what a 429 or 412 asks for is obeyed in that conversation, and no other is held up."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

# Conversations remembered; one that is forgotten begins anew, which a 429 corrects.
MOST_PLACES = 10_000

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class _Place:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.closed_until = 0.0


class Limits:
    """Where calls of one conversation wait for their turn, one after the other."""

    def __init__(self, *, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._places: OrderedDict[str, _Place] = OrderedDict()

    @asynccontextmanager
    async def turn(self, conversation_id: str) -> AsyncGenerator[None]:
        """Keep the next call of this conversation waiting until this one is over."""
        async with self._find(conversation_id).lock:
            yield

    def close(self, conversation_id: str, seconds: float) -> None:
        """Teams refused for now: nothing more here for so long."""
        self._find(conversation_id).closed_until = self._clock() + seconds

    def find_pause(self, conversation_id: str) -> float:
        """Seconds until the conversation is open again; 0 where it is."""
        return max(0.0, self._find(conversation_id).closed_until - self._clock())

    async def wait(self, conversation_id: str) -> None:
        """Wait until the conversation is open; for the one whose turn it is."""
        if pause := self.find_pause(conversation_id):
            await self._sleep(pause)

    def _find(self, conversation_id: str) -> _Place:
        if (place := self._places.get(conversation_id)) is None:
            place = self._places[conversation_id] = _Place()
        self._places.move_to_end(conversation_id)
        if len(self._places) > MOST_PLACES:
            oldest = next(iter(self._places))
            if not self._places[oldest].lock.locked():
                del self._places[oldest]
        return place
