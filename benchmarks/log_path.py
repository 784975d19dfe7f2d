"""How many answers and votes a second the log takes, each committed before its person hears of it.

A durable answer is what `bot/answer.py` does around a model: begin (the question is committed before the model is
asked), stream over HTTP from a process that answers at once, finish (messages of about 3 kB, three passages, sampling
and tokens, committed), and only then the client goes on. A vote is a row that is committed and visible to any reader
when the call returns. The baseline is the same clients and the same model server without a log.

    python -m benchmarks.log_path                          # about a minute, with an embedded PostgreSQL of its own
    python -m benchmarks.log_path --clients 8 --seconds 10 --seed 7
    python -m benchmarks.log_path --database postgresql://localhost/scratch --json-only
"""

import asyncio
import json
import secrets
import sys
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

from benchmarks.commit_floor import measure_commits
from benchmarks.instant_model_server import MODEL, run_instant_model_server
from benchmarks.log_workload import Cell, Workload, run_clients
from benchmarks.machine import Conditions, read_conditions
from benchmarks.scratch_database import check_durability, crash, open_embedded
from core.database import Database
from core.migrate import migrate
from core.model_server import ModelServer

HEADLINE_CLIENTS = 8
COMMITS_PER_ANSWER = 2  # begin and finish


@dataclass(slots=True)
class Row:
    """Everything measured at one number of clients."""

    clients: int
    baseline: Cell
    answers: Cell
    voted: Cell
    votes: Cell
    commits_per_second: float


async def measure(workload: Workload, url: str, *, clients: int, seconds: float) -> Row:
    """Every cell at one number of clients, the baseline right before what it is compared with."""
    floor = await asyncio.to_thread(measure_commits, url, clients=clients, seconds=seconds)
    return Row(
        clients=clients,
        baseline=await run_clients(workload.answer_unlogged, clients=clients, seconds=seconds),
        answers=await run_clients(workload.answer, clients=clients, seconds=seconds),
        voted=await run_clients(workload.answer_and_vote, clients=clients, seconds=seconds),
        votes=await run_clients(workload.vote, clients=clients, seconds=seconds),
        commits_per_second=floor,
    )


def check_counts(url: str, workload: Workload) -> None:
    """Hold the tables against what was acknowledged: every answer finished with its messages, every vote there."""
    answers, votes = len(workload.answer_ids), workload.votes
    with psycopg.connect(url) as connection:
        stored = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE finished_at IS NOT NULL AND jsonb_array_length(messages) = 2 "
            "AND jsonb_array_length(passages) = 3) FROM interactions WHERE starts_with(conversation_key, %s)",
            (workload.run,),
        ).fetchone()
        voted = connection.execute(
            "SELECT count(*) FROM feedback JOIN interactions ON interactions.id = interaction_id "
            "WHERE starts_with(conversation_key, %s)",
            (workload.run,),
        ).fetchone()
    if stored != (answers, answers) or voted != (votes,):
        raise SystemExit(f"acknowledged {answers} answers and {votes} votes, found {stored} and {voted}")


async def run(url: str, *, clients: list[int], seconds: float, seed: int) -> tuple[list[Row], Workload]:
    """Every row of the table, and the workload with its count of what was acknowledged."""
    with run_instant_model_server() as model_url:
        model_server = ModelServer(model_url, MODEL)
        try:
            async with Database(url) as database:
                await migrate(database)
                workload = Workload(
                    database=database, model_server=model_server, seed=seed, run=f"benchmark:{secrets.token_hex(4)}"
                )
                rows = [await measure(workload, url, clients=count, seconds=seconds) for count in clients]
        finally:
            await model_server.close()
    return rows, workload


def build_figures(rows: list[Row], conditions: Conditions) -> dict[str, Any]:
    """The JSON object: one key a figure and number of clients; names without a number are those at 8 clients."""
    figures: dict[str, Any] = {}
    for row in rows:
        named = {
            "durable_answers_per_second": row.answers.rate,
            "answer_p50_ms": row.answers.milliseconds(0.5),
            "answer_p99_ms": row.answers.milliseconds(0.99),
            "baseline_answers_per_second": row.baseline.rate,
            "baseline_p50_ms": row.baseline.milliseconds(0.5),
            "baseline_p99_ms": row.baseline.milliseconds(0.99),
            "votes_per_second": row.votes.rate,
            "vote_p50_ms": row.votes.milliseconds(0.5),
            "vote_p99_ms": row.votes.milliseconds(0.99),
            "vote_after_answer_p50_ms": row.voted.milliseconds(0.5),
            "vote_after_answer_p99_ms": row.voted.milliseconds(0.99),
            "commits_per_second_floor": row.commits_per_second,
        }
        figures |= {f"{name}_{row.clients}": round(value, 2) for name, value in named.items()}
        figures[f"answers_allowed_by_commits_{row.clients}"] = round(row.commits_per_second / COMMITS_PER_ANSWER, 2)
        figures[f"answers_to_baseline_{row.clients}"] = round(row.answers.rate / row.baseline.rate, 3)
    headline = next((row for row in rows if row.clients == HEADLINE_CLIENTS), rows[-1]).clients
    for name in ("vote_after_answer_p99_ms", "commits_per_second_floor"):
        figures[name] = figures[f"{name}_{headline}"]
    return figures | asdict(conditions)


def build_table(rows: list[Row]) -> Table:
    """The same for people: what a log costs beside none, and beside what the disk can do."""
    table = Table(title="the log's path: answers and votes committed before they are acknowledged")
    for column in ("clients", "loop", "a second", "p50 ms", "p99 ms", "of no log", "commits allow", "of these"):
        table.add_column(column, justify="left" if column == "loop" else "right")
    for row in rows:
        cells = {
            "no log": row.baseline,
            "answers": row.answers,
            "votes after answers": row.voted,
            "votes": row.votes,
        }
        for name, cell in cells.items():
            share = f"{cell.rate / row.baseline.rate:.0%}" if cell in (row.baseline, row.answers) else ""
            commits = COMMITS_PER_ANSWER if cell is row.answers else 1
            floor = (
                _beside_floor(cell, row.commits_per_second / commits) if cell in (row.answers, row.votes) else ("", "")
            )
            latencies = (f"{cell.milliseconds(part):.1f}" for part in (0.5, 0.99))
            table.add_row(str(row.clients), name, f"{cell.rate:.0f}", *latencies, share, *floor)
        table.add_section()
    return table


def _beside_floor(cell: Cell, allowed: float) -> tuple[str, str]:
    return f"{allowed:.0f}", f"{cell.rate / allowed:.0%}"


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--clients", default="1,8,32", show_default=True, help="Numbers of clients at once, with commas.")
@click.option("--seconds", default=3.0, show_default=True, help="Length of each loop; a number of clients has five.")
@click.option("--seed", default=1, show_default=True, help="Of the passages' text.")
@click.option("--database", "url", help="A scratch database, postgresql://…; its rows stay. Default: an embedded one.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(clients: str, seconds: float, seed: int, url: str | None, json_only: bool) -> None:
    """Measure, check what was kept, print."""
    console = Console(quiet=json_only, width=120)
    conditions = read_conditions(seed)
    console.print(conditions.line())
    with nullcontext(url) if url else open_embedded() as address:
        check_durability(address)
        counts = [int(count) for count in clients.split(",")]
        rows, workload = uvloop.run(run(address, clients=counts, seconds=seconds, seed=seed))
        if not url:
            crash(address)
        check_counts(address, workload)
    console.print(build_table(rows))
    console.print(
        "commits allow: single-row commits by pgbench with as many connections, two an answer and one a vote. "
        "More than 100% is what shared commits bring. "
        f"Found every acknowledged row{' after a crash of the server' if not url else ''}: "
        f"{len(workload.answer_ids)} answers, {workload.votes} votes."
    )
    print(json.dumps(build_figures(rows, conditions)))


if __name__ == "__main__":
    main()
