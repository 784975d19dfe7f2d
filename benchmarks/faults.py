"""Random faults against real processes, while people ask and vote and nights run; then what must hold is checked.

Two replicas of the bot and, in every tenth run, two schedulers share one PostgreSQL behind a proxy. A seed draws what
people do on Slack, Teams and the web, which deliveries come twice or late, and what breaks when: processes die, freeze
or are replaced, PostgreSQL stops or crashes, its connections are cut, hang or are slow, the disk is full, a clock is
wrong. Afterwards `faults_checker.py` reads the database, the adapters and both platforms. A run's schedule depends on
its seed and number alone; what processes make of it also depends on the machine.

    python -m benchmarks.faults --runs 20 --seed 1
    python -m benchmarks.faults --seed 1 --first 137 --runs 1     # one run again
    python -m benchmarks.faults --plant ack-before-insert         # a bug that must be found
    python -m benchmarks.faults --rolling --runs 5                # replicas are replaced, nothing else breaks
    python -m benchmarks.faults --vllm --runs 5                   # a real vLLM answers, and dies in every run
"""

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import click
from psycopg import sql
from rich.console import Console

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.faults_checker import QUERIES, find_violations
from benchmarks.faults_inflict import inflict
from benchmarks.faults_people import People
from benchmarks.faults_processes import DOCUMENT_ID, Place, serve_model, serve_replica, work_nights
from benchmarks.faults_proxy import Proxy
from benchmarks.faults_schedule import (
    NIGHT_EVERY,
    REPLICAS,
    Schedule,
    draw_model_deaths,
    draw_replacement,
    draw_schedule,
)
from benchmarks.faults_seen import Seen, read_platforms
from benchmarks.faults_world import START_SECONDS, Child, Postgres, World, open_disk, open_world
from benchmarks.machine import ROOT, read_conditions
from core import embedded_model
from core.database import Database
from core.migrate import migrate
from tests.fakes.slack import FakeSlack
from tests.fakes.teams import FakeTeams
from tests.learning.log import STORE_DOCUMENT, log_corrected_night
from tests.ports import find_free_port

PLANTS = ("ack-before-insert",)
SCHEDULERS = 2
PAIRS = 28
SETTLE_SECONDS, LONG_SETTLE_SECONDS = 60.0, 240.0
# After that a person has no answer; a planted bug makes many wait for one in vain.
PATIENCE_SECONDS, LONG_PATIENCE_SECONDS, PLANTED_PATIENCE_SECONDS = 60.0, 240.0, 15.0
# Ready after a minute on a CPU.
VLLM_START_SECONDS = 300.0
LOOK_SECONDS = 0.1

# A run may be repeated on one server.
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Batch:
    """What all runs share."""

    folder: Path
    is_own_disk: bool
    postgres: Postgres
    base_model: Path | None
    vllm_model: Path | None = None
    plant: str | None = None


@dataclass(slots=True)
class Result:
    """What came of a run.

    Attributes:
        faults: that happened, by kind.
        unfinished: messages on the platforms that never became an answer.
    """

    schedule: Schedule
    violations: list[str]
    unfinished: int
    seconds: float
    faults: Counter[str] = field(default_factory=Counter[str])


def prepare(batch: Batch) -> None:
    """Templates of the runs' databases."""
    batch.postgres.make_template("template_quiet", lambda url: asyncio.run(_fill(url, pairs=0)))
    if batch.base_model:
        batch.postgres.make_template("template_night", lambda url: asyncio.run(_fill(url, pairs=PAIRS)))


async def _fill(url: str, *, pairs: int) -> None:
    async with Database(url) as database:
        await migrate(database)
        document = {"id": DOCUMENT_ID, "path": "leave.md", "title": "Leave policy", "allow": ["everyone"]}
        await database.execute(STORE_DOCUMENT, document)
        await log_corrected_night(database, pairs)


async def run_once(batch: Batch, schedule: Schedule) -> Result:
    """One run in a database of its own."""
    began = time.monotonic()
    name = f"run_{schedule.run}_{next(_numbers)}"
    template = "template_night" if schedule.has_night else "template_quiet"
    made = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    await asyncio.to_thread(batch.postgres.execute, made.format(sql.Identifier(name), sql.Identifier(template)))
    async with FakeSlack() as slack, FakeTeams() as teams, Proxy(batch.postgres.socket) as proxy:
        # Whoever asks there is an employee; `alter database` copies no settings to a copy.
        teams.knows_everybody = True
        await asyncio.to_thread(
            batch.postgres.execute,
            sql.SQL("ALTER DATABASE {} SET search_path = public, pg_catalog").format(sql.Identifier(name)),
        )
        seen, faults = Seen(), Counter[str]()
        async with open_world(_build_world(batch, schedule, name, proxy, slack, teams)) as world:
            patience = LONG_PATIENCE_SECONDS if world.is_slow else PATIENCE_SECONDS
            patience = PLANTED_PATIENCE_SECONDS if batch.plant else patience
            people = People(schedule, world.urls, slack=slack, teams=teams, seen=seen, patience_seconds=patience)
            await _live(schedule, world, people, faults)
            async with Database(batch.postgres.find_url(name)) as database:
                await _settle(database, world)
                read_platforms(seen, slack, teams)
                violations = await find_violations(database, seen)
                violations += [f"a replica that was asked to end left with {code}" for code in world.exit_codes if code]
    if not violations:
        dropped = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        await asyncio.to_thread(batch.postgres.execute, dropped)
    return Result(schedule, violations, seen.unfinished, time.monotonic() - began, faults)


def _build_world(
    batch: Batch, schedule: Schedule, name: str, proxy: Proxy, slack: FakeSlack, teams: FakeTeams
) -> World:
    place = Place(
        port=find_free_port(),
        database_url=f"postgresql://postgres@127.0.0.1:{proxy.port}/{name}",
        model_url="",
        slack_url=slack.api_url,
        openid_url=teams.openid_url,
        home=batch.folder / "homes" / name,
        plant=batch.plant,
        base_model=batch.base_model if schedule.has_night else None,
        vllm_model=batch.vllm_model,
    )
    told = {**asdict(place), "model_url": f"http://127.0.0.1:{place.port}"}
    schedulers = SCHEDULERS if schedule.has_night else 0
    return World(
        folder=batch.folder,
        is_own_disk=batch.is_own_disk,
        postgres=batch.postgres,
        proxy=proxy,
        database=name,
        model=Child(serve_model, place, start_seconds=VLLM_START_SECONDS if batch.vllm_model else START_SECONDS),
        replicas=[Child(serve_replica, Place(**{**told, "port": find_free_port()})) for _ in range(REPLICAS)],
        schedulers=[Child(work_nights, Place(**{**told, "port": 0})) for _ in range(schedulers)],
    )


async def _live(schedule: Schedule, world: World, people: People, faults: Counter[str]) -> None:
    began = time.monotonic()

    async def break_in_time(number: int) -> None:
        fault = schedule.faults[number]
        await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
        faults[fault.kind if await inflict(fault, world) else f"{fault.kind} (not here)"] += 1

    async with asyncio.TaskGroup() as together:
        together.create_task(people.live(began))
        for number in range(len(schedule.faults)):
            together.create_task(break_in_time(number))


async def _settle(database: Database, world: World) -> None:
    """Until nothing is open, and tonight's night is done; what is not after a while is the checker's to tell."""
    deadline = time.monotonic() + (LONG_SETTLE_SECONDS if world.is_slow else SETTLE_SECONDS)
    while time.monotonic() < deadline:
        for scheduler in world.schedulers:
            if scheduler.pid is None and not scheduler.is_over:
                await scheduler.start()
        is_quiet = not await database.fetch_dicts(QUERIES["find_open"])
        if is_quiet and all(scheduler.is_over for scheduler in world.schedulers):
            return
        await asyncio.sleep(LOOK_SECONDS)


def make_base_model(folder: Path) -> Path:
    """What nights train: a random Llama of two layers."""
    base = folder / "tiny"
    command = [sys.executable, "-m", "tests.learning.tiny_model", str(base)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    return base


@contextmanager
def make_vllm_model() -> Iterator[Path]:
    """The embedded model, not on the disk that is filled."""
    with tempfile.TemporaryDirectory(prefix="nightbake-faults-model-") as folder:
        asyncio.run(embedded_model.prepare(Path(folder, "base"), log_file=Path(folder, "prepare.log")))
        yield Path(folder, "base")


def preload(*, nights: bool) -> None:
    """Import once what every process needs."""
    heavy = ["torch", "transformers", "peft"] if nights else []
    multiprocessing.set_forkserver_preload(["benchmarks.faults_processes", *heavy])


def sum_up(results: list[Result]) -> dict[str, Any]:
    """The JSON object's own keys."""
    faults = sum((result.faults for result in results), Counter[str]())
    broken = [result for result in results if result.violations]
    return {
        "violations": sum(len(result.violations) for result in results),
        "runs": len(results),
        "nights": sum(result.schedule.has_night for result in results),
        "seconds": round(sum(result.seconds for result in results), 1),
        "faults": dict(sorted(faults.items())),
        "questions": sum(len(result.schedule.asks) for result in results),
        "votes": sum(result.schedule.votes for result in results),
        "unfinished_messages": sum(result.unfinished for result in results),
        "broken_runs": {result.schedule.run: result.violations for result in broken},
    }


@click.command(help=__doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--runs", default=20, show_default=True, help="How many.")
@click.option("--seed", default=1, show_default=True, help="Of the schedules.")
@click.option("--first", default=1, show_default=True, help="Number of the first run.")
@click.option("--night-every", default=NIGHT_EVERY, show_default=True, help="A night in every so many-th run; 0: none.")
@click.option("--rolling", is_flag=True, help="Only replace the replicas, one after the other.")
@click.option("--vllm", is_flag=True, help="A real vLLM answers, with the embedded model, and is killed in every run.")
@click.option("--plant", type=click.Choice(PLANTS), help="A bug in the replicas; ends when it is found.")
@click.option("--json", "as_json", is_flag=True, help="Only the JSON object.")
def main(
    runs: int, seed: int, first: int, night_every: int, rolling: bool, vllm: bool, plant: str | None, as_json: bool
) -> None:
    """Run, tell, and end with 1 where what was expected did not come."""
    console = Console(quiet=as_json, width=120)
    conditions = read_conditions(seed)
    console.print(conditions.line())
    draw = partial(draw_schedule, night_every=0 if plant else night_every)
    if rolling or vllm:
        draw = draw_replacement if rolling else draw_model_deaths
    schedules = [draw(seed, run) for run in range(first, first + runs)]
    has_nights = any(schedule.has_night for schedule in schedules)
    os.environ["PYTHONPATH"] = str(ROOT)
    preload(nights=has_nights)
    # Who is told to end unmounts its disk and stops its server first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results: list[Result] = []
    with (
        make_vllm_model() if vllm else nullcontext() as vllm_model,
        open_disk() as (folder, is_own_disk),
        Postgres(folder) as postgres,
    ):
        base_model = make_base_model(folder) if has_nights else None
        batch = Batch(folder, is_own_disk, postgres, base_model, vllm_model, plant)
        prepare(batch)
        for schedule in schedules:
            result = asyncio.run(run_once(batch, schedule))
            results.append(result)
            faults = ", ".join(f"{kind} {count}" for kind, count in result.faults.items())
            console.print(f"run {schedule.run}: {result.seconds:.1f} s, {faults}")
            for violation in result.violations:
                console.print(f"  [red]{violation}[/]")
            if plant and result.violations:
                break
    found = {"found_planted_in_runs": len(results) if plant and results[-1].violations else None}
    print(json.dumps(sum_up(results) | found | asdict(conditions)))
    if bool(sum_up(results)["violations"]) != bool(plant):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
