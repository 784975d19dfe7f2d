"""`nightbake evaluate answers`: golden questions asked, and whose fault a wrong answer is, as a table of two by two."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from bot.exam import Cell, Examiner, Graded
from bot.golden import GoldenQuestion, load_golden
from bot.golden_questions import GoldenQuestions
from cli.ask import local_person
from cli.exam_journal import ExamJournal
from cli.house import SAMPLE, House, open_house
from cli.output import command, console, emit, escape, json_option, read_settings, say
from cli.progress import count_progress
from core.errors import InvalidInputError
from core.exams import Exams, Failed

# Stands for the questions of table and settings where a round needs the name of a file.
KNOWN = Path("known")
RIGHT: tuple[Cell, ...] = ("found_right", "missed_right", "refused")
MEANING: dict[Cell, str] = {
    "found_right": "retrieved, right",
    "found_wrong": "retrieved, wrong: the model",
    "missed_right": "not retrieved, right",
    "missed_wrong": "not retrieved, wrong: the search",
    "refused": "no document holds it, and we said so",
    "invented": "no document holds it, answered all the same",
}


@click.command()
@click.option(
    "--golden", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="JSON Lines; see docs/operations.md."
)
@click.option("--adapter", help="Ask this adapter, or `base`.  [default: the one that is served]")
@click.option("--resume", is_flag=True, help="Go on where Ctrl-C or a failure ended the same round.")
@json_option
@command
async def answers(golden: Path | None, adapter: str | None, resume: bool, as_json: bool) -> None:
    """Ask golden questions and say whose fault a wrong answer is: the search's or the model's.

    A question whose document was not among the passages is the search's to mend, one whose document was, the
    model's. Nothing is logged and nothing is learnt from it; the counts are kept for the next night's report. Asked are
    those of `nightbake golden` and of the file GOLDEN_QUESTIONS, or the sample's own where the sample is read and there
    are no others. Ctrl-C shows what was answered until then and keeps it for --resume.
    """
    async with open_house(read_settings()) as house:
        questions = await read_golden(house, golden)
        name = await house.choose_adapter(adapter)
        journal = ExamJournal(house.home / "unfinished", golden or KNOWN, name, resume=resume)
        graded, left = journal.read(questions)
        if graded and not resume:
            say(f"starting anew; {len(graded)} answers of a round that was stopped wait for --resume", quiet=as_json)
            graded, left = [], questions
        try:
            await _ask(house, left, name, journal, graded, quiet=as_json)
        finally:
            if len(graded) < len(questions):
                say(f"{len(graded)} of {len(questions)} answered and kept; go on with --resume", quiet=as_json)
        await _record(house, graded, by=local_person(), adapter=name)
        journal.end()
    if as_json:
        emit(_sum_up(graded, name))
    else:
        _show(graded, name)


async def _ask(
    house: House,
    questions: Sequence[GoldenQuestion],
    adapter: str | None,
    journal: ExamJournal,
    graded: list[Graded],
    *,
    quiet: bool,
) -> None:
    """Add the answers to `graded` and to the journal as they come."""
    if not questions:
        return
    try:
        async with house.model_running(quiet=quiet):
            with count_progress("asking", len(questions), quiet=quiet) as advance:
                async for one in Examiner(house.finder, house.composer).examine(questions, adapter=adapter):
                    await asyncio.to_thread(journal.add, one)
                    graded.append(one)
                    advance()
    except asyncio.CancelledError:
        if graded and not quiet:
            _show(graded, adapter)
        raise


async def read_golden(house: House, given: Path | None) -> list[GoldenQuestion]:
    """Those of the file that was named, else all that are known; see `find_known`.

    Raises:
        InvalidInputError: there are none, or the file is none of golden questions.
    """
    found = load_golden(given) if given else await find_known(house, with_sample=True)
    if not found:
        raise InvalidInputError(
            "expected golden questions, got none; `nightbake golden add` or `golden import` stores some, and "
            "--golden or GOLDEN_QUESTIONS names a file"
        )
    return found


async def find_known(house: House, *, with_sample: bool = False) -> list[GoldenQuestion]:
    """Golden questions of the file of GOLDEN_QUESTIONS and of the table, each once, the file's first.

    Args:
        with_sample: where there are none of either, and the sample is read, the sample's.

    Raises:
        InvalidInputError: the file is none of golden questions.
    """
    file = house.settings.golden_questions
    of_file = load_golden(file) if file else []
    same = {(one.question, tuple(sorted(one.principals))) for one in of_file}
    stored = await GoldenQuestions(house.pools.console).find_asked()
    found = [*of_file, *(one for one in stored if (one.question, tuple(one.principals)) not in same)]
    if not found and with_sample and house.has_sample:
        return load_golden(SAMPLE / "golden.jsonl")
    return found


async def examine_for_report(house: House) -> None:
    """Ask the golden questions that are known, where there are any, of what is served, so that the report can tell.

    Raises:
        InvalidInputError: the file is none of golden questions.
    """
    questions, name = await find_known(house), await house.choose_adapter(None)
    if not questions:
        return
    asked = Examiner(house.finder, house.composer).examine(questions, adapter=name)
    await _record(house, [one async for one in asked], by="schedule", adapter=name)


async def count_right(house: House, adapter: str | None, limit: int) -> tuple[int, int]:
    """Ask up to `limit` of the golden questions of one adapter; how many it got right, of how many asked.

    Raises:
        InvalidInputError: the file is none of golden questions.
    """
    questions = (await find_known(house))[:limit]
    asked = Examiner(house.finder, house.composer).examine(questions, adapter=adapter)
    graded = [one async for one in asked]
    return sum(one.cell in RIGHT for one in graded), len(graded)


async def _record(house: House, graded: Sequence[Graded], *, by: str, adapter: str | None) -> None:
    failed: list[Failed] = [
        {"id": one.golden.id, "question": one.golden.question, "cell": one.cell}
        for one in graded
        if one.cell not in RIGHT
    ]
    await Exams(house.pools.console).record(by=by, adapter=adapter, cells=_count(graded), failed=failed)


def _count(graded: Sequence[Graded]) -> dict[str, dict[str, int]]:
    """Language -> cell -> questions; every cell is there, also where it is empty."""
    languages = sorted({one.golden.language for one in graded})
    counted = Counter((one.golden.language, one.cell) for one in graded)
    return {language: {cell: counted[language, cell] for cell in MEANING} for language in languages}


def _sum_up(graded: Sequence[Graded], adapter: str | None) -> dict[str, Any]:
    counted = Counter(one.cell for one in graded)
    return {
        "questions": len(graded),
        "right": sum(counted[cell] for cell in RIGHT),
        **{cell: counted[cell] for cell in MEANING},
        "languages": _count(graded),
        "adapter": adapter,
        "failed": [
            {"id": one.golden.id, "question": one.golden.question, "cell": one.cell, "answer": one.answer}
            for one in graded
            if one.cell not in RIGHT
        ],
    }


def _show(graded: Sequence[Graded], adapter: str | None) -> None:
    counts = _count(graded)
    table = Table("", *counts, "all", header_style="bold")
    for cell, meaning in MEANING.items():
        shown = [counts[language][cell] for language in counts]
        style = "green" if cell in RIGHT else "red" if sum(shown) else "dim"
        table.add_row(f"[{style}]{meaning}[/]", *(str(number) for number in (*shown, sum(shown))))
    for one in graded:
        if one.cell not in RIGHT:
            console.print(f"[red]{MEANING[one.cell]}[/]  {escape(one.golden.question)}\n  [dim]{escape(one.answer)}[/]")
    console.print(table)
    right = sum(one.cell in RIGHT for one in graded)
    console.print(f"{right} of {len(graded)} right, by {adapter or 'the base model'}")
