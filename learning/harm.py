"""Whether people dislike an adapter on trial more than what is beside it: a test that may be read at any time. Pure.

Each vote on the trial's answers is held against the mean of the votes that the others got since the one before, so
that both sides saw the same hours. Their differences are bet on (`learning/sequential.py`): an adapter that is as good
as the other is ever taken back in at most 5 % of its trials, however often one looks. It finds great harm only: few
answers get a vote.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from learning.sequential import bet_against_loss

ENOUGH = 20.0
"""Evidence at which harm is believed: reached by chance in at most one of twenty trials."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One judgement, of an answer of the adapter on trial or of the other."""

    on_trial: bool
    liked: bool


@dataclass(frozen=True, slots=True)
class Harm:
    """What the votes say.

    Attributes:
        compared: votes on the trial that had others beside them.
        evidence: that the trial is liked less; 1 is none, the largest value so far counts.
    """

    trial_votes: int
    trial_liked: int
    other_votes: int
    other_liked: int
    compared: int
    evidence: float
    is_harmful: bool


def find_harm(votes: Sequence[Vote]) -> Harm:
    """Read the votes in the order in which they were given."""
    losses = compare(votes)
    evidence = bet_against_loss(losses, 0.0)
    liked = {side: [vote.liked for vote in votes if vote.on_trial is side] for side in (True, False)}
    return Harm(
        trial_votes=len(liked[True]),
        trial_liked=sum(liked[True]),
        other_votes=len(liked[False]),
        other_liked=sum(liked[False]),
        compared=len(losses),
        evidence=evidence,
        is_harmful=evidence >= ENOUGH,
    )


def compare(votes: Sequence[Vote]) -> list[float]:
    """How much less each vote on the trial likes it than those beside it, in [-1, 1]; one without others waits."""
    waiting: deque[bool] = deque()
    others: list[bool] = []
    losses: list[float] = []
    for vote in votes:
        if vote.on_trial:
            waiting.append(vote.liked)
        else:
            others.append(vote.liked)
        if waiting and others:
            losses.append(sum(others) / len(others) - waiting.popleft())
            others.clear()
    return losses
