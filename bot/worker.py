"""Workers claim events from the inbox and see them through: several at once, one at a time per conversation."""

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from opentelemetry.trace import SpanKind, get_current_span

from bot.inbox import LEASE_SECONDS, Claimed, Inbox, Kind
from core.background import was_cancelled
from core.metrics import BUSY, HANDLED, SLOTS, WAIT_SECONDS
from core.tracing import fail, note_past, span

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
IDLE_SECONDS = 0.5
PAUSE_SECONDS = 2.0
STOP_SECONDS = 10.0
HAND_OVER_SECONDS = 2.0
# A thread that comes so much later than asked is behind; what waits is begun all the same after a while.
LOOK_SECONDS, LATE_SECONDS, LONGEST_WAY_SECONDS = 0.005, 0.03, 5.0

Handler = Callable[[Claimed], Awaitable[None]]
GiveUp = Callable[[Claimed], Awaitable[bool]]


class Worker:
    """A number of slots that work on events until stopped.

    Args:
        handlers: what to do with each kind of event; called again after a failure, so it must bear repetition.
        give_up: tells the person, once, that all attempts failed; True where one of them did answer after all.
    """

    def __init__(self, *, inbox: Inbox, handlers: Mapping[Kind, Handler], give_up: GiveUp, concurrency: int) -> None:
        self._inbox = inbox
        self._handlers = handlers
        self._give_up = give_up
        self._concurrency = concurrency
        self._name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self._slots: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self) -> None:
        """Begin to claim."""
        self._stopping = False
        SLOTS.set(self._concurrency)
        self._slots = [asyncio.create_task(self.loop(), name=f"worker {n}") for n in range(self._concurrency)]

    async def stop(self) -> None:
        """Finish what is under way within a grace period; the rest is handed to other workers at once."""
        self._stopping = True
        if not self._slots:
            return
        _, late = await asyncio.wait(self._slots, timeout=STOP_SECONDS)
        for slot in late:
            slot.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        self._slots = []

    async def loop(self) -> None:
        """Work while there is any, then wait; an error of the queue itself is waited out."""
        while not self._stopping:
            try:
                await _give_way()
                if not self._stopping and not await self.turn():
                    await self._inbox.wait_for_news(IDLE_SECONDS)
            except Exception:
                log.exception("the inbox could not be read")
                await asyncio.sleep(PAUSE_SECONDS)

    async def turn(self) -> bool:
        """Claim one event and see it through for as long as it is ours; False where there was none."""
        held = await self._claim()
        if held is None:
            return False
        claimed, until = held
        work = asyncio.create_task(self._work(claimed))
        keeping = asyncio.create_task(self._keep(claimed, until))
        try:
            await asyncio.wait({work, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            else:
                log.warning("a lease was lost, another worker goes on", extra={"inbox_id": claimed.id})
        except asyncio.CancelledError:
            await _end(work)
            await self._hand_over(claimed)
            raise
        finally:
            await _end(work, keeping)
        return True

    async def _claim(self) -> tuple[Claimed, float] | None:
        """An event, and the moment on this machine's clock until which it is surely ours."""
        asked_at = time.monotonic()
        claimed = await self._inbox.claim(self._name)
        if claimed and time.monotonic() - asked_at > LEASE_SECONDS / 3:
            # The database was away, and the lease may have run out before its answer came.
            asked_at = time.monotonic()
            if not await self._inbox.extend(claimed):
                return None
        return (claimed, asked_at + LEASE_SECONDS) if claimed else None

    async def _work(self, claimed: Claimed) -> None:
        note_past("claim", claimed.received_at, parent=claimed.traceparent)
        if claimed.attempts == 1:
            WAIT_SECONDS.observe((datetime.now(UTC) - claimed.received_at).total_seconds())
        told = {
            "nightbake.platform": claimed.platform,
            "nightbake.kind": claimed.kind,
            "nightbake.inbox_id": claimed.id,
            "nightbake.attempt": claimed.attempts,
        }
        step = span(f"handle {claimed.kind}", told, parent=claimed.traceparent, kind=SpanKind.CONSUMER)
        with BUSY.track_inprogress(), step:
            await self._see_through(claimed)

    async def _see_through(self, claimed: Claimed) -> None:
        """Handle it; a failure is noted for the next attempt."""
        try:
            if claimed.attempts > MOST_ATTEMPTS:
                raise RuntimeError(f"{MOST_ATTEMPTS} attempts ended without a word")
            await self._handlers[claimed.kind](claimed)
            await self._inbox.finish(claimed)
            HANDLED.labels(claimed.kind, "done").inc()
        except Exception as error:
            fail(get_current_span(), error)
            log.exception("an event failed", extra={"inbox_id": claimed.id, "attempt": claimed.attempts})
            await self._fail(claimed, error)

    async def _fail(self, claimed: Claimed, error: Exception) -> None:
        """Try again later with growing pauses; after the last attempt tell the person and bury the event."""
        description = f"{type(error).__name__}: {error}"[:500]
        if claimed.attempts < MOST_ATTEMPTS:
            pause = PAUSE_SECONDS * 2 ** (claimed.attempts - 1)
            await self._inbox.retry(claimed, error=description, pause_seconds=pause)
            HANDLED.labels(claimed.kind, "retried").inc()
            return
        if await self._ends_well(claimed):
            await self._inbox.finish(claimed)
            HANDLED.labels(claimed.kind, "done").inc()
        else:
            await self._inbox.bury(claimed, error=description)
            HANDLED.labels(claimed.kind, "buried").inc()

    async def _ends_well(self, claimed: Claimed) -> bool:
        """Give up; True where one of the attempts did answer after all."""
        try:
            return await self._give_up(claimed)
        except Exception:
            log.exception("the apology could not be delivered", extra={"inbox_id": claimed.id})
            return False

    async def _hand_over(self, claimed: Claimed) -> None:
        """Give the event back as it was claimed; where that fails, its lease gives it back."""
        try:
            async with asyncio.timeout(HAND_OVER_SECONDS):
                await self._inbox.release(claimed)
        except Exception:
            log.warning("an event could not be handed over", extra={"inbox_id": claimed.id})

    async def _keep(self, claimed: Claimed, until: float) -> None:
        """Extend the lease again and again; returns when another worker has the event, or may have it."""
        while not was_cancelled():
            await asyncio.sleep(LEASE_SECONDS / 3)
            asked_at = time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, until - asked_at)):
                    if not await self._inbox.extend(claimed):
                        return
                until = asked_at + LEASE_SECONDS
            except TimeoutError:
                return
            except Exception:
                log.warning("a lease could not be extended", extra={"inbox_id": claimed.id})


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _give_way() -> None:
    """Begin nothing while this thread is behind: what comes in shares it, and must be acknowledged within seconds."""
    began = before = time.monotonic()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now = time.monotonic()
        if now - before < LOOK_SECONDS + LATE_SECONDS or now - began > LONGEST_WAY_SECONDS:
            return
        before = now
