"""The course of a benchmark of acks: the bare app, then the service with a worker that is killed, then what was kept.

Whichever the platform: the same steps, the same table, the same keys of the JSON object.
"""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

import click
import psycopg
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.ack_load import Acks, Events, Load, MakeHeaders, send_events
from benchmarks.ack_service import Service
from benchmarks.machine import Conditions, read_conditions
from benchmarks.scratch_database import check_durability, open_embedded
from core.database import Database
from core.migrate import migrate

COPIED = 0.1
# At most this long a worker lives, and it is killed at least twice in a rate.
KILL_SECONDS = 10.0
STALL_SECONDS = 60.0
"""Without one more answer, longer than a killed worker's lease; what waits then is lost."""
WARM_UP_RATE, WARM_UP_SECONDS = 20, 2.0
MOST_BARE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Answers:
    """What a platform holds.

    Attributes:
        finished: the number of answers in each thread or chat.
        unfinished: messages that never became an answer.
    """

    finished: Mapping[str, int]
    unfinished: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """A platform's part in the measurement.

    Attributes:
        bare: an app that checks who sends and does nothing else.
        nightbake: the service; two of them share an inbox.
        make_events: by seed and a mark of the run.
        ack_seconds: after which the platform gives up.
    """

    bare: Callable[[], Service]
    nightbake: Callable[[], Service]
    make_events: Callable[[int, str], Events]
    make_headers: MakeHeaders
    read_answers: Callable[[], Answers]
    ack_seconds: float


# The stage for a database, while the platform's stand-in and the model server run.
OpenStage = Callable[[str], AbstractAsyncContextManager[Stage]]


@dataclass(slots=True)
class Row:
    """Everything measured at one rate.

    Attributes:
        lost: acknowledged, and neither stored nor answered.
        duplicated: answers beside the first in a thread or chat.
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


async def measure(url: str, stage: Stage, *, rate: int, seconds: float, seed: int) -> Row:
    """One rate: the bare app right before what it is compared with."""
    load = Load(rate, seconds, COPIED, stage.ack_seconds, stage.make_headers)
    run = secrets.token_hex(3).upper()
    async with _run(stage.bare()) as bare:
        shorter = replace(load, seconds=min(seconds, MOST_BARE_SECONDS))
        bare_acks = await _send(bare, stage, shorter, seed=seed, run=f"B{run}")
    before = stage.read_answers()
    async with _run(stage.nightbake()) as service, _run(stage.nightbake()) as worker:
        ended = asyncio.Event()
        killing = asyncio.create_task(_keep_killing(worker, min(KILL_SECONDS, seconds / 3), ended))
        try:
            acks = await _send(service, stage, load, seed=seed, run=run)
        finally:
            ended.set()
            kills = await killing
        drained = await _drain(url)
    after = stage.read_answers()
    questions = acks.acknowledged["question"]
    return Row(
        rate=rate,
        acks=acks,
        bare=bare_acks,
        lost=len(questions - set(after.finished)) + _count_missing(url, acks.acknowledged["stored"]),
        duplicated=sum(count - 1 for key, count in after.finished.items() if key not in before.finished),
        abandoned=after.unfinished - before.unfinished,
        kills=kills,
        drain_seconds=drained,
    )


@contextlib.asynccontextmanager
async def _run(service: Service) -> AsyncGenerator[Service]:
    await asyncio.to_thread(service.start)
    try:
        yield service
    finally:
        await asyncio.to_thread(service.stop)


async def _send(service: Service, stage: Stage, load: Load, *, seed: int, run: str) -> Acks:
    """Events of a run, after others that are not counted."""
    warm_up = replace(load, rate=WARM_UP_RATE, seconds=WARM_UP_SECONDS, copied=0)
    await send_events(service.url, stage.make_events(seed, f"W{run}"), warm_up, seed=seed)
    return await send_events(service.url, stage.make_events(seed, run), load, seed=seed)


async def _keep_killing(worker: Service, seconds: float, ended: asyncio.Event) -> int:
    """Kill it and start another until the end, which finds one running; how often."""
    kills = 0
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), seconds)
        if ended.is_set():
            return kills
        await asyncio.to_thread(worker.kill)
        kills += 1
        await asyncio.to_thread(worker.start)


async def _drain(url: str) -> float:
    """Wait until every question is answered, or nothing happens any more; how long it took.

    What reads histories goes on at Slack's own pace.
    """
    began = progressed = time.perf_counter()
    left = None
    with psycopg.connect(url, autocommit=True) as connection:
        while time.perf_counter() - progressed < STALL_SECONDS:
            row = connection.execute(
                "SELECT count(*) FROM inbox WHERE kind = 'question' AND done_at IS NULL AND buried_at IS NULL"
            ).fetchone()
            if row == (0,):
                break
            if row != left:
                left, progressed = row, time.perf_counter()
            await asyncio.sleep(0.2)
    return time.perf_counter() - began


def _count_missing(url: str, keys: set[str]) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM unnest(%s::text[]) AS key WHERE NOT EXISTS (SELECT FROM inbox WHERE event_key = key)",
            (list(keys),),
        ).fetchone()
    return row[0] if row else 0


async def run_rates(url: str, open_stage: OpenStage, *, rates: list[int], seconds: float, seed: int) -> list[Row]:
    """Every row of the table."""
    async with Database(url) as database:
        await migrate(database)
    async with open_stage(url) as stage:
        return [await measure(url, stage, rate=rate, seconds=seconds, seed=seed) for rate in rates]


def build_figures(rows: list[Row], conditions: Conditions, *, headline_rate: int) -> dict[str, Any]:
    """The JSON object: one key a figure and rate; names without a rate are those at the headline's, or the last."""
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
    headline = next((row for row in rows if row.rate == headline_rate), rows[-1]).rate
    for name in ("ack_p50_ms", "ack_p99_ms", "ratio_to_bare_bolt"):
        figures[name] = figures[f"{name}_{headline}"]
    for name in ("lost", "duplicated"):
        figures[name] = sum(figures[f"{name}_{row.rate}"] for row in rows)
    return figures | asdict(conditions)


def build_table(rows: list[Row], *, title: str) -> Table:
    """The same for people."""
    table = Table(title=title)
    columns = ("events/s", "p50 ms", "p99 ms", "bare p50", "bare p99", "of bare", "refused", "answers", "lost", "twice")
    for column in (*columns, "kills", "left behind", "drained s"):
        table.add_column(column, justify="right")
    for row in rows:
        acks = [f"{one.milliseconds(share):.1f}" for one in (row.acks, row.bare) for share in (0.5, 0.99)]
        counts = (row.acks.refused, len(row.acks.acknowledged["question"]), row.lost, row.duplicated)
        rest = (row.kills, row.abandoned)
        table.add_row(str(row.rate), *acks, f"{row.ratio:.1f}", *map(str, (*counts, *rest)), f"{row.drain_seconds:.0f}")
    return table


def build_command(
    story: str, open_stage: OpenStage, *, title: str, rates: str, seconds: float, headline_rate: int
) -> click.Command:
    """The command line of a platform's benchmark.

    Args:
        story: what it does, as its module says.
        title: of the table.
        rates: events a second, with commas, where none are given.
        headline_rate: whose figures stand without a rate.
    """

    @click.command(help=story.split("\n\n    ", maxsplit=1)[0])
    @click.option("--rates", default=rates, show_default=True, help="Events a second, with commas.")
    @click.option("--seconds", default=seconds, show_default=True, help="Length of each rate.")
    @click.option("--seed", default=1, show_default=True, help="Of the mix of events.")
    @click.option(
        "--database", "url", help="A scratch database, postgresql://…; its rows stay. Default: an embedded one."
    )
    @click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
    def main(rates: str, seconds: float, seed: int, url: str | None, json_only: bool) -> None:
        console = Console(quiet=json_only, width=140)
        conditions = read_conditions(seed)
        console.print(conditions.line())
        with nullcontext(url) if url else open_embedded() as address:
            check_durability(address)
            wanted = [int(rate) for rate in rates.split(",")]
            rows = uvloop.run(run_rates(address, open_stage, rates=wanted, seconds=seconds, seed=seed))
        console.print(build_table(rows, title=title))
        console.print(
            "Timed from when an event was due. One in ten events came twice, one in ten is a question. "
            "Left behind: status lines of a worker that was killed before it had stored their id."
        )
        print(json.dumps(build_figures(rows, conditions, headline_rate=headline_rate)))

    return main
