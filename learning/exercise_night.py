"""What a night on exercises trains on and is judged by: supervised rows, mixed, and pairs of other documents."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.database import Database
from core.sql import load_queries
from learning.collect import Collected, count_pairs, list_ledger
from learning.curate import curate
from learning.exams.guard import find_held
from learning.exercise_pairs import build_distractor_pairs
from learning.exercises.learnable import Learnable, Lesson, find_learnable, split_lessons
from learning.exercises.store import Exercises
from learning.general import GeneralChat, read_general
from learning.mix import divide, lay_out, plan_mix
from learning.private_data import redact, redact_messages
from learning.runs import Run, Runs
from learning.split import Split

QUERIES = load_queries(__file__)

HELD_OUT_SHARE = 0.25
MOST_HELD_OUT = 200


@dataclass(frozen=True, slots=True)
class ExerciseSettings:
    """How exercises are trained on.

    Attributes:
        review_share, reviewers: as the store of exercises takes them.
        general_files: general chats beside our own; general_share: of all rows.
        overlap: of exercises for supervised training and for preference pairs; see `learning/mix.py`.
        pairs: that exercises fill a night up to while people's are few; 0 adds none.
        held: golden questions with their answers, which nothing near is trained on.
    """

    review_share: float = 0.2
    reviewers: int = 1
    general_files: tuple[Path, ...] = ()
    general_share: float = 0.5
    overlap: float = 0.5
    epochs: int = 2
    learning_rate: float = 2e-4
    pairs: int = 200
    held: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class _Taught:
    exercises: list[int]


async def find_lessons_for(database: Database, settings: ExerciseSettings, audience: str) -> Learnable:
    """The exercises that may train an audience's adapter."""
    store = Exercises(database, share=settings.review_share, reviewers=settings.reviewers)
    held = [*settings.held, *await find_held(database)]
    return await find_learnable(store, audience=audience, held=held)


async def may_still_teach(database: Database, settings: ExerciseSettings, adapter: str, audience: str) -> bool:
    """Whether all exercises that an adapter was trained on may still train an audience's.

    None may once its document went, changed, or was closed to somebody, or a person rejected it.
    """
    taught = await database.fetch_one(QUERIES["find_taught"], {"adapter": adapter}, _Taught)
    now = {lesson.exercise_id for lesson in (await find_lessons_for(database, settings, audience)).lessons}
    return taught is not None and now.issuperset(taught.exercises)


async def find_preferred(database: Database, settings: ExerciseSettings, audience: str) -> list[Lesson]:
    """The exercises that may make a night's preference pairs; none where settings want none."""
    if not settings.pairs:
        return []
    return divide((await find_lessons_for(database, settings, audience)).lessons, overlap=settings.overlap)[1]


async def collect_exercises(
    database: Database, runs: Runs, run: Run, settings: ExerciseSettings, *, seed: int
) -> Collected:
    """Store the held-out pairs of a night on exercises, and which exercises it trains on."""
    found = await find_lessons_for(database, settings, run.audience)
    lessons, held_out = split_lessons(found.lessons, share=HELD_OUT_SHARE, seed=seed)
    supervised, _ = divide(lessons, overlap=settings.overlap)
    curated = curate(
        build_distractor_pairs(held_out), max_pairs=MOST_HELD_OUT, counts_voices=False, audience=run.audience
    )
    split = Split(train=[], held_out=curated.kept)
    await runs.store_ledger(run.id, list_ledger(curated, split), {})
    counts = count_pairs([], [], curated, split) | {
        "trained": len(supervised),
        "exercises": sorted(lesson.exercise_id for lesson in supervised),
        "left_out": found.left_out,
    }
    return Collected(counts, [])


async def build_supervised(
    database: Database, run: Run, settings: ExerciseSettings, *, seed: int
) -> list[dict[str, Any]]:
    """The rows of a night that has collected, in the order of the mix; what may not train any more is left out."""
    chosen = set(run.counts["exercises"])
    found = await find_lessons_for(database, settings, run.audience)
    lessons = [lesson for lesson in found.lessons if lesson.exercise_id in chosen]
    general = read_general(settings.general_files)
    parts = plan_mix(
        lessons, general=len(general), general_share=settings.general_share, epochs=settings.epochs, seed=seed
    )
    return [to_row(one, place) for place, one in enumerate(lay_out(parts, general))]


def to_row(one: Lesson | GeneralChat, place: int) -> dict[str, Any]:
    """A row in TRL's prompt-completion format, with placeholders for personal data, and what it is beside it."""
    return {
        "prompt": redact_messages(one.prompt),
        "completion": [{"role": "assistant", "content": redact(one.answer)}],
        "sha256": one.sha256 if isinstance(one, Lesson) else f"general-{place}",
        "part": one.kind if isinstance(one, Lesson) else "general",
    }


def count_parts(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Rows by kind of exercise, and general ones."""
    return {part: sum(row["part"] == part for row in rows) for part in dict.fromkeys(row["part"] for row in rows)}
