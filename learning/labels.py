"""Votes become labels: the current votes of several people on one answer are one judgement with a weight."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from core.database import Database
from core.prompt import Message
from core.records import Vote
from core.sql import load_queries

QUERIES = load_queries(__file__)

AGREEMENT = 0.75
ANSWERED_MODES = ("generated", "quoted", "refused")


@dataclass(frozen=True, slots=True)
class VoteRow:
    """One stored judgement of one person; `is_current` is false where the person gave a later one."""

    feedback_id: int
    interaction_id: int
    person: str
    value: Vote
    correction: str | None
    given_at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One finished interaction, with what it takes to say it again; `again_of` is the answer it was asked for after."""

    id: int
    question: str
    language: Literal["en", "ko"]
    messages: list[Message] | None
    passages: list[dict[str, Any]] | None
    answer: str | None
    generated: str | None
    mode: str
    mode_reason: str | None = None
    again_of: int | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What people together think of one answer.

    Attributes:
        value: 1 liked, -1 disliked.
        weight: expected share of people who would agree, in (0.5, 1): (majority + 1) / (votes + 2).
        votes: those of the majority only.
    """

    answer: Answer
    value: Vote
    weight: float
    votes: tuple[VoteRow, ...]


@dataclass(slots=True)
class Labels:
    """Judgements, and the reason for each vote that is part of none."""

    judgements: list[Judgement] = field(default_factory=list)
    dropped: dict[int, str] = field(default_factory=dict)


async def find_votes(database: Database, *, window_from: datetime, window_to: datetime) -> list[VoteRow]:
    """Every vote given in the half-open window, in the order it came; later votes do not exist yet."""
    return await database.fetch_all(
        QUERIES["find_votes"], {"window_from": window_from, "window_to": window_to}, VoteRow
    )


async def find_answers(database: Database, votes: Sequence[VoteRow]) -> dict[int, Answer]:
    """The finished answers that were voted on, by id."""
    ids = sorted({vote.interaction_id for vote in votes})
    return {row.id: row for row in await database.fetch_all(QUERIES["find_answers"], {"ids": ids}, Answer)}


def build_labels(votes: Sequence[VoteRow], answers: dict[int, Answer]) -> Labels:
    """One judgement an answer, where people agree."""
    labels = Labels()
    by_answer: dict[int, list[VoteRow]] = defaultdict(list)
    for vote in votes:
        reason = _find_reason_to_drop(vote, answers.get(vote.interaction_id))
        if reason:
            labels.dropped[vote.feedback_id] = reason
        else:
            by_answer[vote.interaction_id].append(vote)
    for interaction_id, current in by_answer.items():
        judgement, minority = combine_votes(answers[interaction_id], current)
        labels.dropped |= {vote.feedback_id: "disagreement" for vote in minority}
        if judgement:
            labels.judgements.append(judgement)
    return labels


def combine_votes(answer: Answer, votes: Sequence[VoteRow]) -> tuple[Judgement | None, list[VoteRow]]:
    """The judgement of the majority and the votes against it; none where fewer than three quarters agree."""
    liked = [vote for vote in votes if vote.value > 0]
    disliked = [vote for vote in votes if vote.value < 0]
    majority, minority = (liked, disliked) if len(liked) > len(disliked) else (disliked, liked)
    if len(majority) < AGREEMENT * len(votes):
        return None, list(votes)
    weight = (len(majority) + 1) / (len(votes) + 2)
    return Judgement(answer, majority[0].value, weight, tuple(majority)), minority


def _find_reason_to_drop(vote: VoteRow, answer: Answer | None) -> str | None:
    if not vote.is_current:
        return "superseded"
    if vote.value == 0:
        return "withdrawn"
    if answer is None or answer.mode not in ANSWERED_MODES:
        return "no_answer"
    return None if answer.messages else "no_prompt"
