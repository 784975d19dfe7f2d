"""A light reranker: one weight for each of a few facts of a passage, learnt from votes. Pure.

Votes judge what the search had put first, so they favour its order. What is learnt is therefore used only where it
beats the fusion on questions that it was not trained on, by more than chance gives.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.records import Passage
from retrieval.lexical import find_content_terms
from retrieval.measures import ndcg

Floats = NDArray[np.float64]

FEATURES = ("fused", "dense", "lexical", "heading", "freshness", "votes")
# Only the best are ordered anew; a vote says nothing of what nobody saw.
DEPTH = 20
LEAST_QUESTIONS = 100
# Standard errors that the gain must exceed: chance does so once in forty times.
_SURE = 2.0
_FOLDS = 5
_RIDGE = 1.0
_ROUNDS = 30
_HALF_FRESH_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What the scores do not say of a passage.

    Attributes:
        age_days: since its document was last read anew.
        votes: earlier and other questions that it answers, less those that it was blamed for.
    """

    chunk_id: int
    age_days: float
    votes: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A question whose answering passage is among those found.

    Attributes:
        rows: float64 [n, 6], features of the found passages in the order of the fusion.
        right: places of those that answer it, at least one.
    """

    rows: Floats
    right: Collection[int]


@dataclass(frozen=True, slots=True)
class Learned:
    """Weights of `FEATURES`, and nDCG@10 of both orders on questions that the fold's weights had not seen."""

    weights: list[float]
    questions: int
    fused_ndcg: float
    rank_ndcg: float
    gain_error: float

    @property
    def is_better(self) -> bool:
        """Whether it beats the fusion by more than chance gives, on enough questions."""
        gain = self.rank_ndcg - self.fused_ndcg
        return self.questions >= LEAST_QUESTIONS and gain > _SURE * self.gain_error


def build_rows(question: str, passages: Sequence[Passage], facts: Sequence[Facts]) -> Floats:
    """Features of passages, float64 [n, 6], about 0 to 1; a passage without facts is new, and nobody voted on it."""
    known = {one.chunk_id: one for one in facts}
    terms = set(find_content_terms(question))
    best = max((passage.lexical_score for passage in passages), default=0.0)
    rows = [
        (
            passage.score,
            passage.dense_score,
            passage.lexical_score / best if best > 0 else 0.0,
            len(terms & set(find_content_terms(f"{passage.title} {passage.heading_path}"))) / max(1, len(terms)),
            0.5 ** (known[passage.chunk_id].age_days / _HALF_FRESH_DAYS) if passage.chunk_id in known else 1.0,
            _damp(known[passage.chunk_id].votes) if passage.chunk_id in known else 0.0,
        )
        for passage in passages
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES))


def order(rows: Floats, weights: Sequence[float]) -> list[int]:
    """Places, best first; equal ones in the order they came in."""
    places: list[int] = np.argsort(-(rows @ np.array(weights)), kind="stable").tolist()
    return places


def learn(judged: Sequence[Judged]) -> Learned:
    """Weights from all questions, judged by five-fold cross-validation.

    Args:
        judged: different questions, at least two: the same one asked twice must not stand in two folds.
    """
    fused, ranked = np.zeros(len(judged)), np.zeros(len(judged))
    for fold in range(min(_FOLDS, len(judged))):
        weights = fit([one for place, one in enumerate(judged) if place % _FOLDS != fold])
        for place in range(fold, len(judged), _FOLDS):
            fused[place] = _measure(judged[place], range(len(judged[place].rows)))
            ranked[place] = _measure(judged[place], order(judged[place].rows, weights))
    error = float(np.std(ranked - fused) / math.sqrt(len(judged)))
    return Learned(fit(judged), len(judged), float(fused.mean()), float(ranked.mean()), error)


def fit(judged: Sequence[Judged]) -> list[float]:
    """Weights that make the right passages likely under a softmax over those found.

    Votes for a passage never count against it: where few questions are asked twice, they would.

    Source: listwise loss of Cao et al. 2007, "Learning to Rank: From Pairwise to Listwise Approach", top one.
    """
    weights = _fit_freely(judged)
    votes = FEATURES.index("votes")
    if weights[votes] < 0:
        blind = np.array([float(place != votes) for place in range(len(FEATURES))])
        weights = _fit_freely([Judged(one.rows * blind, one.right) for one in judged])
    found: list[float] = weights.tolist()
    return found


def _fit_freely(judged: Sequence[Judged]) -> Floats:
    """By Newton's method; a small ridge holds all weights but the fused score's, which decides without evidence."""
    ridge = np.diag([1e-3, *([_RIDGE] * (len(FEATURES) - 1))])
    weights = np.zeros(len(FEATURES), dtype=np.float64)
    loss = _measure_loss(judged, weights, ridge)
    for _ in range(_ROUNDS):
        step = _find_step(judged, weights, ridge)
        while (following := _measure_loss(judged, weights - step, ridge)) > loss and np.abs(step).max() > 1e-6:
            step = step / 2
        weights, loss = weights - step, following
    return weights


def _find_step(judged: Sequence[Judged], weights: Floats, ridge: Floats) -> Floats:
    gradient, curvature = ridge @ weights, ridge.copy()
    for one in judged:
        likely = np.exp(_normalise(one.rows @ weights))
        gradient += one.rows.T @ (likely - _spread(one))
        mean = one.rows.T @ likely
        curvature += one.rows.T @ (one.rows * likely[:, None]) - np.outer(mean, mean)
    return np.linalg.solve(curvature, gradient).astype(np.float64)


def _measure_loss(judged: Sequence[Judged], weights: Floats, ridge: Floats) -> float:
    fitting = sum(-float(_spread(one) @ _normalise(one.rows @ weights)) for one in judged)
    return fitting + float(weights @ ridge @ weights) / 2


def _normalise(scores: Floats) -> Floats:
    """Logarithms of the softmax."""
    shifted = scores - scores.max()
    return shifted - math.log(float(np.exp(shifted).sum()))


def _spread(one: Judged) -> Floats:
    """The wanted likelihoods: equal for what is right."""
    wanted = np.zeros(len(one.rows), dtype=np.float64)
    wanted[list(one.right)] = 1 / len(one.right)
    return wanted


def _measure(one: Judged, places: Sequence[int]) -> float:
    return ndcg([str(place) for place in places], [str(place) for place in one.right])


def _damp(votes: int) -> float:
    return math.copysign(math.log1p(abs(votes)), votes) / 3
