"""Slack's side of the benchmark: a stream of signed events at a fixed rate, some of them twice, and what each ack took.

Events are sent when they are due, whether or not earlier ones were answered, and an ack is timed from that moment: a
service that falls behind is not spared.
"""

import asyncio
import hashlib
import hmac
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from benchmarks.slack_service import SECRET

TEAM = "T0HOME"
# Slack gives up after 3 s and sends the event again.
ACK_SECONDS = 3.0
# A copy comes at once or within this time.
COPY_SECONDS = 2.0

Kind = Literal["question", "reaction", "chatter"]
# Of a hundred events. Chatter are posts in other people's threads, which are looked at and not stored.
MIX: dict[Kind, int] = {"question": 10, "reaction": 45, "chatter": 45}


@dataclass(frozen=True, slots=True)
class Made:
    """An event; `key` is where it must be found afterwards: a thread of Slack, or an event of the inbox."""

    kind: Kind
    key: str
    body: bytes


@dataclass(slots=True)
class Acks:
    """What came of a rate.

    Attributes:
        latencies: seconds from when an event was due to its ack.
        acknowledged: keys of events that were acknowledged at least once.
        refused: deliveries that were answered otherwise, or not in time; Slack would send them again.
    """

    sent: int = 0
    copies: int = 0
    latencies: list[float] = field(default_factory=list[float])
    acknowledged: dict[Kind, set[str]] = field(default_factory=lambda: {kind: set[str]() for kind in MIX})
    refused: int = 0

    def milliseconds(self, share: float) -> float:
        """Latency that this share of the acks stayed within (nearest rank)."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class Events:
    """Makes events that were never made before.

    Args:
        run: marks this run's events.
    """

    def __init__(self, *, seed: int, run: str) -> None:
        self._random = random.Random(seed)
        self._run = run
        self._count = 0

    def make(self) -> Made:
        """The next one, of a kind by chance."""
        self._count += 1
        kind = self._random.choices(list(MIX), weights=list(MIX.values()))[0]
        number = f"{self._run}{self._count:07}"
        ts = f"17{self._count:08}.{self._random.randrange(10**6):06}"
        event: dict[str, Any] = {"user": f"U{number}", "ts": ts, "event_ts": ts}
        if kind == "question":
            event |= {"type": "message", "channel": f"D{number}", "channel_type": "im", "text": "How much leave?"}
            key = f"D{number}:{ts}"
        elif kind == "reaction":
            item = {"type": "message", "channel": f"C{number}", "ts": ts}
            event |= {"type": "reaction_added", "reaction": "+1", "item": item}
            key = f"event:Ev{number}"
        else:
            place = {"channel": f"C{number}", "channel_type": "channel", "thread_ts": f"16{ts[2:]}"}
            event |= {"type": "message", "text": "see you at lunch", **place}
            key = ts
        return Made(kind, key, json.dumps(_wrap(event, f"Ev{number}")).encode())

    def draw(self, share: float) -> bool:
        """Whether something that happens to this share happens now."""
        return self._random.random() < share

    def draw_pause(self) -> float:
        """When a copy comes: half of them at once, the rest within `COPY_SECONDS`."""
        return 0.0 if self._random.random() < 0.5 else self._random.uniform(0, COPY_SECONDS)


def _wrap(event: dict[str, Any], event_id: str) -> dict[str, Any]:
    own = {"enterprise_id": None, "team_id": TEAM, "user_id": "U0BOT", "is_bot": True, "is_enterprise_install": False}
    return {
        "type": "event_callback",
        "team_id": TEAM,
        "api_app_id": "A0NIGHTBAKE",
        "event_id": event_id,
        "event_time": int(time.time()),
        "authorizations": [own],
        "is_ext_shared_channel": False,
        "event": event,
    }


async def send_events(url: str, events: Events, *, rate: int, seconds: float, copied: float) -> Acks:
    """Send at a rate for a while; returns when every delivery was answered or given up.

    Args:
        copied: share of the events that come twice.
    """
    acks = Acks()
    async with (
        ClientSession(timeout=ClientTimeout(total=ACK_SECONDS), connector=TCPConnector(limit=0)) as session,
        asyncio.TaskGroup() as deliveries,
    ):
        began = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (pause := due - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            made = events.make()
            acks.sent += 1
            deliveries.create_task(_deliver(session, url, made, acks, due=due))
            if events.draw(copied):
                acks.copies += 1
                deliveries.create_task(_deliver(session, url, made, acks, due=due + events.draw_pause(), is_copy=True))
    return acks


async def _deliver(
    session: ClientSession, url: str, made: Made, acks: Acks, *, due: float, is_copy: bool = False
) -> None:
    if (pause := due - time.perf_counter()) > 0:
        await asyncio.sleep(pause)
    headers = _sign(made.body) | ({"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"} if is_copy else {})
    try:
        async with session.post(url, data=made.body, headers=headers) as response:
            await response.read()
            is_acknowledged = response.status == 200
    except (ClientError, TimeoutError):
        is_acknowledged = False
    acks.latencies.append(time.perf_counter() - due)
    if is_acknowledged:
        acks.acknowledged[made.kind].add(made.key)
    else:
        acks.refused += 1


def _sign(body: bytes) -> dict[str, str]:
    timestamp = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={digest}",
    }
