"""How far a judge agrees with people, shown beside every score that it gives. Pure.

A judge that agrees no better than chance is no judge, however sure it is. Compare it with how far two people agree on
the same items: more cannot be asked of it.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from learning.exams.bootstrap import Estimate, NothingMeasuredError, Weights, estimate_mean, estimate_statistic

Word = Hashable | None
"""What somebody said of an item, such as True, `B` or 4; None where they did not decide."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A judge against people on the items of which both decided.

    Attributes:
        items: that people decided; decided: share of them that the judge decided too.
        same: share of these with the same word; None where there are none.
        kappa: agreement beyond chance; None where there is none to be had: both always said the same one thing.
    """

    items: int
    decided: float
    same: Estimate | None
    kappa: Estimate | None


def measure_judge(judge: Sequence[Word], people: Sequence[Word], *, seed: int = 0) -> Agreement:
    """Item by item, in the same order.

    Kappa's interval leaves out draws of the items in which it has no value; over few items, or where nearly all are of
    one kind, it is wide, and that is the truth of it.

    Raises:
        NothingMeasuredError: people decided of no item, or the two are not of the same length.
    """
    if len(judge) != len(people):
        raise NothingMeasuredError(f"expected words on the same items, got {len(judge)} and {len(people)}")
    known = [(one, other) for one, other in zip(judge, people, strict=True) if other is not None]
    if not known:
        raise NothingMeasuredError("expected items that people decided, got none; review some first")
    pairs = [pair for pair in known if pair[0] is not None]
    decided = len(pairs) / len(known)
    if not pairs:
        return Agreement(len(known), decided, None, None)
    same = estimate_mean([float(one == other) for one, other in pairs], seed=seed)
    return Agreement(len(known), decided, same, estimate_kappa(pairs, seed=seed))


def estimate_kappa(pairs: Sequence[tuple[Hashable, Hashable]], *, seed: int = 0) -> Estimate | None:
    """Cohen's kappa of pairs of words with its interval."""
    if find_kappa(pairs) is None:
        return None
    one, other = _number(pairs)
    return estimate_statistic(len(pairs), lambda weights: _measure(one, other, weights), seed=seed)


def find_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Agreement beyond chance in [-1, 1]; None without pairs, and where both always said the same one thing.

    Source: Cohen 1960, A coefficient of agreement for nominal scales.
    """
    if not pairs:
        return None
    kappa = _measure(*_number(pairs), np.ones(len(pairs)))
    return None if math.isnan(kappa) else kappa


def _number(pairs: Sequence[tuple[Hashable, Hashable]]) -> tuple[Weights, Weights]:
    """Both sides' words as columns of ones and zeros; axes: items, words."""
    words = list(dict.fromkeys(word for pair in pairs for word in pair))
    columns = np.eye(len(words))
    places = {word: place for place, word in enumerate(words)}
    return columns[[places[one] for one, _ in pairs]], columns[[places[other] for _, other in pairs]]


def _measure(one: Weights, other: Weights, weights: Weights) -> float:
    total = weights.sum()
    same = float((one * other).sum(axis=1) @ weights / total)
    by_chance = float((weights @ one / total) @ (weights @ other / total))
    return math.nan if by_chance > 1 - 1e-12 else (same - by_chance) / (1 - by_chance)
