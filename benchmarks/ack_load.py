"""A platform's side of a benchmark: events at a fixed rate, some of them twice, and what each ack took.

Events are sent when they are due, whether or not earlier ones were answered, and an ack is timed from that moment: a
service that falls behind is not spared.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

# A copy comes at once or within this time.
COPY_SECONDS = 2.0
TAKEN_STATUSES = {200, 201, 202}

# What is stored counts by its key in the inbox, a question by the thread or chat that is to hold its answer; what is
# ignored is looked at and dropped.
Kind = Literal["question", "stored", "ignored"]
# Of a body and whether it was sent before.
MakeHeaders = Callable[[bytes, bool], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Made:
    """An event; `key` is where it must be found afterwards."""

    kind: Kind
    key: str
    body: bytes


class Events(Protocol):
    """Makes events that were never made before."""

    def make(self) -> Made:
        """The next one, of a kind by chance."""
        ...


@dataclass(frozen=True, slots=True)
class Load:
    """How events are sent.

    Attributes:
        rate: events a second.
        copied: share of the events that come twice.
        ack_seconds: after which the platform gives up and would send again.
    """

    rate: int
    seconds: float
    copied: float
    ack_seconds: float
    make_headers: MakeHeaders


@dataclass(slots=True)
class Acks:
    """What came of a rate.

    Attributes:
        latencies: seconds from when an event was due to its ack.
        acknowledged: keys of events that were acknowledged at least once.
        refused: deliveries that were answered otherwise, or not in time; the platform would send them again.
    """

    sent: int = 0
    copies: int = 0
    latencies: list[float] = field(default_factory=list[float])
    acknowledged: defaultdict[Kind, set[str]] = field(default_factory=lambda: defaultdict(set))
    refused: int = 0

    def milliseconds(self, share: float) -> float:
        """Latency that this share of the acks stayed within (nearest rank)."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


async def send_events(url: str, events: Events, load: Load, *, seed: int) -> Acks:
    """Send at a rate for a while; returns when every delivery was answered or given up.

    Args:
        seed: of what comes twice, and when.
    """
    acks, chance = Acks(), random.Random(seed)
    timeout, connector = ClientTimeout(total=load.ack_seconds), TCPConnector(limit=0)
    async with (
        ClientSession(timeout=timeout, connector=connector) as session,
        asyncio.TaskGroup() as deliveries,
    ):

        async def deliver(made: Made, due: float, *, is_copy: bool) -> None:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            try:
                headers = load.make_headers(made.body, is_copy)
                async with session.post(url, data=made.body, headers=headers) as response:
                    await response.read()
                    is_taken = response.status in TAKEN_STATUSES
            except (ClientError, TimeoutError):
                is_taken = False
            acks.latencies.append(time.perf_counter() - due)
            if is_taken:
                acks.acknowledged[made.kind].add(made.key)
            else:
                acks.refused += 1

        began = time.perf_counter()
        for number in range(int(load.rate * load.seconds)):
            due = began + number / load.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            made = events.make()
            acks.sent += 1
            deliveries.create_task(deliver(made, due, is_copy=False))
            if chance.random() < load.copied:
                acks.copies += 1
                pause = chance.choice((0.0, chance.uniform(0, COPY_SECONDS)))
                deliveries.create_task(deliver(made, due + pause, is_copy=True))
    return acks
