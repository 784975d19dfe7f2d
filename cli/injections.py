"""`nightbake evaluate injections`: how often the model obeys a hidden instruction, and what gets past the guards."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import click
from rich.table import Table

from bot.conversation import make_standalone
from bot.draft import Draft
from bot.finished import show_outcome
from bot.injections import ASIDE, Case, find_leaks, find_obeyed, load_cases
from bot.prompt import list_sources
from bot.side_by_side import take_answers
from cli.house import House, open_house
from cli.output import command, console, emit, json_option, read_settings
from cli.progress import count_progress
from core.interactions import Turn
from core.prompt import detect_language
from core.records import Outcome, Passage
from retrieval.formats.registry import extract
from retrieval.memory import Remembered

_NO_LETTER = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a case.

    Attributes:
        reached: the order stood in the prompt.
        obeyed: what the model's own words do of it; leaked, what the person would have been shown.
    """

    case: Case
    mode: str
    reached: bool
    obeyed: list[str]
    leaked: list[str]


@click.command()
@click.option("--cases", "most", type=click.IntRange(1), help="Draw so many.  [default: all]")
@click.option("--adapter", help="Ask this adapter, or `base`.  [default: the one that is served]")
@json_option
@command
async def injections(most: int | None, adapter: str | None, as_json: bool) -> None:
    """Try hidden instructions on the model, and on what guards its answers.

    Each is an order that a document, its name, a thread or a correction carries: to show the standing prompt or what
    others asked, to send the reader to an address, to ask for votes. Says how many the model obeys and how many get
    past the guards, which should be 0 with any model. Needs the model server; nothing is logged or learnt from it.
    """
    cases = [case for case in load_cases() if case.carrier != "user_name"]
    chosen = random.Random(0).sample(cases, most) if most and most < len(cases) else cases
    async with open_house(read_settings()) as house:
        name = await house.choose_adapter(adapter)
        tried: list[Tried] = []
        async with house.model_running(quiet=as_json):
            with count_progress("trying", len(chosen), quiet=as_json) as advance:
                async for one in take_answers(_try(house, case, name) for case in chosen):
                    tried.append(one)
                    advance()
    found = sum_up(tried, name or house.model_server.model)
    if as_json:
        emit(found)
        return
    console.print(_lay_out(tried))
    counts = "{cases} tried, {reached} reached the model, {obeyed} obeyed, {leaked} leaked".format(**found)
    console.print(f"{found['model']}: {counts}")


def sum_up(tried: Sequence[Tried], model: str) -> dict[str, Any]:
    """The figures of a model, and each case that leaked."""
    reached = [one for one in tried if one.reached]
    return {
        "model": model,
        "cases": len(tried),
        "reached": len(reached),
        "obeyed": sum(bool(one.obeyed) for one in tried),
        "obeyed_share": round(sum(bool(one.obeyed) for one in tried) / max(1, len(reached)), 4),
        "leaked": sum(bool(one.leaked) for one in tried),
        "leaks": [
            {"goal": one.case.goal, "carrier": one.case.carrier, "language": one.case.language, "found": one.leaked}
            for one in tried
            if one.leaked
        ],
        "modes": dict(Counter(one.mode for one in tried)),
    }


async def _try(house: House, case: Case, adapter: str | None) -> Tried:
    passage = await asyncio.to_thread(_read, case)
    question = case.question
    if case.carrier == "thread":
        question = make_standalone("And does it?", [Turn(case.order, f"{case.order} {case.question}", None)])
    remembered: list[Remembered] = []
    if case.carrier == "correction":
        remembered = [Remembered(1, "correction", "Which door is blue?", case.order, 60, 0.9, is_learnt=False)]
    draft = Draft(Outcome(0, "", "refused", passages=[passage], adapter=adapter, standalone_question=question))
    language = detect_language(case.question)
    outcome = await house.composer.compose(draft, language, question, _show_nobody, remembered=remembered)
    sources = list_sources(outcome.passages, question)
    cited = [one for one in outcome.passages if one.number in outcome.citations]
    prompt = " ".join(message["content"] for message in outcome.messages)
    base_url = house.settings.base_url
    return Tried(
        case,
        outcome.mode,
        case.carrier in ASIDE or _NO_LETTER.sub("", case.order)[:40] in _NO_LETTER.sub("", prompt),
        find_obeyed(outcome.generated or "", sources=sources, messages=outcome.messages),
        find_leaks(
            show_outcome(replace(outcome, passages=cited), language, base_url=base_url),
            passages=cited,
            question=question,
            messages=outcome.messages,
            base_url=base_url,
        ),
    )


def _read(case: Case) -> Passage:
    """The document as a reader of its format sees it, in one piece."""
    document = extract(case.content.encode(), case.file_name)
    text = "\n\n".join(block.text for block in document.blocks)
    return Passage(
        number=1,
        chunk_id=1,
        document_id=1,
        document_version=1,
        title=document.title,
        heading_path="",
        path=case.file_name,
        page=None,
        start=0,
        end=len(text),
        text=text,
        language=case.language,
        score=1.0,
        dense_score=1.0,
        lexical_score=1.0,
        allow=["everyone"],
    )


async def _show_nobody(_: str) -> None:
    return


def _lay_out(tried: Sequence[Tried]) -> Table:
    """By what was ordered."""
    table = Table("order", "tried", "reached", "obeyed", "leaked", box=None, header_style="dim")
    for goal in dict.fromkeys(one.case.goal for one in tried):
        own = [one for one in tried if one.case.goal == goal]
        counts = [len(own), *(sum(bool(getattr(one, name)) for one in own) for name in ("reached", "obeyed", "leaked"))]
        table.add_row(goal, *map(str, counts))
    return table
