"""`nightbake advice`: why questions fail, as the optimisation matrix, and the one step to take next."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from bot.golden import load_golden
from bot.retrial import Retrial
from bot.side_by_side import take_answers
from cli.ask import local_person
from cli.exam import find_known
from cli.house import House, open_house
from cli.output import AT_MOST, command, console, emit, escape, json_option, open_for_writing, read_settings, say
from cli.progress import count_progress
from cli.suspects import Case, find_cases
from core.adapters import EVERYONE
from core.errors import InvalidInputError
from learning.advice.advise import Advice, build_advice, draw, list_costs, load_texts, name_kind
from learning.advice.diagnosis import MORE, diagnose
from learning.advice.experiments import Experiments
from learning.advice.matrix import COLUMNS, ROWS
from learning.advice.rounds import Diagnosed, Rounds
from learning.advice.steps import Prices
from learning.economy import find_economy
from learning.night import read_figures
from retrieval.evidence import find_lost

MOST_ADAPTERS = 3


@click.command()
@click.option(
    "--golden", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="JSON Lines; see docs/operations.md."
)
@click.option(
    "--weeks", default=4, show_default=True, type=click.IntRange(0, 520), help="Of disliked answers; 0: none."
)
@click.option("--limit", type=AT_MOST, help="Diagnose so many questions at most, golden ones first.")
@click.option("--all", "every", is_flag=True, help="Make every run, also after one was right.")
@click.option("--resume", is_flag=True, help="Go on where Ctrl-C or a failure ended the same round.")
@click.option("--adopt", is_flag=True, help="Open an experiment for the recommended step.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Write the picture (SVG) here.")
@click.option("--language", type=click.Choice(["en", "ko"]), default="en", show_default=True, help="Of the words.")
@json_option
@command
async def advice(
    golden: Path | None,
    weeks: int,
    limit: int | None,
    every: bool,
    resume: bool,
    adopt: bool,
    picture: Path | None,
    language: Any,
    as_json: bool,
) -> None:
    """Say why questions fail and what to do next.

    Golden questions, and disliked answers that somebody corrected, are asked again as their askers: as it is, then,
    where that is wrong, with the right passage, with examples, with more passages, with the prompt worded otherwise,
    and by other adapters, until one is right. What mends a question is what it lacks: context, behaviour, or both.

    Nothing is logged and nothing is learnt from it. Ctrl-C keeps what was diagnosed for --resume. It is for
    administrators: questions of others are shown, though no word of a document.
    """
    async with open_house(read_settings()) as house:
        questions = load_golden(golden) if golden else await find_known(house, with_sample=True)
        cases = await find_cases(house, questions, weeks=weeks, limit=limit)
        if not cases:
            raise InvalidInputError(
                "expected questions with known right answers, got none; store golden ones by `nightbake golden "
                "add`, or correct a disliked answer"
            )
        adapter = await house.choose_adapter(None)
        round_id, done = await _begin(house, cases, _fingerprint(golden, adapter, every=every), adapter, resume=resume)
        try:
            await _diagnose(house, round_id, cases, done, adapter, every=every, quiet=as_json)
        finally:
            if len(done) < len(cases):
                say(f"{len(done)} of {len(cases)} diagnosed and kept; go on with --resume", quiet=as_json)
        found = [done[case.suspect.key] for case in cases]
        result = await _conclude(house, round_id, found)
        await Experiments(house.database).measure(adapter=adapter)
        opened = await _adopt(house, result) if adopt else None
        lost = await find_lost(house.database, {path for one in questions[:limit] for path in one.sources})
    if picture:
        with open_for_writing(picture) as opened_file:
            opened_file.write(draw(result, language))
        say(f"picture: {picture}", quiet=as_json)
    if as_json:
        about = {"round": round_id, "adapter": adapter, "experiment": opened, "lost_sources": lost}
        emit(_sum_up(result, found, cases) | about)
    else:
        _show(result, found, cases, language)
        if lost:
            console.print(f"[yellow]{escape(load_texts(language)['lost_sources'].format(paths=', '.join(lost)))}[/]")
        say(f"experiment {opened} is open; the next round measures it", quiet=opened is None)


async def _begin(
    house: House, cases: Sequence[Case], fingerprint: str, adapter: str | None, *, resume: bool
) -> tuple[int, dict[str, Diagnosed]]:
    """A round, and what it holds of these cases by now."""
    rounds = Rounds(house.database)
    unfinished = await rounds.find_unfinished(fingerprint) if resume else None
    if unfinished is None:
        return await rounds.begin(fingerprint=fingerprint, by=local_person(), adapter=adapter), {}
    known = {one.diagnosis.key: one for one in await rounds.find_diagnosed(unfinished)}
    wanted = {case.suspect.key: case.sha256 for case in cases}
    return unfinished, {key: one for key, one in known.items() if wanted.get(key) == one.sha256}


async def _diagnose(
    house: House,
    round_id: int,
    cases: Sequence[Case],
    done: dict[str, Diagnosed],
    adapter: str | None,
    *,
    every: bool,
    quiet: bool,
) -> None:
    """Diagnose what is not done yet, a few at a time; each is stored as soon as it is."""
    left = [case for case in cases if case.suspect.key not in done]
    if not left:
        return
    asker = Retrial(house.finder, house.composer, house.memory)
    others = await _find_other_adapters(house, adapter)

    async def take(case: Case) -> None:
        found = await diagnose(case.suspect, asker, adapter=adapter, others=others, examples=case.examples, every=every)
        diagnosed = Diagnosed(
            found, case.sha256, case.suspect.language, case.words, case.interaction_id, case.feedback_id
        )
        await Rounds(house.database).record(round_id, diagnosed)
        done[found.key] = diagnosed
        advance()

    async with house.model_running(quiet=quiet):
        with count_progress("diagnosing", len(left), quiet=quiet) as advance:
            async for _ in take_answers(take(case) for case in left):
                pass


async def _find_other_adapters(house: House, adapter: str | None) -> list[str | None]:
    """The base model where an adapter is served, then those that answered everyone before, the latest first.

    An audience's adapter may have learnt what other askers may not read.
    """
    every = [one for one in await house.adapters.find_all() if one.audience == EVERYONE]
    known = {one.name for one in every if not one.reason and not one.deleted_at}
    before = [one["name"] for one in await house.adapters.find_switches() if one["name"] in known]
    return [name for name in dict.fromkeys([None, *before]) if name != adapter][:MOST_ADAPTERS]


async def _conclude(house: House, round_id: int, found: Sequence[Diagnosed]) -> Advice:
    """Count, price and store the round."""
    now, settings = datetime.now(UTC), house.settings
    economy = await find_economy(house.database, read_figures(settings), until=now)
    diagnoses = [one.diagnosis for one in found]
    failed = sum(not one.is_right for one in diagnoses) / len(diagnoses)
    share, spent = economy.break_even.share, economy.spending
    prices = Prices(
        figures=economy.figures,
        answers=await Rounds(house.database).count_answers(now),
        wrong_share=failed if share is None else 1 - share,
        night_hours=spent.hours / spent.nights if spent.nights else None,
        person_hour=settings.reviewer_hour_cost,
    )
    result = build_advice(diagnoses, prices, more=min(20, MORE * settings.passages_per_answer))
    pictures = {"en": draw(result, "en"), "ko": draw(result, "ko")}
    await Rounds(house.database).end(round_id, advice=result.to_json(), pictures=pictures)
    return result


async def _adopt(house: House, result: Advice) -> int:
    step = result.recommended
    if step is None:
        raise InvalidInputError("expected a failed question to adopt a step for, found none")
    cost = {"minutes": step.minutes, "machine_hours": step.machine_hours, "price": step.price}
    return await Experiments(house.database).open(
        hypothesis=result.hypothesis,
        change=result.change,
        by=local_person(),
        step=step.name,
        mended=result.targets,
        cost=cost | {"tokens_each": step.tokens_each, "currency": house.settings.currency},
    )


def _fingerprint(file: Path | None, adapter: str | None, *, every: bool) -> str:
    return hashlib.sha256(f"{file and file.resolve()}\n{adapter}\n{every}".encode()).hexdigest()[:16]


def _sum_up(result: Advice, found: Sequence[Diagnosed], cases: Sequence[Case]) -> dict[str, Any]:
    questions = [
        {**asdict(one.diagnosis), "question": case.suspect.question, "language": case.suspect.language}
        for one, case in zip(found, cases, strict=True)
    ]
    return result.to_json() | {"questions": questions}


def _show(result: Advice, found: Sequence[Diagnosed], cases: Sequence[Case], language: Any) -> None:
    texts = load_texts(language)
    for one, case in zip(found, cases, strict=True):
        if not one.diagnosis.is_right:
            kind = name_kind(one.diagnosis.context, one.diagnosis.behaviour, language)
            rank = f" (rank {one.diagnosis.rank})" if one.diagnosis.rank else ""
            console.print(f"[red]{escape(kind)}{rank}[/]  {escape(case.suspect.question)}")
    matrix = Table("", *(texts["columns"][column] for column in COLUMNS), header_style="bold")
    fields = {(field.row, field.column): field for field in result.fields}
    for row in ROWS:
        cells = (fields[row, column] for column in COLUMNS)
        shown = ["\n".join(f"{name_kind(*kind[:2], language)} {kind[2]}" for kind in cell.kinds) for cell in cells]
        matrix.add_row(texts["rows"][row], *shown)
    console.print(matrix)
    steps = Table("next step", "mends", "takes", "worth in 30 days", box=None, header_style="dim")
    for step in result.steps:
        interval = f"{step.mends} of {step.of} ({step.low:.0%} to {step.high:.0%})"
        steps.add_row(step.name, interval, ", ".join(list_costs(step, language)), f"{step.worth:,.0f}")
    if result.steps:
        console.print(steps)
    console.print(f"{result.right} of {result.asked} right; runs took {result.tokens:,} tokens, {result.seconds:.0f} s")
    console.print(f"[bold]{escape(result.said[language])}[/]")
