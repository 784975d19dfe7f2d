"""Whether Nightbake holds a load for long: two replicas at 80 % of what the model server bears, with faults.

First the limit is measured: more questions than the model server's stand-in can answer (a second each, eight at once,
as a batch of vLLM), and how many are answered a second. Then Slack's questions come at a share of it, while in random
order a replica is killed, a replica is restarted, the model server dies for three seconds, and PostgreSQL ends every
connection. Afterwards every question that was acknowledged must have exactly one answer in its thread, and no process
may have grown.

    python -m benchmarks.soak --minutes 30 --json            # the figures as one JSON object, progress beside
    python -m benchmarks.soak --minutes 5 --picture soak.svg --seed 7
    python -m benchmarks.soak --minutes 5 --no-faults        # what of it is not the faults'
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import psycopg
import uvloop

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import read_conditions
from benchmarks.soak_figures import Samples, draw, find_share, fit_memory
from benchmarks.soak_world import Load, World, open_world, write_picture

LIMIT_SECONDS = 24.0
SHARE = 0.8
# From one fault to the next, on average; longer than a killed worker's lease.
FAULT_SECONDS = 40.0
# Caches fill; at most a third of the run.
WARM_UP_SECONDS = 300.0

_ANSWER_SECONDS = (
    b"SELECT extract(epoch FROM done_at - received_at)::float8 FROM inbox "
    b"WHERE kind = 'question' AND done_at IS NOT NULL AND received_at > now() - make_interval(secs => %s)"
)


def find_losses(load: Load, answers: dict[str, int]) -> dict[str, int]:
    """Acknowledged questions without an answer, and answers beside the first."""
    missing = sum(key not in answers for key in load.acknowledged)
    return {"lost": missing, "duplicated": sum(answers.get(key, 0) > 1 for key in load.acknowledged)}


def describe_memory(samples: Samples, *, seconds: float) -> dict[str, Any]:
    """The steepest slope of a process that lived through most of it, and where its memory stood."""
    warm_up = min(WARM_UP_SECONDS, seconds / 3)
    slopes = fit_memory(samples, warm_up_seconds=warm_up)
    whole = {name: rows for name, rows in samples.resident_mib.items() if rows[-1][0] - rows[0][0] > seconds / 2}
    steepest = max((slopes[name] for name in whole if name in slopes), default=float("nan"))
    return {
        "memory_slope_mib_per_hour": round(steepest, 1),
        "memory_slopes_mib_per_hour": {name: round(slope, 1) for name, slope in slopes.items()},
        "memory_mib": {name: [round(rows[0][1]), round(rows[-1][1])] for name, rows in samples.resident_mib.items()},
        "warm_up_seconds": round(warm_up),
    }


async def run(*, minutes: float, seed: int, with_faults: bool, share: float, picture: str | None) -> dict[str, Any]:
    """The whole measurement; its figures."""
    seconds = 60 * minutes
    async with open_world(seed=seed) as world:
        limit = await world.measure_limit(LIMIT_SECONDS)
        report(f"the limit: {limit:.2f} answers a second; now {share:.0%} of it for {minutes:g} minutes")
        world.begin()
        before = await world.read_counts()
        async with beside(world.sample(), watch(world, seconds)):
            load = await _send(world, share * limit, seconds, with_faults=with_faults)
            after = await world.read_counts()
            drained = await world.drain()
        answer_seconds = read_answer_seconds(world.database_url, world.now)
        answers = world.find_answers()
        buried = (await world.read_counts())["buried"]
        faults = [what for _, what in world.samples.faults]
        write_picture(picture, draw(world.samples, title=f"{share:.0%} of {limit:.1f} answers a second, seed {seed}"))
        return {
            "limit": round(limit, 2),
            "offered": round(share * limit, 2),
            "throughput": round((after["answered"] - before["answered"]) / seconds, 2),
            "questions": len(load.acknowledged),
            "p50_ms": round(1000 * find_share(answer_seconds, 0.5)),
            "p99_ms": round(1000 * find_share(answer_seconds, 0.99)),
            "ack_p99_ms": round(1000 * find_share(load.acks, 0.99), 1),
            "ack_max_ms": round(1000 * max(load.acks, default=0.0), 1),
            **describe_memory(world.samples, seconds=seconds),
            "connections": round(max((count for _, count in world.samples.connections), default=0)),
            **find_losses(load, answers),
            "buried": buried,
            "refused": load.given_up,
            "late": load.late,
            "unreached": load.unreached,
            "faults": {name: faults.count(name) for name in sorted(set(faults))},
            "drain_seconds": round(drained, 1),
            "minutes": minutes,
        }


async def _send(world: World, rate: float, seconds: float, *, with_faults: bool) -> Load:
    if not with_faults:
        return await world.send(rate, seconds)
    async with beside(world.befall(FAULT_SECONDS)):
        return await world.send(rate, seconds)


@contextlib.asynccontextmanager
async def beside(*works: Coroutine[Any, Any, None]):
    """Works that go on during a block and end with it; one that fails ends the measurement."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def watch(world: World, seconds: float) -> None:
    """Say how far it is, each ten seconds."""
    while True:
        await asyncio.sleep(10)
        samples = world.samples
        if samples.waiting and samples.answered:
            memory = ", ".join(f"{name} {rows[-1][1]:.0f} MiB" for name, rows in samples.resident_mib.items())
            report(
                f"{world.now:5.0f} of {seconds:.0f} s: {samples.answered[-1][1]:.0f} answered, "
                f"{samples.waiting[-1][1]:.0f} wait, {len(samples.faults)} faults; {memory}"
            )


def read_answer_seconds(url: str, within_seconds: float) -> list[float]:
    """From receipt to the end of the answer, of questions received within so many seconds."""
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(_ANSWER_SECONDS, (within_seconds,))]


def report(text: str) -> None:
    """One line for people."""
    print(text, file=sys.stderr, flush=True)


@click.command(help=(__doc__ or "").split("\n\n    ", maxsplit=1)[0])
@click.option("--minutes", default=30.0, show_default=True, help="Length of the load.")
@click.option("--share", default=SHARE, show_default=True, help="Of the measured limit.")
@click.option("--seed", default=1, show_default=True, help="Of the faults and their order.")
@click.option("--no-faults", is_flag=True, help="Nothing goes wrong.")
@click.option("--picture", type=click.Path(dir_okay=False), help="Write the course as SVG.")
@click.option("--json", "as_json", is_flag=True, help="Only the JSON object on standard output.")
def main(minutes: float, share: float, seed: int, no_faults: bool, picture: str | None, as_json: bool) -> None:
    """See the module."""
    conditions = read_conditions(seed)
    if not as_json:
        print(conditions.line())
    figures = uvloop.run(run(minutes=minutes, seed=seed, with_faults=not no_faults, share=share, picture=picture))
    print(json.dumps(figures | asdict(conditions)))


if __name__ == "__main__":
    main()
