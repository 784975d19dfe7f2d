"""Votes become labels: the current votes of several people on one answer are one judgement with a weight."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from core.database import Database
from core.prompt import Message
from core.records import Vote
from core.sql import load_queries
from learning.reliability import PRIOR, choose_weights, estimate_reliability, to_chance, to_evidence
from learning.signals import SIGNALS, SignalKind, name_signal, pass_on, weigh_hints

QUERIES = load_queries(__file__)

AGREEMENT = 0.75
ANSWERED_MODES = ("generated", "quoted", "refused")
MOST_WEIGHT = 0.99
# Three quarters of equal votes must not fail by the last digit of a sum.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class VoteRow:
    """One stored judgement of one person; `is_current` is false where the person gave a later one.

    Attributes:
        earlier: how many judgements the person had given of this answer before.
    """

    feedback_id: int
    interaction_id: int
    person: str
    value: Vote
    correction: str | None
    given_at: datetime
    is_current: bool
    source: str = "web"
    reason: str | None = None
    right_chunk_id: int | None = None
    right_source: str | None = None
    earlier: int = 0

    @property
    def signal(self) -> SignalKind:
        """The surest signal that it carries."""
        return name_signal(
            source=self.source,
            has_correction=bool(self.correction),
            has_right_source=bool(self.right_source) or self.right_chunk_id is not None,
            has_reason=bool(self.reason),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """One finished interaction, with what it takes to say it again; `again_of` is the answer it was asked for after.

    Attributes:
        messages: None in an outline, which has no passages either; `has_prompt` says whether there are any.
        principals: what everyone who saw the reply may read.
        example_access: who may read each document of the examples that the model was shown; those are left out of
            `messages`, but what it wrote may hold words of theirs.
    """

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
    principals: tuple[str, ...] = ()
    citations: tuple[int, ...] = ()
    has_prompt: bool = True
    finished_at: datetime | None = None
    example_access: Sequence[Sequence[str]] = ()

    @property
    def access(self) -> list[Sequence[str]]:
        """Who may read each document that the model was shown anything of."""
        return [*(passage.get("allow") or [] for passage in self.passages or []), *self.example_access]


@dataclass(frozen=True, slots=True)
class Hint:
    """What somebody let slip of an answer; never a vote."""

    interaction_id: int
    kind: SignalKind
    confidence: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What people together think of one answer.

    Attributes:
        value: 1 liked, -1 disliked.
        weight: chance that it is so, in (0.5, 1), by the voters' reliability and how sure their signals are.
        votes: those of the majority only; none where people only let it slip.
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


@dataclass(frozen=True, slots=True)
class VoteWeights:
    """How far each person's vote carries: reliability in (0.5, 1), and a weight by the settings."""

    reliability: Mapping[str, float] = field(default_factory=dict[str, float])
    weights: Mapping[str, float] = field(default_factory=dict[str, float])

    def weigh(self, vote: VoteRow) -> float:
        """The vote's evidence in nats, whatever its direction."""
        sure = pass_on(self.reliability.get(vote.person, PRIOR), SIGNALS[vote.signal].value)
        return self.weights.get(vote.person, 1.0) * to_evidence(sure)


EVEN_WEIGHTS = VoteWeights()


async def find_votes(database: Database, *, window_from: datetime, window_to: datetime) -> list[VoteRow]:
    """Every vote given in the half-open window, in the order it came; later votes do not exist yet."""
    return await database.fetch_all(
        QUERIES["find_votes"], {"window_from": window_from, "window_to": window_to}, VoteRow
    )


async def find_hints(database: Database, *, window_from: datetime, window_to: datetime) -> list[Hint]:
    """What people let slip in the window: questions asked once more, objections, answers they did not wait for."""
    return await database.fetch_all(QUERIES["find_hints"], {"window_from": window_from, "window_to": window_to}, Hint)


async def find_outlines(database: Database, ids: Sequence[int]) -> dict[int, Answer]:
    """Finished answers without prompts and passages, by id: what a hundred thousand of them fit into memory by."""
    return {row.id: row for row in await database.fetch_all(QUERIES["find_outlines"], {"ids": list(ids)}, Answer)}


async def find_answers(database: Database, ids: Sequence[int]) -> dict[int, Answer]:
    """Finished answers in full, by id."""
    return {row.id: row for row in await database.fetch_all(QUERIES["find_answers"], {"ids": list(ids)}, Answer)}


async def find_rater_weights(database: Database, weights: Mapping[str, float]) -> dict[str, float]:
    """The weight of each person whom the settings name, alone or by a group."""
    rows = await database.fetch_tuples(QUERIES["find_memberships"], {"principals": sorted(weights)})
    return choose_weights([(person, principal) for person, principal in rows], weights)


async def find_settled(database: Database, *, window_to: datetime) -> dict[int, Vote]:
    """What administrators said of answers whose voters disagree, by interaction; 0 where nobody can tell."""
    return dict(await database.fetch_tuples(QUERIES["find_settled"], {"window_to": window_to}))


def rate(votes: Sequence[VoteRow], weights: Mapping[str, float]) -> VoteWeights:
    """How far these votes carry, by their givers' agreement and the settings."""
    judged = [(vote.interaction_id, vote.person, vote.value) for vote in votes if vote.is_current and vote.value]
    return VoteWeights(estimate_reliability(judged), weights)


def build_labels(
    votes: Sequence[VoteRow],
    answers: Mapping[int, Answer],
    *,
    vote_weights: VoteWeights = EVEN_WEIGHTS,
    hints: Sequence[Hint] = (),
    settled: Mapping[int, Vote] | None = None,
) -> Labels:
    """One judgement an answer, where people agree; what they let slip counts where nobody said anything.

    Args:
        settled: what an administrator said of an answer, whatever its voters' weights say.
    """
    settled = settled or {}
    labels = Labels()
    by_answer: dict[int, list[VoteRow]] = defaultdict(list)
    for vote in votes:
        reason = _find_reason_to_drop(vote, answers.get(vote.interaction_id))
        if reason:
            labels.dropped[vote.feedback_id] = reason
        else:
            by_answer[vote.interaction_id].append(vote)
    for interaction_id, current in by_answer.items():
        answer = answers[interaction_id]
        if interaction_id in settled:
            judgement, minority = settle_votes(answer, current, settled[interaction_id])
        else:
            judgement, minority = combine_votes(answer, current, vote_weights)
        reason = "settled_otherwise" if settled.get(interaction_id) else "disagreement"
        labels.dropped |= {vote.feedback_id: reason for vote in minority}
        if judgement:
            labels.judgements.append(judgement)
    labels.judgements += _judge_by_hints(hints, answers, set(by_answer))
    return labels


def combine_votes(
    answer: Answer, votes: Sequence[VoteRow], vote_weights: VoteWeights = EVEN_WEIGHTS
) -> tuple[Judgement | None, list[VoteRow]]:
    """The judgement of the majority and the votes against it; none where less than three quarters of the weight agrees.

    The weight of a vote is its evidence: a reliable rater, an expert and a correction carry further than a reaction.
    """
    liked = [vote for vote in votes if vote.value > 0]
    disliked = [vote for vote in votes if vote.value < 0]
    for_it, against = (sum(vote_weights.weigh(vote) for vote in side) for side in (liked, disliked))
    majority, minority = (liked, disliked) if for_it > against else (disliked, liked)
    if max(for_it, against) < AGREEMENT * (for_it + against) - _ROUNDING:
        return None, list(votes)
    weight = min(to_chance(abs(for_it - against)), MOST_WEIGHT)
    return Judgement(answer, majority[0].value, weight, tuple(majority)), minority


def settle_votes(answer: Answer, votes: Sequence[VoteRow], value: Vote) -> tuple[Judgement | None, list[VoteRow]]:
    """The votes that an administrator sides with, as sure as votes can be, and the others; with 0 none counts."""
    right = tuple(vote for vote in votes if value and vote.value == value)
    judgement = Judgement(answer, value, MOST_WEIGHT, right) if right else None
    return judgement, [vote for vote in votes if vote not in right]


def _judge_by_hints(hints: Sequence[Hint], answers: Mapping[int, Answer], judged: set[int]) -> list[Judgement]:
    by_answer: dict[int, list[Hint]] = defaultdict(list)
    for hint in hints:
        if hint.interaction_id in answers and hint.interaction_id not in judged:
            by_answer[hint.interaction_id].append(hint)
    return [
        Judgement(answers[id_], -1, weigh_hints([(hint.kind, hint.confidence) for hint in found]), ())
        for id_, found in sorted(by_answer.items())
        if answers[id_].mode in ANSWERED_MODES and _has_prompt(answers[id_])
    ]


def _find_reason_to_drop(vote: VoteRow, answer: Answer | None) -> str | None:
    if not vote.is_current:
        return "superseded"
    if vote.value == 0:
        return "withdrawn"
    if answer is None or answer.mode not in ANSWERED_MODES:
        return "no_answer"
    return None if _has_prompt(answer) else "no_prompt"


def _has_prompt(answer: Answer) -> bool:
    return answer.has_prompt and answer.messages != []
