"""How long a night takes from the log to curated pairs, and how much memory, however long the log is.

A log of 1,000,000 answers, each with a prompt of about 3 kB and three passages, of which 25,000 have 30,000 votes of
5,000 people: thumbs, corrections that stand in the passages shown, in another document or in none, right sources,
reasons, votes taken back. The night collects them in a process of its own: votes to labels, blame, pairs, curation,
split, and a fate for every vote, all stored. The baseline is the bare cost of reading the log once through a cursor.
Before the unjudged answers are added the same votes are collected too: the memory must not differ.

    python -m benchmarks.pairs_scale                           # half an hour and 8 GB of disk, most to fill the log
    python -m benchmarks.pairs_scale --interactions 50000 --feedback 3000
    python -m benchmarks.pairs_scale --database postgresql://localhost/empty --json-only
"""

import asyncio
import json
import multiprocessing
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import psycopg
import uvloop
from rich.console import Console
from rich.table import Table

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import Conditions, read_conditions
from benchmarks.scratch_database import open_embedded
from core.database import Database
from core.migrate import migrate
from core.sql import load_queries
from learning.collect import CollectSettings, collect
from learning.runs import Runs

QUERIES = load_queries(__file__)

VOTES_AN_ANSWER = 1.2
ROWS_A_STATEMENT = 20_000
ROWS_A_FETCH = 500
MOST_PAIRS = 100_000
# A prime: each subject is liked and disliked in turn.
TOPICS = 1_999


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection in a process of its own; the peak counts the interpreter and its libraries too."""

    seconds: float
    peak_mib: float
    counts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything measured on one log."""

    interactions: int
    votes: int
    judged_only: Collection
    whole: Collection
    read_log_seconds: float
    read_judged_seconds: float


def fill(url: str, *, interactions: int, feedback: int, chunks: int) -> None:
    """Add the judged answers with their votes; `interactions` is how many of them."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(QUERIES["add_library"], {"chunks": chunks})
        connection.execute("ANALYZE documents, chunks")
        add_interactions(url, first=1, last=interactions, chunks=chunks)
        values = {"topics": min(TOPICS, chunks), "judged": interactions}
        connection.execute(QUERIES["add_votes"], values)
        connection.execute("ANALYZE interactions, feedback")


def add_interactions(url: str, *, first: int, last: int, chunks: int) -> None:
    """Add answers by number, some thousands a statement."""
    with psycopg.connect(url, autocommit=True) as connection:
        for at in range(first, last + 1, ROWS_A_STATEMENT):
            until = min(last, at + ROWS_A_STATEMENT - 1)
            values = {"first": at, "last": until, "chunks": chunks, "topics": min(TOPICS, chunks)}
            connection.execute(QUERIES["add_interactions"], values)
        connection.execute("VACUUM ANALYZE interactions")


def measure_read(url: str, query: str) -> float:
    """Seconds to fetch rows once through a cursor and look at none of them."""
    began = time.perf_counter()
    with psycopg.connect(url) as connection, connection.cursor(name="read", binary=True) as cursor:
        cursor.itersize = ROWS_A_FETCH
        cursor.execute(QUERIES[query])
        while cursor.fetchmany(ROWS_A_FETCH):
            pass
    return time.perf_counter() - began


def measure_collection(url: str, *, seed: int) -> Collection:
    """Collect in a fresh process, whose memory is nobody else's."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_collect, (url, seed))


def _collect(url: str, seed: int) -> Collection:
    return asyncio.run(_collect_once(url, seed))


async def _collect_once(url: str, seed: int) -> Collection:
    async with Database(url) as database:
        runs, now = Runs(database), datetime.now(UTC) + timedelta(hours=1)
        run = await runs.rehearse(
            night=now.date(), requested_by="benchmark", window_from=now - timedelta(days=365), window_to=now
        )
        began = time.perf_counter()
        collected = await collect(database, runs, run, CollectSettings(max_pairs=MOST_PAIRS, seed=seed))
        seconds = time.perf_counter() - began
        await runs.finish(run.id, "done")
    return Collection(seconds, read_peak_mib(), collected.counts)


def read_peak_mib() -> float:
    """The largest resident memory of this process so far; what a parent had before the exec does not count."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


async def _migrate(url: str) -> None:
    async with Database(url) as database:
        await migrate(database)


def measure(url: str, *, interactions: int, feedback: int, chunks: int, seed: int) -> Figures:
    """Fill, collect, fill up, collect again, read."""
    uvloop.run(_migrate(url))
    judged = round(feedback / VOTES_AN_ANSWER)
    fill(url, interactions=judged, feedback=feedback, chunks=chunks)
    before = measure_collection(url, seed=seed)
    add_interactions(url, first=judged + 1, last=interactions, chunks=chunks)
    whole = measure_collection(url, seed=seed)
    return Figures(
        interactions=interactions,
        votes=whole.counts["votes"],
        judged_only=before,
        whole=whole,
        read_log_seconds=measure_read(url, "read_log"),
        read_judged_seconds=measure_read(url, "read_judged"),
    )


def build_figures(figures: Figures, conditions: Conditions) -> dict[str, Any]:
    """The JSON object."""
    whole = figures.whole
    return {
        "seconds": round(whole.seconds, 2),
        "peak_mib": round(whole.peak_mib, 1),
        "ratio_to_read": round(whole.seconds / figures.read_log_seconds, 3),
        "ratio_to_read_judged": round(whole.seconds / figures.read_judged_seconds, 3),
        "read_seconds": round(figures.read_log_seconds, 2),
        "read_judged_seconds": round(figures.read_judged_seconds, 2),
        "seconds_judged_only": round(figures.judged_only.seconds, 2),
        "peak_mib_judged_only": round(figures.judged_only.peak_mib, 1),
        "interactions": figures.interactions,
        "feedback": figures.votes,
        "pairs": whole.counts["pairs"],
        "pairs_per_second": round(whole.counts["pairs"] / whole.seconds, 1),
        "reconciled": whole.counts["reconciled"],
        **asdict(conditions),
    }


def build_table(figures: Figures) -> Table:
    """The same for people: both lengths of the log beside the bare reading."""
    table = Table(title="from the log to curated pairs")
    for column in ("log", "answers", "votes", "pairs", "seconds", "peak MiB", "of reading"):
        table.add_column(column, justify="left" if column == "log" else "right")
    for name, one, answers, read in (
        (
            "judged answers only",
            figures.judged_only,
            round(figures.votes / VOTES_AN_ANSWER),
            figures.read_judged_seconds,
        ),
        ("whole", figures.whole, figures.interactions, figures.read_log_seconds),
    ):
        cells = (
            f"{answers}",
            f"{figures.votes}",
            f"{one.counts['pairs']}",
            f"{one.seconds:.1f}",
            f"{one.peak_mib:.0f}",
        )
        table.add_row(name, *cells, f"{one.seconds / read:.2f}")
    return table


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--interactions", default=1_000_000, show_default=True, help="Answers in the log.")
@click.option("--feedback", default=30_000, show_default=True, help="Votes, about so many.")
@click.option("--chunks", default=20_000, show_default=True, help="Passages in the documents.")
@click.option("--seed", default=1, show_default=True, help="Of the split.")
@click.option("--database", "url", help="An empty database, postgresql://…; its rows stay. Default: an embedded one.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(interactions: int, feedback: int, chunks: int, seed: int, url: str | None, json_only: bool) -> None:
    """Measure and print."""
    console = Console(quiet=json_only, width=120)
    conditions = read_conditions(seed)
    console.print(conditions.line())
    with nullcontext(url) if url else open_embedded() as address:
        figures = measure(address, interactions=interactions, feedback=feedback, chunks=chunks, seed=seed)
    console.print(build_table(figures))
    console.print(f"dropped pairs: {figures.whole.counts['dropped_pairs']}; votes: {figures.whole.counts['fates']}")
    print(json.dumps(build_figures(figures, conditions)))


if __name__ == "__main__":
    main()
