"""Exercises as a model is trained on them: which ones may be, and how each is shown.

What has passages is shown as the bot shows it, with its whole standing prompt; what has none, as the exam asks it.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.prompt import Language, Message, PromptPassage, build_messages, neutralise
from learning.exercises.draft import Kind, choose_place
from learning.exercises.four_choice import LETTERS, show_options
from learning.exercises.probe import CHOOSE, CLOSED
from learning.exercises.seen import Seen
from learning.exercises.store import Exercise, Exercises
from learning.near_duplicates import group_questions
from learning.permission import EVERYONE, lets_everyone_in

# People looked at them, or they passed and no sample of their kind waits for anybody.
LEARNABLE_STATES = ("accepted", "unseen")
ALL = 1_000_000
LONGEST_QUOTE = 300
_SENTENCE_END = re.compile(r"(?<=[.!?。])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Lesson:
    """An exercise as a prompt with its right answer.

    Attributes:
        subject: what is asked; of a question to be written, the written one.
        wrong: answers in the same prompt that are surely wrong.
        access: the principals that may read each document whose text it shows.
        documents: id and version of each.
        source_id: of the document that answers it; of one that none answers, of the first that is shown.
    """

    exercise_id: int
    sha256: str
    kind: Kind
    language: Language
    question: str
    subject: str
    prompt: list[Message]
    answer: str
    wrong: tuple[str, ...]
    access: tuple[tuple[str, ...], ...]
    documents: tuple[tuple[int, int], ...]
    source_id: int


@dataclass(frozen=True, slots=True)
class Learnable:
    """What may be trained on, and how many were left out by reason."""

    lessons: list[Lesson]
    left_out: dict[str, int]


async def find_learnable(
    exercises: Exercises, *, audience: str = EVERYONE, held: Sequence[tuple[str, str]] = ()
) -> Learnable:
    """Exercises for training that people or the checks let through, that all of an audience may read, and no exam asks.

    Args:
        held: golden questions with their answers.
    """
    exam = Seen()
    for one in await exercises.find(purpose="exam", limit=ALL):
        exam.add(*_ask(one))
    for question, answer in held:
        exam.add(question, answer)
    lessons, left_out = list[Lesson](), Counter[str]()
    for one in await exercises.find(purpose="training", limit=ALL):
        reason = find_reason(one, audience, exam)
        if reason:
            left_out[reason] += 1
        else:
            lessons.append(build_lesson(one))
    return Learnable(sorted(lessons, key=lambda lesson: lesson.sha256), dict(left_out))


def find_reason(exercise: Exercise, audience: str, exam: Seen) -> str | None:
    """Why an exercise must not be trained on; None where it may."""
    if exercise.state not in LEARNABLE_STATES:
        return exercise.state
    if not may_read_all(exercise.documents, audience):
        return "restricted_documents"
    return "exam" if exam.holds(*_ask(exercise)) else None


def may_read_all(documents: Sequence[Mapping[str, Any]], audience: str) -> bool:
    """Whether everyone of an audience may read every document; one that denies anybody trains nobody."""
    return all(
        not document["deny"] and (lets_everyone_in(document["allow"]) or audience in document["allow"])
        for document in documents
    )


def build_lesson(exercise: Exercise) -> Lesson:
    """An exercise in the form of its kind."""
    prompt, answer, wrong = _show(exercise)
    content = json.dumps([prompt, answer], ensure_ascii=False, sort_keys=True)
    return Lesson(
        exercise.id,
        hashlib.sha256(content.encode()).hexdigest(),
        exercise.kind,
        "ko" if exercise.language == "ko" else "en",
        exercise.question,
        _ask(exercise)[0],
        prompt,
        answer,
        wrong,
        tuple(sorted({tuple(sorted(document["allow"])) for document in exercise.documents})),
        tuple(sorted((document["id"], document["version"]) for document in exercise.documents)),
        exercise.documents[0]["id"],
    )


def split_lessons(lessons: Sequence[Lesson], *, share: float, seed: int) -> tuple[list[Lesson], list[Lesson]]:
    """Trained and held out: what one document answers goes one way, and so do near-equal questions.

    A passage beside the one that answers may be shown on both sides.

    Args:
        share: of these groups that is held out, by a hash of each.
    """
    first_of: dict[int, int] = {}
    shared = [(first_of.setdefault(lesson.source_id, at), at) for at, lesson in enumerate(lessons)]
    groups = group_questions([lesson.subject for lesson in lessons], shared)
    train, held_out = list[Lesson](), list[Lesson]()
    for lesson, group in zip(lessons, groups, strict=True):
        place = choose_place(f"{seed} {lessons[group].source_id}", 1000)
        (held_out if place < share * 1000 else train).append(lesson)
    return train, held_out


def _ask(exercise: Exercise) -> tuple[str, str]:
    """What is asked and what answers it, as `Draft.subject` and `Draft.solution` have it."""
    subject = exercise.answer.split("\n", 1)[0] if exercise.kind == "choice_writing" else exercise.question
    right = exercise.right_option
    return subject, exercise.answer if right is None else exercise.options[right]


def _show(exercise: Exercise) -> tuple[list[Message], str, tuple[str, ...]]:
    language: Language = "ko" if exercise.language == "ko" else "en"
    clue = PromptPassage(exercise.title, exercise.heading_path, exercise.clue)
    match exercise.kind:
        case "four_choice":
            return _show_choice(exercise, language)
        case "choice_writing":
            content = neutralise(f"{exercise.clue}\n\n{exercise.question}")
            return [{"role": "user", "content": content}], exercise.answer, ()
        case "definition":
            closed: list[Message] = [
                {"role": "system", "content": CLOSED[language]},
                {"role": "user", "content": neutralise(exercise.question)},
            ]
            return closed, exercise.answer, ()
        case "summary":
            return build_messages(exercise.question, [clue]), f"{exercise.answer} [1]", ()
        case "rag":
            others = [_show_negative(one) for one in exercise.negatives]
            place = choose_place(exercise.question, len(others) + 1)
            passages = [*others[:place], clue, *others[place:]]
            wrong = tuple(_quote(one, number) for number, one in enumerate(passages, 1) if number != place + 1)
            return build_messages(exercise.question, passages), f"{exercise.answer} [{place + 1}]", wrong
        case "unanswerable":
            passages = [_show_negative(one) for one in exercise.negatives]
            wrong = tuple(_quote(one, number) for number, one in enumerate(passages, 1))
            return build_messages(exercise.question, passages), exercise.answer, wrong


def _show_choice(exercise: Exercise, language: Language) -> tuple[list[Message], str, tuple[str, ...]]:
    right = exercise.right_option or 0
    shown = neutralise(f"{exercise.clue}\n\n{exercise.question}\n{show_options(exercise.options)}")
    messages: list[Message] = [{"role": "system", "content": CHOOSE[language]}, {"role": "user", "content": shown}]
    wrong = [letter for at, letter in enumerate(LETTERS[: len(exercise.options)]) if at != right]
    return messages, LETTERS[right], tuple(wrong)


def _quote(passage: PromptPassage, number: int) -> str:
    """The beginning of a passage that does not answer, cited as if it did."""
    return f"{_SENTENCE_END.split(passage.text.strip(), maxsplit=1)[0][:LONGEST_QUOTE]} [{number}]"


def _show_negative(negative: Mapping[str, Any]) -> PromptPassage:
    return PromptPassage(negative["title"], negative["heading_path"], negative["text"])
