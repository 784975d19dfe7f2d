"""What three times too many questions do: receipts, the line and memory, while the model server is far behind.

The limit is measured as `soak.py` does. Then Slack's questions come at a multiple of it for a while. They wait in
PostgreSQL: acknowledgements must stay below Slack's three seconds, memory flat, and people be told their place in the
line. Afterwards the line is worked off, and every question must have exactly one answer in its thread.

    python -m benchmarks.back_pressure --json
    python -m benchmarks.back_pressure --seconds 120 --times 3 --picture line.svg
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import uvloop

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import read_conditions
from benchmarks.soak import LIMIT_SECONDS, beside, describe_memory, find_losses, report, watch
from benchmarks.soak_figures import draw, find_share
from benchmarks.soak_world import open_world, write_picture


async def run(*, seconds: float, times: float, seed: int, picture: str | None) -> dict[str, Any]:
    """The whole measurement; its figures."""
    async with open_world(seed=seed) as world:
        limit = await world.measure_limit(LIMIT_SECONDS)
        report(f"the limit: {limit:.2f} answers a second; now {times:g} times that for {seconds:g} s")
        world.begin()
        before = await world.read_counts()
        async with beside(world.sample(), watch(world, seconds)):
            load = await world.send(times * limit, seconds)
            after = await world.read_counts()
            memory = describe_memory(world.samples, seconds=seconds)
            drained = await world.drain()
        told = (await world.read_counts())["told"] - before["told"]
        write_picture(picture, draw(world.samples, title=f"{times:g} times {limit:.1f} answers a second, seed {seed}"))
        return {
            "limit": round(limit, 2),
            "offered": round(times * limit, 2),
            "throughput": round((after["answered"] - before["answered"]) / seconds, 2),
            "questions": len(load.acknowledged),
            "ack_p50_ms": round(1000 * find_share(load.acks, 0.5), 1),
            "ack_p99_ms": round(1000 * find_share(load.acks, 0.99), 1),
            "ack_max_ms": round(1000 * max(load.acks, default=0.0), 1),
            **memory,
            "queue_shown": told,
            "longest_line": round(max(count for _, count in world.samples.waiting)),
            "connections": round(max(count for _, count in world.samples.connections)),
            **find_losses(load, world.find_answers()),
            "refused": load.given_up,
            "late": load.late,
            "unreached": load.unreached,
            "drain_seconds": round(drained, 1),
            "seconds": seconds,
        }


@click.command(help=(__doc__ or "").split("\n\n    ", maxsplit=1)[0])
@click.option("--seconds", default=120.0, show_default=True, help="Length of the overload.")
@click.option("--times", default=3.0, show_default=True, help="The measured limit.")
@click.option("--seed", default=1, show_default=True, help="Of who is sent to which replica.")
@click.option("--picture", type=click.Path(dir_okay=False), help="Write the course as SVG.")
@click.option("--json", "as_json", is_flag=True, help="Only the JSON object on standard output.")
def main(seconds: float, times: float, seed: int, picture: str | None, as_json: bool) -> None:
    """See the module."""
    conditions = read_conditions(seed)
    if not as_json:
        print(conditions.line())
    figures = uvloop.run(run(seconds=seconds, times=times, seed=seed, picture=picture))
    print(json.dumps(figures | asdict(conditions)))


if __name__ == "__main__":
    main()
