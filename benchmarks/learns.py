"""Does it learn? Employees vote on the bot's answers, nights pass, and questions that nobody asked tell.

Forty employees know the right answers and have tastes that nothing tells the bot. They ask, and vote on a part of the
answers, some of them mistakenly; after every day comes a whole night: pairs, training, served proof, gate, switch.
The same questions, never asked by anybody, are answered before the first night and after each: how many answers are
right, cite a document that holds the answer, and suit the company's taste. Documents, search, model, server and gate
are the product's own; only time is not: after a night the log is moved a day back.

    python -m benchmarks.learns                                    # 6 cells of 14 nights on the sample handbook: days
    python -m benchmarks.learns --nights 2 --questions 20 --held-out 10 --cells 1:0   # tens of minutes on two cores
    python -m benchmarks.learns --dataset DIR --plot learns.svg    # corpus.jsonl and queries.jsonl
"""

import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import psycopg
import uvloop
from psycopg import sql
from pydantic import SecretStr
from rich.console import Console

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


from benchmarks.learns_figures import Cell, Lived, Night, Quality, build_figures, build_table, draw, say_night
from benchmarks.learns_workload import (
    Employee,
    Exercise,
    choose_pools,
    hire,
    judge,
    measure_tastes,
    open_corpus,
)
from benchmarks.machine import read_conditions
from benchmarks.scratch_database import open_embedded, open_folder
from bot.answer import Asked
from bot.exam import Examiner
from bot.side_by_side import take_answers
from cli.demo import borrow_model, find_free_port
from cli.house import House, open_house
from cli.ingest import ingest_with_progress
from cli.terminal_reply import TerminalReply
from core.records import Feedback
from core.settings import Settings
from core.settings_loading import load_settings
from core.sql import load_queries
from core.telemetry import configure_logging
from learning.economy import RIGHT_CELLS
from learning.nightly import run_night

QUERIES = load_queries(__file__)
CELLS = "0.03:0,0.03:0.1,0.03:0.3,0.3:0,0.3:0.1,0.3:0.3"


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of a run, and what is asked."""

    nights: int
    questions: int
    asked: Sequence[Exercise]
    held_out: Sequence[Exercise]
    employees: Sequence[Employee]
    seed: int


async def live_through(house: House, plan: Plan, cell: Cell, console: Console) -> list[Night]:
    """The days and nights of one cell."""
    chance = random.Random(f"{plan.seed} {cell.vote_rate} {cell.noise}")
    quality = await examine(house, plan, None)
    lived = [Night(0, quality)]
    console.print(say_night(cell, lived[0]))
    for number in range(1, plan.nights + 1):
        began = time.monotonic()
        votes = await spend_day(house, plan, cell, chance)
        asked = time.monotonic()
        result = await run_night(
            database=house.database,
            model_server=house.model_server,
            home=house.home,
            settings=house.read_night_settings(),
            requested_by="benchmark",
            night=datetime.now(UTC).date() + timedelta(days=number - plan.nights),
        )
        slept = time.monotonic()
        if result.switched:
            quality = await examine(house, plan, result.adapter)
        seconds = {"day": asked - began, "night": slept - asked, "examine": time.monotonic() - slept}
        verdict = result.verdict or result.reason or result.state
        lived.append(Night(number, quality, votes, result.pairs, verdict, result.switched, seconds))
        console.print(say_night(cell, lived[-1]))
        await house.database.execute(QUERIES["end_day"])
    return lived


async def spend_day(house: House, plan: Plan, cell: Cell, chance: random.Random) -> int:
    """Employees ask, and some vote; how many did."""
    (last,) = await house.database.fetch_dicts(QUERIES["find_last"])
    chosen = [(chance.choice(plan.asked), chance.choice(plan.employees)) for _ in range(plan.questions)]
    asking = (ask(house, exercise, employee) for exercise, employee in chosen)
    answered = [answer async for answer in take_answers(asking)]
    votes = 0
    for (exercise, employee), (interaction_id, text) in zip(chosen, answered, strict=True):
        if chance.random() >= cell.vote_rate:
            continue
        wrong = chance.choice(plan.asked)
        judged = judge(text, exercise, employee, wrong, noise=cell.noise, chance=chance)
        given = Feedback(interaction_id, employee.name, judged.value, "benchmark", correction=judged.correction)
        await house.feedback.record(given)
        votes += 1
    await house.database.execute(QUERIES["spread_day"], {"after": last["id"]})
    return votes


async def ask(house: House, exercise: Exercise, employee: Employee) -> tuple[int, str]:
    """One question through the bot; the interaction and the answer as it was shown."""
    conversation = f"learns:{employee.name}:{exercise.golden.id}"
    asked = Asked("cli", conversation, employee.name, ["everyone"], exercise.golden.question)
    answer = await house.answerer.answer(asked, TerminalReply(silent=True))
    return answer.interaction_id, answer.text


async def examine(house: House, plan: Plan, adapter: str | None) -> Quality:
    """The held-out questions, asked without a trace."""
    golden = [one.golden for one in plan.held_out]
    graded = [one async for one in Examiner(house.finder, house.composer).examine(golden, adapter=adapter)]
    rights = tuple(one.cell in RIGHT_CELLS for one in graded)
    count = len(graded)
    return Quality(
        right=sum(rights) / count,
        cited=sum(one.cites_source for one in graded) / count,
        taste=sum(measure_tastes(one.answer, plan.employees) for one in graded) / count,
        rights=rights,
    )


async def measure(
    plan: Plan, cells: Sequence[Cell], settings: Settings, documents: Path, console: Console
) -> list[Lived]:
    """Every cell from the same documents, in a database of its own, under one model server."""
    assert settings.database_url
    server = settings.database_url.get_secret_value()
    base = replace_database(server, "documents")
    async with open_house(settings.model_copy(update={"database_url": base})) as house:
        await ingest_with_progress(house, [documents], quiet=True)
    lived: list[Lived] = []
    keeper = settings.model_copy(update={"database_url": replace_database(server, "keeper")})
    async with open_house(keeper) as house, house.model_running(quiet=True):
        for at, cell in enumerate(cells):
            url = replace_database(server, f"cell_{at}", template="documents")
            async with open_house(settings.model_copy(update={"database_url": url})) as own:
                await own.search.warm_up()
                lived.append((cell, await live_through(own, plan, cell, console)))
    return lived


def replace_database(address: str, name: str, *, template: str | None = None) -> SecretStr:
    """Create a database on the server, perhaps as a copy; its address."""
    with psycopg.connect(address, autocommit=True) as connection:
        copy = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + copy)
    return SecretStr(address.replace("/postgres?", f"/{name}?"))


def read_cells(text: str) -> list[Cell]:
    """`0.03:0.1,0.3:0`: vote rate and noise of each cell.

    Raises:
        click.BadParameter: it is written otherwise.
    """
    try:
        cells = [Cell(*map(float, part.split(":", 1))) for part in text.split(",")]
    except (TypeError, ValueError) as error:
        raise click.BadParameter(f"expected VOTE_RATE:NOISE, comma-separated, got {text!r}") from error
    if not all(0 < cell.vote_rate <= 1 and 0 <= cell.noise < 1 for cell in cells):
        raise click.BadParameter(f"expected rates above 0 and up to 1, and noise below 1, got {text!r}")
    return cells


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--nights", default=14, show_default=True, type=click.IntRange(1), help="Days and nights of a cell.")
@click.option("--questions", default=200, show_default=True, type=click.IntRange(1), help="Asked a day.")
@click.option("--held-out", default=60, show_default=True, type=click.IntRange(1), help="Questions that nobody asks.")
@click.option("--cells", default=CELLS, show_default=True, help="VOTE_RATE:NOISE, comma-separated.")
@click.option(
    "--dataset",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with corpus.jsonl and queries.jsonl.  [default: the sample handbook]",
)
@click.option("--documents", default=2000, show_default=True, help="Of the data set, at most.")
@click.option("--pool", default=600, show_default=True, help="Different questions of the data set, at most.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Write the plots (SVG) to this file.")
@click.option("--seed", default=1, show_default=True, help="Of people, questions and votes.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(
    nights: int,
    questions: int,
    held_out: int,
    cells: str,
    dataset: Path | None,
    documents: int,
    pool: int,
    plot: Path | None,
    seed: int,
    json_only: bool,
) -> None:
    """Measure and print."""
    console = Console(quiet=json_only, width=140)
    conditions, chosen = read_conditions(seed), read_cells(cells)
    console.print(conditions.line())
    began = time.monotonic()
    with open_folder() as folder, open_embedded() as address:
        corpus, exercises = open_corpus(dataset, questions=pool, documents=documents, folder=folder, seed=seed)
        asked, kept = choose_pools(exercises, held_out=held_out, seed=seed)
        if not asked:
            raise click.UsageError(
                f"expected questions besides the {held_out} held-out ones, got {len(exercises)} in all"
            )
        plan = Plan(nights, questions, asked, kept, hire(seed), seed)
        settings = prepare(folder / "home", address)
        lived = uvloop.run(measure(plan, chosen, settings, corpus, console))
    console.print(build_table(lived))
    if plot:
        plot.write_text(draw(lived), encoding="utf-8")
    figures = build_figures(lived) | {
        "nights": nights,
        "questions_a_day": questions,
        "held_out": len(kept),
        "dataset": dataset.name if dataset else "sample handbook",
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(figures | asdict(conditions)))


def prepare(home: Path, address: str) -> Settings:
    """Settings of the environment with a state folder, database and port of the run's own."""
    given = load_settings()
    settings = load_settings(
        nightbake_home=home,
        database_url=SecretStr(address),
        documents=None,
        model_port=find_free_port(),
        golden_questions=None,
    )
    configure_logging(level=settings.log_level, file=home / "logs" / "nightbake.log")
    borrow_model(given.nightbake_home.resolve(), settings)
    return settings


if __name__ == "__main__":
    main()
