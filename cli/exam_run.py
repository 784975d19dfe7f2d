"""`nightbake exam run`: the pinned exam and the golden questions, asked every way that is compared."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bot.golden import GoldenQuestion
from bot.golden_questions import GoldenQuestions
from bot.needle import probe
from cli.ask import local_person
from cli.exam import find_known, read_golden
from cli.exam_asking import Plan, Sitting
from cli.exam_journal import Journal
from cli.exam_tables import print_results
from cli.exam_ways import choose_ways, find_open_examples, read_adapters, to_item
from cli.house import House, open_house
from cli.needle import find_hay
from cli.output import AT_MOST, command, emit, json_option, open_for_writing, read_settings, say
from cli.progress import count_progress
from core.errors import InvalidInputError, NotFoundError
from core.exams import Exams
from core.prompt import Language
from learning.exams.comparison import WAYS, Way, draw_all
from learning.exams.geval import CRITERIA
from learning.exams.pinned import Pinned, PinnedExams, PinnedItem
from learning.exams.results import Answers, compare_all, measure_all
from learning.exams.sitting import By, Help

PARTS = ("items", "golden")
BYS: dict[str, tuple[By, ...]] = {
    "likelihood": ("likelihood",),
    "generation": ("generation",),
    "both": ("generation", "likelihood"),
}
# Prompts of the short grid, in tokens.
NEEDLE_LENGTHS, NEEDLE_DEPTHS = (1024, 2048), (0.0, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is held: an exam with its items, or none, and golden questions."""

    pinned: Pinned | None
    items: list[PinnedItem]
    golden: list[GoldenQuestion]


@click.command()
@click.option("--exam", "name", help="A pinned exam, as `exam list` calls it.  [default: the newest]")
@click.option("--way", "ways", multiple=True, type=click.Choice(WAYS), help="May be repeated.  [default: all]")
@click.option("--adapter", "adapters", multiple=True, help="[WAY=]NAME, of sft or sft_dpo.  [default: the newest]")
@click.option("--by", default="both", show_default=True, type=click.Choice(list(BYS)), help="How options are scored.")
@click.option("--only", type=click.Choice(PARTS), help="Hold this part only.  [default: both]")
@click.option(
    "--golden", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Golden questions of this file."
)
@click.option("--judge", "criteria", multiple=True, type=click.Choice([*CRITERIA, "all"]), help="G-Eval by this.")
@click.option("--judge-model", help="A served model that judges.  [default: the base model]")
@click.option("--needle", is_flag=True, help="Also hide facts in passages, in a short grid of lengths and depths.")
@click.option("--limit", type=AT_MOST, help="Of items, and of golden questions, so many at most.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Write the picture (SVG) here.")
@click.option("--language", default="en", show_default=True, type=click.Choice(["en", "ko"]), help="Of the picture.")
@click.option("--resume", is_flag=True, help="Go on where Ctrl-C or a failure ended a run.")
@json_option
@command
async def run(
    name: str | None,
    ways: tuple[Way, ...],
    adapters: tuple[str, ...],
    by: str,
    only: str | None,
    golden: Path | None,
    criteria: tuple[str, ...],
    judge_model: str | None,
    needle: bool,
    limit: int | None,
    picture: Path | None,
    language: Language,
    resume: bool,
    as_json: bool,
) -> None:
    """Hold the pinned exam and ask the golden questions, every way beside the others.

    base asks the model alone, few_shot after examples, rag as the bot does, sft and sft_dpo as the bot does with an
    adapter. Every number has its 95 % interval, and each way is held against the first on the same questions. Nothing
    is logged or learnt from; the numbers are kept for reports. Ctrl-C keeps what was answered for --resume.
    """
    began = time.monotonic()
    wanted: list[Way] = [way for way in WAYS if way in ways] or list(WAYS)
    named = read_adapters(adapters, wanted)
    async with open_house(read_settings()) as house:
        asked = await _find_asked(house, name, golden, only, limit)
        async with house.model_running(quiet=as_json):
            helps, skipped = await choose_ways(house, wanted, named)
            if not helps:
                raise InvalidInputError("expected a way that can be held, got " + "; ".join(skipped.values()))
            for way, reason in skipped.items():
                say(f"{way} is left out: {reason}", quiet=as_json)
            chosen = tuple(CRITERIA.values()) if "all" in criteria else tuple(CRITERIA[one] for one in criteria)
            plan = Plan(
                helps,
                [to_item(one) for one in asked.items],
                asked.golden,
                BYS[by],
                await find_open_examples(house) if any(one.way == "few_shot" for one in helps) else {},
                criteria=chosen,
                judged=await GoldenQuestions(house.database).find_judged(),
                judge=judge_model,
            )
            answers = await _sit(house, plan, resume=resume, needle=needle, quiet=as_json)
        results = measure_all(answers)
        facts = _tell_facts(house, plan, asked, skipped) | {"seconds": round(time.monotonic() - began, 1)}
        exam_id = asked.pinned.id if asked.pinned else None
        run_id = await Exams(house.database).record_run(
            by=local_person(), exam_id=exam_id, facts=facts, results=results
        )
        _open_journal(house, resume=True).end()
    if picture:
        with open_for_writing(picture) as file:
            file.write(draw_all(compare_all(answers, language), language))
        say(f"picture: {picture}", quiet=as_json)
    if as_json:
        emit({"run_id": run_id, **facts, **results})
        return
    print_results(facts, results)
    say(f"kept as run {run_id}; `nightbake exam results` shows it again")


async def _find_asked(
    house: House, name: str | None, golden: Path | None, only: str | None, limit: int | None
) -> _Asked:
    """What is to be asked.

    Raises:
        NotFoundError: there is no pinned exam, and not only golden questions are wanted.
        InvalidInputError: there is nothing to ask.
    """
    pinned, items, questions = None, [], []
    if only != "golden":
        pinned = await _get_pinned(house, name)
        items = (await PinnedExams(house.database).find_items(pinned.id))[:limit]
        if not items:
            raise InvalidInputError(f"expected items in {pinned.name}, got none: their documents have gone; pin anew")
    if golden is not None or only == "golden":
        questions = await read_golden(house, golden)
    elif only is None:
        questions = await find_known(house, with_sample=True)
    return _Asked(pinned, items, _spread(questions, limit))


def _spread(questions: list[GoldenQuestion], limit: int | None) -> list[GoldenQuestion]:
    """So many from all over the list: files hold one language after the other."""
    count = len(questions)
    if limit is None or limit >= count:
        return questions
    return [questions[at * count // limit] for at in range(limit)]


async def _get_pinned(house: House, name: str | None) -> Pinned:
    try:
        return await PinnedExams(house.database).get(name)
    except NotFoundError as error:
        raise NotFoundError(f"{error}; --only golden asks golden questions alone") from error


async def _sit(house: House, plan: Plan, *, resume: bool, needle: bool, quiet: bool) -> Answers:
    journal = _open_journal(house, resume=resume)
    rows = journal.read()
    if rows and not resume:
        say(f"starting anew; {len(rows)} answers of a run that was stopped wait for --resume", quiet=quiet)
        rows = {}
    done = 0
    try:
        with count_progress("asking", plan.count, quiet=quiet) as advance:

            def step() -> None:
                nonlocal done
                done += 1
                advance()

            sitting = Sitting(house, plan, journal, advance=step, tell=lambda text: say(text, quiet=quiet))
            answers = await sitting.run(rows)
    except BaseException:
        if done:
            say(f"{done} of {plan.count} answered and kept; go on with --resume", quiet=quiet)
        raise
    if needle:
        for help_ in (one for one in plan.helps if one.find_passages is not None):
            answers.needles[help_.way] = await _find_needles(house, help_, quiet=quiet)
    return answers


async def _find_needles(house: House, help_: Help, *, quiet: bool) -> list[bool]:
    """The short grid, in both languages of the documents."""
    longest = house.settings.model_context_tokens
    lengths = [length for length in NEEDLE_LENGTHS if length <= longest] or [longest]
    hay = await find_hay(house, ("en", "ko"), 0)
    grid = {"lengths": lengths, "depths": NEEDLE_DEPTHS, "repeats": 1, "seed": 0}
    found: list[bool] = []
    total = len(hay) * len(lengths) * len(NEEDLE_DEPTHS)
    with count_progress(f"needles, {help_.way}", total, quiet=quiet) as advance:
        async for one in probe(house.model_server, hay, adapter=help_.adapter, **grid):
            found.append(one.is_found)
            advance()
    return found


def _open_journal(house: House, *, resume: bool) -> Journal:
    return Journal(house.home / "unfinished" / "exam.jsonl", resume=resume)


def _tell_facts(house: House, plan: Plan, asked: _Asked, skipped: dict[Way, str]) -> dict[str, Any]:
    limits = house.composer.limits
    pinned = asked.pinned
    return {
        "exam": pinned.name if pinned else None,
        "items": len(plan.items),
        "items_gone": pinned.gone if pinned else 0,
        "golden_questions": len(plan.golden),
        "judged_answers": len(plan.judged),
        "ways": [one.way for one in plan.helps],
        "skipped": skipped,
        "adapters": {one.way: one.adapter for one in plan.helps if one.adapter},
        "model": house.model_server.model,
        "quantisation": house.quantisation,
        "judge": plan.judge or house.model_server.model if plan.criteria else None,
        "passages": limits.passages,
        "context_tokens": limits.context_tokens,
    }
