"""Slack's rates: a queue for each method and channel, so that one busy channel holds up no other.

Slack takes about one message a second in a channel, with short bursts; a 429 says for how long a method is closed
there.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

# Posts into one channel: this many at once, and one a second after that.
BURST = 3
POSTS_A_SECOND = 1.0
# What counts as a message in a channel.
POSTING_METHODS = {"chat.postMessage", "chat.postEphemeral", "chat.startStream"}
# Places remembered; one that is forgotten begins anew, which a 429 corrects.
MOST_PLACES = 10_000

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class Bucket:
    """Tokens that fill up with time; who finds none is told how long to wait, in turn."""

    def __init__(self, clock: Clock, *, burst: int = BURST, a_second: float = POSTS_A_SECOND) -> None:
        self._clock = clock
        self._burst = burst
        self._a_second = a_second
        self._tokens = float(burst)
        self._seen_at = clock()

    def take(self) -> float:
        """Seconds until the token that was taken is there; 0 where it is."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._seen_at) * self._a_second)
        self._seen_at = now
        self._tokens -= 1
        return max(0.0, -self._tokens / self._a_second)


class _Place:
    """One method in one channel of a workspace."""

    def __init__(self, clock: Clock) -> None:
        self.lock = asyncio.Lock()
        self.bucket = Bucket(clock)
        self.closed_until = 0.0


class Limits:
    """Where calls wait for their turn."""

    def __init__(self, *, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._places: OrderedDict[tuple[str, str, str], _Place] = OrderedDict()

    @asynccontextmanager
    async def turn(self, team: str, method: str, channel: str) -> AsyncGenerator[None]:
        """Wait for the turn of this method in this channel, and keep the next one waiting until this one is over."""
        place = self._find(team, method, channel)
        async with place.lock:
            # All ways to post share the channel's pace.
            if method in POSTING_METHODS and (pause := self._find(team, "", channel).bucket.take()):
                await self._sleep(pause)
            if (pause := place.closed_until - self._clock()) > 0:
                await self._sleep(pause)
            yield

    def is_closed(self, team: str, method: str, channel: str) -> bool:
        """Whether a call would have to wait for what a 429 asked."""
        return self._find(team, method, channel).closed_until > self._clock()

    def close(self, team: str, method: str, channel: str, seconds: float) -> None:
        """Slack said 429: nothing more of this method here for so long."""
        self._find(team, method, channel).closed_until = self._clock() + seconds

    async def wait(self, team: str, method: str, channel: str) -> None:
        """Wait until the method is open here again; for the one whose turn it is."""
        if (pause := self._find(team, method, channel).closed_until - self._clock()) > 0:
            await self._sleep(pause)

    def _find(self, team: str, method: str, channel: str) -> _Place:
        key = (team, method, channel)
        if (place := self._places.get(key)) is None:
            place = self._places[key] = _Place(self._clock)
        self._places.move_to_end(key)
        if len(self._places) > MOST_PLACES:
            oldest = next(iter(self._places))
            if not self._places[oldest].lock.locked():
                del self._places[oldest]
        return place
