"""Preference pairs of exercises: the right answer against a wrong option, or against what the served model got wrong.

They go the way of all pairs: curation, split, gate and report. Nobody voted on them, so people's own count before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.database import Database
from core.group_commit import to_json_rows
from core.sql import load_queries
from core.wording import is_refusal, normalise_text
from learning.exercises.draft import choose_place
from learning.exercises.learnable import Lesson
from learning.exercises.rag import says
from learning.judges import token_f1
from learning.pairs import Pair
from learning.regenerate import Sampler, sample
from learning.signals import ORIGIN_TRUST, Origin

QUERIES = load_queries(__file__)

# A person let the answer through, or the checks did: it weighs less than a vote and more than a hint.
WEIGHT = 0.8
# Older than every vote: where there are too many pairs, people's are kept.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SAMPLED_KINDS = ("rag", "unanswerable", "four_choice")
# A sampled answer that shares so much with the right one may be right in other words.
WRONG_F1 = 0.3


@dataclass(frozen=True, slots=True)
class _Sampled:
    exercise_id: int
    seed: int
    answer: str


def build_distractor_pairs(lessons: Sequence[Lesson]) -> list[Pair]:
    """One pair of each exercise that has wrong answers; which of them depends on the exercise alone."""
    return [
        make_exercise_pair(lesson, lesson.wrong[choose_place(lesson.sha256, len(lesson.wrong))], "exercise_distractor")
        for lesson in lessons
        if lesson.wrong
    ]


async def build_sampled_pairs(database: Database, sampler: Sampler, lessons: Sequence[Lesson]) -> list[Pair]:
    """Pairs of exercises that the served model answers wrongly, as far as rules can tell; at most one of each.

    Answers are kept, so a night that runs again, or the next one, samples only what is new to the model.
    """
    chosen = [lesson for lesson in lessons if lesson.kind in SAMPLED_KINDS][: sampler.prompts]
    if not chosen or not sampler.answers:
        return []
    values = {"ids": [lesson.exercise_id for lesson in chosen], "model": sampler.model}
    known = await database.fetch_all(QUERIES["find_samples"], values, _Sampled)
    have = {(one.exercise_id, one.seed) for one in known}
    wanted = [
        (lesson.exercise_id, lesson.prompt, seed)
        for lesson in chosen
        for seed in range(sampler.answers)
        if (lesson.exercise_id, seed) not in have
    ]
    if wanted and await sampler.model_server.is_healthy():
        fresh = [_Sampled(key, seed, text) for key, seed, text in await sample(sampler, wanted)]
        await database.execute(QUERIES["store_samples"], {"rows": to_json_rows(fresh), "model": sampler.model})
        known += fresh
    found = [(lesson, find_wrong(lesson, known, most_seeds=sampler.answers)) for lesson in chosen]
    return [make_exercise_pair(lesson, wrong, "exercise_sampled") for lesson, wrong in found if wrong]


def find_wrong(lesson: Lesson, sampled: Sequence[_Sampled], *, most_seeds: int) -> str | None:
    """The first sampled answer of an exercise that is surely wrong."""
    own = sorted((one for one in sampled if one.exercise_id == lesson.exercise_id), key=lambda one: one.seed)
    return next((one.answer.strip() for one in own if one.seed < most_seeds and is_wrong(one.answer, lesson)), None)


def is_wrong(answer: str, lesson: Lesson) -> bool:
    """Whether an answer is surely wrong by its exercise: an answer where none is, none where one is, or another."""
    if not normalise_text(answer):
        return False
    if lesson.kind == "four_choice":
        letter = answer.strip()[:1].upper()
        return letter in "ABCD" and letter != lesson.answer and answer.strip()[1:2] in ("", ")", ".", " ")
    if is_refusal(lesson.answer) or is_refusal(answer):
        return is_refusal(lesson.answer) != is_refusal(answer)
    return not says(answer, lesson.answer) and token_f1(answer, lesson.answer) < WRONG_F1


def make_exercise_pair(lesson: Lesson, rejected: str, origin: Origin) -> Pair:
    """The exercise's answer against another in its own prompt."""
    return Pair(
        prompt=lesson.prompt,
        chosen=lesson.answer,
        rejected=rejected,
        origin=origin,
        question=lesson.question,
        language=lesson.language,
        interaction_ids=(),
        feedback_ids=(),
        voters=(),
        access=lesson.access,
        weight=WEIGHT,
        given_at=_LONG_AGO,
        documents=lesson.documents,
        confidence=round(WEIGHT * ORIGIN_TRUST[origin], 6),
        why=(f"exercise:{lesson.exercise_id}", f"kind:{lesson.kind}"),
    )


def choose_count(people: int, wish: int, share: float) -> int:
    """How many pairs of exercises a night takes: they fill up to the wish, and are a share of people's later."""
    return max(wish - people, int(share * people), 0) if wish else 0


def spread(pairs: Mapping[str, Sequence[Pair]], most: int) -> list[Pair]:
    """At most so many, of each origin in turn, an exercise once: what the model got wrong goes first."""
    kept: dict[str, Pair] = {}
    for one in (pair for origin in ("exercise_sampled", "exercise_distractor") for pair in pairs.get(origin, ())):
        if len(kept) < most:
            kept.setdefault(one.why[0], one)
    return list(kept.values())
