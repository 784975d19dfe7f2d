"""How much corrections help before any night: near questions, asked after 4, 8, 16 and 32 corrections.

Questions are asked until enough were answered wrongly. Those are corrected by employees, one after the other, while the
loops of the service remember them. The near questions, one of each, are rewritten by rules and corrected by nobody; all
of them are asked before the first correction and after each step, through the real bot and the embedded model. Others
that nobody corrects or rewrites say whether memory does harm. A night never comes.

    python -m benchmarks.memory                                  # the sample handbook: tens of minutes on two cores
    python -m benchmarks.memory --most 4 --control 2 --json-only # the smallest
    python -m benchmarks.memory --dataset DIR                    # corpus.jsonl and queries.jsonl
"""

import asyncio
import json
import random
import re
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import uvloop
from rich.console import Console

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.learns import prepare
from benchmarks.learns_workload import PEOPLE, Exercise, open_corpus
from benchmarks.machine import read_conditions
from benchmarks.scratch_database import open_embedded, open_folder
from bot.answer import Asked
from bot.golden import is_right
from bot.side_by_side import take_answers
from cli.house import House, open_house
from cli.ingest import ingest_with_progress
from cli.terminal_reply import TerminalReply
from core.prompt import Language, detect_language
from core.records import Feedback
from core.settings import Settings
from learning.remember import Remembering
from retrieval.memory import MemoryFilling

STEPS = (4, 8, 16, 32)
PATIENCE_SECONDS = 60.0
# How people ask the same otherwise; a question takes the first rule of each list that changes it, and one frame.
WORDS: dict[Language, tuple[tuple[str, str], ...]] = {
    "en": (
        (r"\bhow much\b", "what amount of"),
        (r"\bhow many\b", "what number of"),
        (r"\bhow long\b", "for how much time"),
        (r"\bby when\b", "until which day"),
        (r"\bwhere\b", "in which place"),
        (r"\bwho\b", "which person"),
        (r"\bwhen\b", "at what time"),
        (r"\bwhat is\b", "what's"),
        (r"\bcan i\b", "am I allowed to"),
        (r"\bdo i\b", "should I"),
    ),
    "ko": (
        (r"얼마나", "어느 정도"),
        (r"며칠", "몇 일"),
        (r"어디", "어느 곳"),
        (r"누가", "어느 분이"),
        (r"언제", "어느 때"),
    ),
}
FRAMES: dict[Language, tuple[str, ...]] = {
    "en": (
        "Could you tell me: {}",
        "A colleague wants to know, {}",
        "{} I need it for today.",
        "Sorry to ask again: {}",
    ),
    "ko": ("혹시 {}", "동료가 묻는데요, {}", "{} 오늘 필요해요.", "다시 여쭤봅니다. {}"),
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A question as the bot answered it."""

    interaction_id: int
    exercise: Exercise
    is_right: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """Shares in [0, 1] after so many corrections, and the tokens of examples of a near question's prompt."""

    corrections: int
    near: float
    control: float | None
    example_tokens: float


def rewrite(exercise: Exercise, number: int) -> Exercise:
    """The same asked otherwise: words by rule, and something around them."""
    text = exercise.golden.question
    language = detect_language(text)
    for pattern, word in WORDS[language]:
        changed = re.sub(pattern, word, text, count=1, flags=re.IGNORECASE)
        if changed != text:
            text = changed
            break
    frames = FRAMES[language]
    text = frames[number % len(frames)].format(text)
    return replace(exercise, golden=replace(exercise.golden, question=text))


async def ask(house: House, exercise: Exercise, name: str) -> Answered:
    """One question through the bot, in a conversation of its own."""
    asked = Asked("cli", f"memory:{name}:{exercise.golden.id}", "user:asker", ["everyone"], exercise.golden.question)
    answer = await house.answerer.answer(asked, TerminalReply(silent=True))
    return Answered(answer.interaction_id, exercise, is_right(answer.text, exercise.golden))


async def ask_all(house: House, exercises: Sequence[Exercise], name: str) -> list[Answered]:
    """A few at a time, in order."""
    return [one async for one in take_answers(ask(house, exercise, name) for exercise in exercises)]


async def find_wrong(
    house: House, exercises: Sequence[Exercise], *, most: int, control: int
) -> tuple[list[Answered], list[Exercise]]:
    """Questions that the bot answers wrongly, and some of the others, which it answers however it does."""
    wrong: list[Answered] = []
    others: list[Exercise] = []
    for at in range(0, len(exercises), 8):
        for one in await ask_all(house, exercises[at : at + 8], "first"):
            if not one.is_right and len(wrong) < most:
                wrong.append(one)
            else:
                others.append(one.exercise)
        if len(wrong) == most and len(others) >= control:
            break
    return wrong, others[:control]


async def correct(house: House, answered: Answered, number: int) -> None:
    """Somebody says what is right."""
    person = f"user:employee-{number % PEOPLE:02}"
    correction = answered.exercise.sentence
    await house.feedback.record(Feedback(answered.interaction_id, person, -1, "benchmark", correction=correction))


async def is_remembered(house: House, answered: Answered) -> bool:
    """Whether the next question would be answered with it."""
    found = await house.memory.find(answered.exercise.golden.question, ["everyone"], adapter=None)
    return answered.interaction_id in {one.interaction_id for one in found}


async def take_effect(house: House, answered: Answered) -> float:
    """Seconds until the same question was answered with the correction in its prompt.

    Raises:
        TimeoutError: that took longer than is promised.
    """
    began = time.monotonic()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await is_remembered(house, answered):  # noqa: ASYNC110  it is looked at from outside
            await asyncio.sleep(0.05)
    await ask(house, answered.exercise, "again")
    return time.monotonic() - began


async def measure(
    house: House, exercises: Sequence[Exercise], *, most: int, control: int, console: Console
) -> tuple[list[Measured], list[float]]:
    """Near questions after each step, and how long each step's last correction took to have effect."""
    wrong, others = await find_wrong(house, exercises, most=most, control=control)
    near = [rewrite(one.exercise, number) for number, one in enumerate(wrong)]
    console.print(f"{len(wrong)} questions answered wrongly, {len(others)} others")
    measured = [await examine(house, near, others, 0)]
    console.print(measured[-1])
    seconds: list[float] = []
    done = 0
    for step in [step for step in STEPS if step <= len(wrong)]:
        for number in range(done, step):
            await correct(house, wrong[number], number)
        seconds.append(await take_effect(house, wrong[step - 1]))
        done = step
        measured.append(await examine(house, near, others, step))
        console.print(measured[-1], f"{seconds[-1]:.1f} s to effect")
    return measured, seconds


async def examine(house: House, near: Sequence[Exercise], others: Sequence[Exercise], corrections: int) -> Measured:
    """All near questions and the others, asked now."""
    answered = await ask_all(house, near, f"near-{corrections}")
    beside = await ask_all(house, others, f"control-{corrections}")
    rows = await house.database.fetch_dicts(
        b"SELECT avg(example_tokens)::float8 AS tokens FROM interactions WHERE id = ANY(%s)",
        [[one.interaction_id for one in answered]],
    )
    return Measured(
        corrections,
        near=sum(one.is_right for one in answered) / max(1, len(answered)),
        control=sum(one.is_right for one in beside) / len(beside) if beside else None,
        example_tokens=rows[0]["tokens"] or 0.0,
    )


@asynccontextmanager
async def remembering(house: House) -> AsyncGenerator[None]:
    """The loops of `nightbake up` that make and read memories."""
    loops = [Remembering(house.database), MemoryFilling(house.memory)]
    for loop in loops:
        await loop.start()
    try:
        yield
    finally:
        for loop in loops:
            await loop.stop()


async def run(
    settings: Settings, corpus: Path, exercises: Sequence[Exercise], *, most: int, control: int, console: Console
) -> tuple[list[Measured], list[float]]:
    """Documents in, model up, questions."""
    async with open_house(settings) as house:
        await ingest_with_progress(house, [corpus], quiet=True)
        await house.search.warm_up()
        async with house.model_running(quiet=True), remembering(house):
            return await measure(house, exercises, most=most, control=control, console=console)


def build_figures(measured: Sequence[Measured], seconds: Sequence[float]) -> dict[str, Any]:
    """The JSON object; a step that there were too few wrong answers for is null."""
    before, near = measured[0], {one.corrections: one.near for one in measured}
    last = measured[-1]
    gains = {f"gain_at_{step}": round(near[step] - before.near, 4) if step in near else None for step in STEPS}
    harm = None if last.control is None or before.control is None else round(last.control - before.control, 4)
    return gains | {
        "seconds_to_effect": round(max(seconds), 2) if seconds else None,
        "right_before": round(before.near, 4),
        "control_change": harm,
        "steps": [asdict(one) for one in measured],
    }


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--most", default=32, show_default=True, type=click.IntRange(4), help="Corrections.")
@click.option("--control", default=16, show_default=True, type=click.IntRange(0), help="Questions besides.")
@click.option(
    "--dataset",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with corpus.jsonl and queries.jsonl.  [default: the sample handbook]",
)
@click.option("--documents", default=2000, show_default=True, help="Of the data set, at most.")
@click.option("--pool", default=300, show_default=True, help="Different questions of the data set, at most.")
@click.option("--seed", default=1, show_default=True, help="Of the questions' order.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(most: int, control: int, dataset: Path | None, documents: int, pool: int, seed: int, json_only: bool) -> None:
    """Measure and print."""
    console = Console(quiet=json_only, width=140)
    conditions = read_conditions(seed)
    console.print(conditions.line())
    began = time.monotonic()
    with open_folder() as folder, open_embedded() as address:
        corpus, exercises = open_corpus(dataset, questions=pool, documents=documents, folder=folder, seed=seed)
        random.Random(seed).shuffle(exercises)
        settings = prepare(folder / "home", address)
        measured, seconds = uvloop.run(run(settings, corpus, exercises, most=most, control=control, console=console))
    figures = build_figures(measured, seconds) | {
        "dataset": dataset.name if dataset else "sample handbook",
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(figures | asdict(conditions)))


if __name__ == "__main__":
    main()
