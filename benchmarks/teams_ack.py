"""How quickly Teams' activities are answered, each stored first, while answers are streamed and a worker is killed.

Activities with signed tokens go to the real endpoint of a running service, one in ten of them twice; one in ten is a
question in a personal chat, whose answer is streamed to a Connector that holds streams to Teams' rules. A second
replica works on the same inbox and is killed every five seconds. Afterwards every acknowledged vote must be in the
inbox, and every acknowledged question answered in its chat exactly once. The baseline is a bot of the SDK that checks
the token and does nothing, at the same rate; it builds two clients an activity, so high rates measure only its queue.

    python -m benchmarks.teams_ack                             # about two minutes, its own PostgreSQL
    python -m benchmarks.teams_ack --rates 50 --seconds 10 --seed 7
    python -m benchmarks.teams_ack --database postgresql://localhost/scratch --json-only
"""

import asyncio
import contextlib
import json
import random
import secrets
import sys
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import psycopg
import uvloop
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from rich.console import Console
from rich.table import Table

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.instant_model_server import ANSWER, run_instant_model_server
from benchmarks.machine import Conditions, read_conditions
from benchmarks.scratch_database import check_durability, open_embedded
from benchmarks.teams_service import Service
from core.database import Database
from core.migrate import migrate
from tests.fakes.teams import APP_ID, TENANT, FakeTeams, sign

HEADLINE_RATE = 10
COPIED, QUESTIONS = 0.1, 0.1
# Teams gives up after about 15 s and sends the activity again.
ACK_SECONDS = 15.0
KILL_SECONDS = 5.0
# A killed worker's questions are free again after its lease.
DRAIN_SECONDS = 120.0
WARM_UP_SECONDS = 2.0
WORDS = ANSWER.partition(" [")[0]


@dataclass(slots=True)
class Acks:
    """What came of a rate.

    Attributes:
        latencies: seconds from when an activity was due to its answer.
        questions: chats in which one was acknowledged; `votes` are keys of the inbox.
        refused: deliveries that were answered otherwise, or not in time.
    """

    sent: int = 0
    latencies: list[float] = field(default_factory=list[float])
    questions: set[str] = field(default_factory=set[str])
    votes: set[str] = field(default_factory=set[str])
    refused: int = 0

    def milliseconds(self, share: float) -> float:
        """Latency that this share of the answers stayed within (nearest rank)."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


@dataclass(slots=True)
class Row:
    """Everything measured at one rate.

    Attributes:
        lost: acknowledged, and neither stored nor answered.
        duplicated: answers beside the first in a chat.
        drain_seconds: until the last question was answered, after the last activity.
    """

    rate: int
    acks: Acks
    bare: Acks
    lost: int
    duplicated: int
    kills: int
    drain_seconds: float

    @property
    def ratio(self) -> float:
        """Median against that of the bare bot."""
        return self.acks.milliseconds(0.5) / self.bare.milliseconds(0.5)


class Activities:
    """Makes activities that were never made before.

    Args:
        run: marks this run's activities.
    """

    def __init__(self, service_url: str, *, seed: int, run: str) -> None:
        self._service_url = service_url
        self._random = random.Random(seed)
        self._run = run
        self._count = 0

    def make(self) -> tuple[str, dict[str, Any]]:
        """The next one, and its chat."""
        self._count += 1
        chat = f"a:{self._run}{self._count:07}"
        activity: dict[str, Any] = {
            "id": str(1_690_000_000_000 + self._count),
            "channelId": "msteams",
            "serviceUrl": self._service_url,
            "timestamp": "2026-11-20T09:00:00.000Z",
            "from": {"id": f"29:{self._count}", "name": "Ann", "aadObjectId": f"{self._run}{self._count}"},
            "recipient": {"id": f"28:{APP_ID}", "name": "Nightbake"},
            "conversation": {"id": chat, "conversationType": "personal", "tenantId": TENANT},
            "channelData": {"tenant": {"id": TENANT}},
        }
        if self.draw(QUESTIONS):
            return chat, activity | {"type": "message", "text": "How many days of annual leave do I have?"}
        reaction = {"type": "messageReaction", "reactionsAdded": [{"type": "like"}], "replyToId": "1700000000001"}
        return chat, activity | reaction

    def draw(self, share: float) -> bool:
        """Whether something that happens to this share happens now."""
        return self._random.random() < share


async def send_activities(url: str, activities: Activities, *, token: str, rate: int, seconds: float) -> Acks:
    """Send at a rate for a while, whether or not earlier ones were answered; returns when all were."""
    acks = Acks()
    headers = {"Authorization": f"Bearer {token}"}
    timeout, connector = ClientTimeout(total=ACK_SECONDS), TCPConnector(limit=0)
    async with ClientSession(headers=headers, timeout=timeout, connector=connector) as session:

        async def deliver(chat: str, activity: dict[str, Any], due: float) -> None:
            try:
                async with session.post(url, json=activity) as response:
                    await response.read()
                    is_taken = response.status in (200, 201, 202)
            except (ClientError, TimeoutError):
                is_taken = False
            if not is_taken:
                acks.refused += 1
                return
            acks.latencies.append(time.perf_counter() - due)
            if activity["type"] == "message":
                acks.questions.add(chat)
            else:
                acks.votes.add(f"vote:{chat}|{activity['id']}")

        began = time.perf_counter()
        async with asyncio.TaskGroup() as deliveries:
            for number in range(int(rate * seconds)):
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                chat, activity = activities.make()
                for _ in range(2 if activities.draw(COPIED) else 1):
                    acks.sent += 1
                    deliveries.create_task(deliver(chat, activity, due))
    return acks


async def measure(url: str, teams: FakeTeams, model_url: str, *, rate: int, seconds: float, seed: int) -> Row:
    """One rate: the bare bot right before what it is compared with."""
    token, run = sign(teams.service_url), secrets.token_hex(3)

    async def send(service: Service, mark: str, *, warm: bool) -> Acks:
        made = Activities(teams.service_url, seed=seed, run=f"{run}{mark}")
        length = WARM_UP_SECONDS if warm else seconds
        return await send_activities(service.url, made, token=token, rate=rate, seconds=length)

    bare = Service("bare", teams.openid_url)
    await asyncio.to_thread(bare.start)
    await send(bare, "v", warm=True)
    bare_acks = await send(bare, "b", warm=False)
    await asyncio.to_thread(bare.stop)
    service, worker = (Service("nightbake", url, teams.openid_url, model_url) for _ in range(2))
    for one in (service, worker):
        await asyncio.to_thread(one.start)
    ended = asyncio.Event()
    await send(service, "w", warm=True)
    killing = asyncio.create_task(_keep_killing(worker, ended))
    try:
        acks = await send(service, "n", warm=False)
        ended.set()
        kills = await killing
        drained = await _drain(url)
    finally:
        ended.set()
        await killing
        for one in (service, worker):
            await asyncio.to_thread(one.stop)
    answers = Counter(
        key.rpartition("|")[0]
        for key, message in teams.messages.items()
        if message["type"] == "message" and WORDS in (message.get("text") or "") and message.get("channelData")
    )
    return Row(
        rate=rate,
        acks=acks,
        bare=bare_acks,
        lost=len(acks.questions - set(answers)) + _count_missing(url, acks.votes),
        duplicated=sum(answers[chat] - 1 for chat in acks.questions & set(answers)),
        kills=kills,
        drain_seconds=drained,
    )


async def _keep_killing(worker: Service, ended: asyncio.Event) -> int:
    """Kill it and start another until the end, which finds one running; how often."""
    kills = 0
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), KILL_SECONDS)
        if ended.is_set():
            return kills
        await asyncio.to_thread(worker.kill)
        kills += 1
        await asyncio.to_thread(worker.start)


async def _drain(url: str) -> float:
    """Wait until the inbox is empty; how long it took."""
    began = time.perf_counter()
    with psycopg.connect(url, autocommit=True) as connection:
        while time.perf_counter() - began < DRAIN_SECONDS:
            row = connection.execute(
                "SELECT count(*) FROM inbox WHERE done_at IS NULL AND buried_at IS NULL"
            ).fetchone()
            if row == (0,):
                break
            await asyncio.sleep(0.2)
    return time.perf_counter() - began


def _count_missing(url: str, keys: set[str]) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM unnest(%s::text[]) AS key WHERE NOT EXISTS (SELECT FROM inbox WHERE event_key = key)",
            (list(keys),),
        ).fetchone()
    return row[0] if row else 0


async def run(url: str, *, rates: list[int], seconds: float, seed: int) -> list[Row]:
    """Every row of the table."""
    async with Database(url) as database:
        await migrate(database)
    with run_instant_model_server() as model_url:
        async with FakeTeams() as teams:
            return [await measure(url, teams, model_url, rate=rate, seconds=seconds, seed=seed) for rate in rates]


def build_figures(rows: list[Row], conditions: Conditions) -> dict[str, Any]:
    """The JSON object: one key a figure and rate; names without a rate are those at 10 a second, or the last."""
    figures: dict[str, Any] = {}
    for row in rows:
        named = {
            "ack_p50_ms": row.acks.milliseconds(0.5),
            "ack_p99_ms": row.acks.milliseconds(0.99),
            "lost": row.lost,
            "duplicated": row.duplicated,
            # As in the benchmark of Slack, though the bare app is one of the Bot Framework here.
            "ratio_to_bare_bolt": row.ratio,
            "bare_p50_ms": row.bare.milliseconds(0.5),
            "bare_p99_ms": row.bare.milliseconds(0.99),
            "refused": row.acks.refused,
            "events": row.acks.sent,
            "answers": len(row.acks.questions),
            "kills": row.kills,
            "drain_seconds": row.drain_seconds,
        }
        figures |= {f"{name}_{row.rate}": round(value, 2) for name, value in named.items()}
    headline = next((row for row in rows if row.rate == HEADLINE_RATE), rows[-1]).rate
    for name in ("ack_p50_ms", "ack_p99_ms", "ratio_to_bare_bolt"):
        figures[name] = figures[f"{name}_{headline}"]
    for name in ("lost", "duplicated"):
        figures[name] = sum(figures[f"{name}_{row.rate}"] for row in rows)
    return figures | asdict(conditions)


def build_table(rows: list[Row]) -> Table:
    """The same for people."""
    table = Table(title="Teams' activities: stored, then answered, while answers are streamed and a worker is killed")
    columns = ("activities/s", "p50 ms", "p99 ms", "bare p50", "bare p99", "of bare", "refused", "answers", "lost")
    for column in (*columns, "twice", "kills", "drained s"):
        table.add_column(column, justify="right")
    for row in rows:
        acks = [f"{one.milliseconds(share):.1f}" for one in (row.acks, row.bare) for share in (0.5, 0.99)]
        counts = (row.acks.refused, len(row.acks.questions), row.lost, row.duplicated, row.kills)
        table.add_row(str(row.rate), *acks, f"{row.ratio:.1f}", *map(str, counts), f"{row.drain_seconds:.0f}")
    return table


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--rates", default="5,10", show_default=True, help="Activities a second, with commas.")
@click.option("--seconds", default=15.0, show_default=True, help="Length of each rate.")
@click.option("--seed", default=1, show_default=True, help="Of the mix of activities.")
@click.option("--database", "url", help="A scratch database, postgresql://…; its rows stay. Default: an embedded one.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(rates: str, seconds: float, seed: int, url: str | None, json_only: bool) -> None:
    """Measure, check what was kept, print."""
    console = Console(quiet=json_only, width=140)
    conditions = read_conditions(seed)
    console.print(conditions.line())
    with nullcontext(url) if url else open_embedded() as address:
        check_durability(address)
        rows = uvloop.run(run(address, rates=[int(rate) for rate in rates.split(",")], seconds=seconds, seed=seed))
    console.print(build_table(rows))
    console.print("Timed from when an activity was due. One in ten came twice, one in ten is a question.")
    print(json.dumps(build_figures(rows, conditions)))


if __name__ == "__main__":
    main()
