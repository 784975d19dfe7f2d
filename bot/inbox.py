"""At-least-once delivery: an event is stored, then acknowledged, then claimed with a lease until it is done."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opentelemetry.trace import SpanKind

from core.database import Database
from core.group_commit import GroupCommit, to_json_rows
from core.metrics import RECEIVE_SECONDS, RECEIVED, REFUSED, REPEATED
from core.records import Platform
from core.sql import load_queries
from core.text import clean_text
from core.tracing import find_parent, span

QUERIES = load_queries(__file__)
LEASE_SECONDS = 30
# Longer than a worker waits before another attempt.
LONGEST_PAUSE_SECONDS = 60

NO_LIMITS = {
    "is_limited": False,
    "person_per_minute": 0,
    "person_waiting": 0,
    "workspace_per_minute": 0,
    "workspace_waiting": 0,
}

# Which handler an event is for, see `bot/app.py`.
Kind = str


@dataclass(frozen=True, slots=True)
class Event:
    """What a platform sent, in our words.

    Attributes:
        event_key: the platform's own id, the same at every delivery.
        conversation_key: answers within one conversation keep their order.
        payload: for a question `text`, `person` and what the reply needs; for feedback what `bot/handlers.py` reads.
    """

    platform: Platform
    event_key: str
    conversation_key: str
    kind: Kind
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an event is stored, and whether this delivery was the first.

    Attributes:
        refusal: the limit that a question meets; it is stored as one that was refused, or on the chat page not at all.
        again_at: when the limit lets in another one, where that is known.
    """

    id: int
    is_new: bool
    refusal: str | None = None
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """An event that this worker owns until its lease ends; `attempts` counts this one.

    Attributes:
        traceparent: of its receipt.
        notice_key: of the message that says its place in the line.
    """

    id: int
    platform: Platform
    conversation_key: str
    kind: Kind
    payload: dict[str, Any]
    attempts: int
    received_at: datetime
    claimed_by: str
    traceparent: str | None = None
    notice_key: str | None = None


@dataclass(frozen=True, slots=True)
class _Open:
    open: int


@dataclass(frozen=True, slots=True)
class _Arrival:
    event: Event
    traceparent: str | None


class Inbox:
    """The queue of events in PostgreSQL. Several processes may receive and claim at once.

    Args:
        limits: parameters of `receive`, see `bot/limits.py`; None sets no limits.
    """

    def __init__(self, database: Database, *, limits: Mapping[str, Any] | None = None) -> None:
        self._database = database
        self._limits = limits or NO_LIMITS
        self._receive = GroupCommit[_Arrival, Receipt](self._write)
        # Slots that wait, and whether something came while none did.
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._has_news = False

    async def receive(self, event: Event) -> Receipt:
        """Store an event; acknowledge only after this returns."""
        told = {"nightbake.platform": event.platform, "nightbake.kind": event.kind}
        with span("receive", told, kind=SpanKind.PRODUCER) as step, RECEIVE_SECONDS.time():
            receipt = await self._receive.submit(_Arrival(event, find_parent()))
            step.set_attribute("nightbake.inbox_id", receipt.id)
        if receipt.refusal:
            REFUSED.labels(event.platform, receipt.refusal).inc()
        elif receipt.is_new:
            RECEIVED.labels(event.platform, event.kind).inc()
        else:
            REPEATED.labels(event.platform).inc()
        if receipt.is_new:
            self._wake_one()
        return receipt

    async def wait_for_news(self, seconds: float) -> None:
        """Return when an event came in through this process, or after `seconds` to look for others' events.

        Of several that wait one is woken for each event: the others would ask the database in vain.
        """
        if self._has_news:
            self._has_news = False
            return
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            await asyncio.wait({waiting}, timeout=seconds)
        finally:
            if not waiting.done():
                self._waiting.remove(waiting)

    async def claim(self, worker: str) -> Claimed | None:
        """Own the oldest event that is free and whose conversation has no earlier one open."""
        parameters = {"worker": worker, "lease_seconds": LEASE_SECONDS, "pause_seconds": LONGEST_PAUSE_SECONDS}
        return await self._database.fetch_one(QUERIES["claim"], parameters, Claimed)

    async def extend(self, claimed: Claimed) -> bool:
        """Keep the lease while the work goes on; False where another worker has the event."""
        parameters = {**_name(claimed), "lease_seconds": LEASE_SECONDS}
        return await self._database.execute(QUERIES["extend"], parameters) == 1

    async def release(self, claimed: Claimed) -> None:
        """Give the event back at once, as if it had not been claimed."""
        await self._database.fetch_dicts(QUERIES["release"], _name(claimed))

    async def finish(self, claimed: Claimed) -> None:
        """The reply is complete; never deliver this event again. Changes nothing once another worker has it."""
        await self._database.fetch_dicts(QUERIES["finish"], _name(claimed))

    async def retry(self, claimed: Claimed, *, error: str, pause_seconds: float) -> None:
        """Give the event back, to be claimed again after a pause."""
        parameters = {**_name(claimed), "error": error, "pause_seconds": pause_seconds}
        await self._database.fetch_dicts(QUERIES["retry"], parameters)

    async def bury(self, claimed: Claimed, *, error: str) -> None:
        """Stop trying; the row stays for people to look at."""
        parameters = {**_name(claimed), "error": error}
        await self._database.fetch_dicts(QUERIES["bury"], parameters)

    async def count_open(self) -> int:
        """Events not yet done."""
        found = await self._database.fetch_one(QUERIES["count_open"], None, _Open)
        return found.open if found else 0

    def _wake_one(self) -> None:
        """A slot that works looks again when it is done, so what finds none waiting is left for the next that would."""
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._has_news = True

    async def _write(self, arrivals: Sequence[_Arrival]) -> list[Receipt]:
        rows = to_json_rows([_to_row(one.event, one.traceparent) for one in arrivals])
        parameters = {"rows": rows, **self._limits}
        return await self._database.fetch_all(QUERIES["receive"], parameters, Receipt)


def _to_row(event: Event, traceparent: str | None) -> dict[str, Any]:
    return {
        "platform": event.platform,
        "event_key": clean_text(event.event_key),
        "conversation_key": clean_text(event.conversation_key),
        "kind": event.kind,
        "payload": _clean(event.payload),
        "traceparent": traceparent,
    }


def _clean(value: Any) -> Any:
    """Every text inside, at any depth, fit for jsonb."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(key)): _clean(item) for key, item in value.items()}  # type: ignore[misc]
    if isinstance(value, list):
        return [_clean(item) for item in value]  # type: ignore[misc]
    return value


def _name(claimed: Claimed) -> dict[str, Any]:
    """One claim among all: the same worker may have the same event again, and not know yet that it lost it."""
    return {"id": claimed.id, "worker": claimed.claimed_by, "attempts": claimed.attempts}
