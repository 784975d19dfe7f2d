"""How quickly Slack's events are acknowledged, each stored first, while answers are generated and a worker is killed.

Signed events go to the real endpoint of a running service at 20, 100 and 300 a second, one in ten of them twice; one in
ten is a question, which a model server answers in half a second, streamed to a Web API that takes it at once. A second
replica works on the same inbox and is killed every ten seconds. Afterwards every acknowledged reaction must be in the
inbox, and every acknowledged question answered in its thread exactly once. The baseline is a Bolt app that checks the
signature and does nothing, at the same rate.

    python -m benchmarks.slack_ack                             # about six minutes, its own PostgreSQL
    python -m benchmarks.slack_ack --rates 100 --seconds 15 --seed 7
    python -m benchmarks.slack_ack --database postgresql://localhost/scratch --json-only
"""

import asyncio
import contextlib
import json
import secrets
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import psycopg
import uvloop
from rich.console import Console
from rich.table import Table

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.instant_model_server import run_instant_model_server
from benchmarks.machine import Conditions, read_conditions
from benchmarks.scratch_database import check_durability, open_embedded
from benchmarks.slack_service import Service
from benchmarks.slack_stand_in import StandIn, run_stand_in
from benchmarks.slack_workload import Acks, Events, send_events
from core.database import Database
from core.migrate import migrate

HEADLINE_RATE = 100
COPIED = 0.1
# Long enough for a killed worker to leave answers behind that were half said.
ANSWER_SECONDS = 0.5
KILL_SECONDS = 10.0
# A killed worker's questions are free again after its lease.
DRAIN_SECONDS = 180.0
WARM_UP_SECONDS = 2.0
MOST_BARE_SECONDS = 15.0


@dataclass(slots=True)
class Row:
    """Everything measured at one rate.

    Attributes:
        lost: acknowledged, and neither stored nor answered.
        duplicated: answers beside the first in a thread.
        abandoned: messages left by a killed worker that never became an answer.
        drain_seconds: until the last question was answered, after the last event.
    """

    rate: int
    acks: Acks
    bare: Acks
    lost: int
    duplicated: int
    abandoned: int
    kills: int
    drain_seconds: float

    @property
    def ratio(self) -> float:
        """Median ack against that of the bare app."""
        return self.acks.milliseconds(0.5) / self.bare.milliseconds(0.5)


async def measure(url: str, stand_in: StandIn, model_url: str, *, rate: int, seconds: float, seed: int) -> Row:
    """One rate: the bare app right before what it is compared with."""
    bare = await _measure_bare(rate=rate, seconds=min(seconds, MOST_BARE_SECONDS), seed=seed)
    before = stand_in.report()
    service, worker = (Service("nightbake", url, stand_in.api_url, model_url) for _ in range(2))
    for one in (service, worker):
        await asyncio.to_thread(one.start)
    run = secrets.token_hex(3).upper()
    ended = asyncio.Event()
    killing = asyncio.create_task(_keep_killing(worker, ended))
    try:
        await send_events(service.url, Events(seed=seed, run=f"W{run}"), rate=20, seconds=WARM_UP_SECONDS, copied=0)
        acks = await send_events(service.url, Events(seed=seed, run=run), rate=rate, seconds=seconds, copied=COPIED)
        ended.set()
        kills = await killing
        drain = await _drain(url)
    finally:
        ended.set()
        await killing
        for one in (service, worker):
            await asyncio.to_thread(one.stop)
    after = stand_in.report()
    answered = {thread: count for thread, count in after["answered"].items() if thread not in before["answered"]}
    return Row(
        rate=rate,
        acks=acks,
        bare=bare,
        lost=len(acks.acknowledged["question"] - set(answered)) + _count_missing(url, acks.acknowledged["reaction"]),
        duplicated=sum(count - 1 for count in answered.values()),
        abandoned=after["unfinished"] - before["unfinished"],
        kills=kills,
        drain_seconds=drain,
    )


async def _measure_bare(*, rate: int, seconds: float, seed: int) -> Acks:
    bare = Service("bare")
    await asyncio.to_thread(bare.start)
    try:
        await send_events(bare.url, Events(seed=seed, run="W"), rate=20, seconds=WARM_UP_SECONDS, copied=0)
        return await send_events(bare.url, Events(seed=seed, run="B"), rate=rate, seconds=seconds, copied=COPIED)
    finally:
        await asyncio.to_thread(bare.stop)


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
                return time.perf_counter() - began
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
    with run_instant_model_server(seconds=ANSWER_SECONDS) as model_url, run_stand_in() as stand_in:
        return [await measure(url, stand_in, model_url, rate=rate, seconds=seconds, seed=seed) for rate in rates]


def build_figures(rows: list[Row], conditions: Conditions) -> dict[str, Any]:
    """The JSON object: one key a figure and rate; names without a rate are those at 100 a second, or the last."""
    figures: dict[str, Any] = {}
    for row in rows:
        named = {
            "ack_p50_ms": row.acks.milliseconds(0.5),
            "ack_p99_ms": row.acks.milliseconds(0.99),
            "lost": row.lost,
            "duplicated": row.duplicated,
            "ratio_to_bare_bolt": row.ratio,
            "bare_p50_ms": row.bare.milliseconds(0.5),
            "bare_p99_ms": row.bare.milliseconds(0.99),
            "refused": row.acks.refused,
            "events": row.acks.sent,
            "answers": len(row.acks.acknowledged["question"]),
            "kills": row.kills,
            "abandoned_messages": row.abandoned,
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
    table = Table(title="Slack's events: stored, then acknowledged, while answers are generated and a worker is killed")
    columns = ("events/s", "p50 ms", "p99 ms", "bare p50", "bare p99", "of bare", "refused", "answers", "lost", "twice")
    for column in (*columns, "kills", "left behind", "drained s"):
        table.add_column(column, justify="right")
    for row in rows:
        acks = [f"{one.milliseconds(share):.1f}" for one in (row.acks, row.bare) for share in (0.5, 0.99)]
        counts = (row.acks.refused, len(row.acks.acknowledged["question"]), row.lost, row.duplicated)
        rest = (row.kills, row.abandoned)
        table.add_row(str(row.rate), *acks, f"{row.ratio:.1f}", *map(str, (*counts, *rest)), f"{row.drain_seconds:.0f}")
    return table


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--rates", default="20,100,300", show_default=True, help="Events a second, with commas.")
@click.option("--seconds", default=60.0, show_default=True, help="Length of each rate.")
@click.option("--seed", default=1, show_default=True, help="Of the mix of events.")
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
    console.print(
        "Timed from when an event was due. One in ten events came twice, one in ten is a question. "
        "Left behind: status lines of a worker that was killed before it had stored their id."
    )
    print(json.dumps(build_figures(rows, conditions)))


if __name__ == "__main__":
    main()
