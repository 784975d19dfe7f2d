"""`nightbake evaluate retrieval`: how well the right documents are found, in figures."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from cli.house import open_house
from cli.output import command, console, emit, json_option, notes, read_settings, say
from cli.progress import ProgressLines
from core.errors import InvalidInputError
from retrieval.evaluate import Evaluation, evaluate_dataset, render_json, render_run
from retrieval.evaluate_dataset import Dataset, draw, read_dataset
from retrieval.evaluate_load import Report
from retrieval.evaluate_own import evaluate_own
from retrieval.search import Side


@click.command()
@click.option(
    "--dataset",
    "folder",
    type=click.Path(path_type=Path),
    help="A folder with corpus.jsonl {id, title, text} and queries.jsonl {id, text, relevant_ids}.",
)
@click.option("--own", is_flag=True, help="Ask what was made from your own documents instead.")
@click.option(
    "--mode",
    default="hybrid",
    show_default=True,
    type=click.Choice(["hybrid", "dense", "lexical"]),
    help="Which side of the search.",
)
@click.option("--queries", "count", type=click.IntRange(1), help="Draw so many questions instead of asking all.")
@click.option("--seed", default=0, show_default=True, help="Of that draw.")
@click.option("--run", "run_file", type=click.Path(path_type=Path, dir_okay=False), help="Also write a TREC run file.")
@json_option
@command
async def retrieval(
    folder: Path | None,
    own: bool,
    mode: Side,
    count: int | None,
    seed: int,
    run_file: Path | None,
    as_json: bool,
) -> None:
    """Measure the search on questions whose answers are known.

    A data set goes into a schema of its own in the database, which is dropped afterwards: your documents are not
    touched. With --own, questions are made from headings and sentences of your documents, and nothing is stored.
    """
    if own == bool(folder):
        raise InvalidInputError("expected either --dataset FOLDER or --own")
    dataset = await asyncio.to_thread(_read, folder, count, seed, quiet=as_json) if folder else None
    async with open_house(read_settings()) as house:
        with _progress(quiet=as_json) as report:
            if dataset:
                found = await evaluate_dataset(house.database.url, house.embedder, dataset, side=mode, report=report)
            else:
                found = await evaluate_own(
                    house.database, house.embedder, side=mode, max_queries=count, seed=seed, report=report
                )
    if run_file:
        await asyncio.to_thread(run_file.write_text, render_run(found, f"nightbake-{mode}"), "utf-8")
    if as_json:
        emit(render_json(found))
        return
    say(f"{found.documents} documents, {found.chunks} chunks, {len(found.answered)} questions, {mode}")
    console.print(_lay_out(found))


def _read(folder: Path, count: int | None, seed: int, *, quiet: bool) -> Dataset:
    dataset = read_dataset(folder)
    if dataset.skipped_entries or dataset.skipped_queries:
        say(
            f"left out: {dataset.skipped_entries} documents without text or with an id of another, "
            f"{dataset.skipped_queries} questions without text or answer",
            quiet=quiet,
        )
    return replace(dataset, queries=draw(dataset.queries, count, seed))


@contextmanager
def _progress(*, quiet: bool) -> Generator[Report]:
    """A bar on standard error for each stage, or lines where there is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    lines = ProgressLines(quiet=quiet)
    with Progress(*columns, console=notes, disable=quiet or not notes.is_terminal, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            lines.tell(stage, done, total)
            bar.update(tasks[stage], completed=done)

        yield report


def _lay_out(evaluation: Evaluation) -> Table:
    found = render_json(evaluation)
    languages: dict[str, dict[str, float]] = found.pop("languages")
    table = Table("", "all", *languages, box=None, header_style="dim")
    for name, value in found.items():
        table.add_row(name, str(value), *(str(measures.get(name, "")) for measures in languages.values()))
    return table
