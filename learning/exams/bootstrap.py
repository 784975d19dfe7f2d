"""How far a measured number can be relied on: percentile bootstrap over questions, paired where two are compared. Pure.

What is drawn again and again are the questions, or groups of them where some belong together (all of one document,
all orders of one item): drawing such ones apart makes intervals too narrow. The same scores and seed give the same
interval.

Sources: Efron 1979; on questions in groups and on paired differences, Miller 2024, arXiv:2411.00640.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import NightbakeError

ROUNDS = 2000
LEVEL = 0.95

Weights = NDArray[np.float64]
"""How often each question was drawn; axes: questions, or rounds and questions."""


class NothingMeasuredError(NightbakeError):
    """There are no scores, or not those that are compared; a made-up number helps nobody."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval.

    Attributes:
        count: questions, or groups where they were given: what the interval comes from.
    """

    value: float
    low: float
    high: float
    count: int

    @property
    def is_clear(self) -> bool:
        """Of a difference: whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def estimate_mean(
    scores: Sequence[float], *, groups: Sequence[Hashable] | None = None, seed: int = 0, rounds: int = ROUNDS
) -> Estimate:
    """The mean of scores in [0, 1], one a question.

    Where we differ from the bootstrap: it sees no spread where all scores are the same, and would call five right
    answers of five a certainty. There the interval allows for as many unseen questions at the other end as chance may
    have hidden (for right and wrong that is the interval of Clopper and Pearson 1934).

    Args:
        groups: what each question belongs to.

    Raises:
        NothingMeasuredError: there are no scores, or some outside of [0, 1].
    """
    return _estimate(np.array(scores, dtype=np.float64), (0.0, 1.0), groups, seed, rounds)


def estimate_difference(
    scores: Sequence[float],
    baseline: Sequence[float],
    *,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
    rounds: int = ROUNDS,
) -> Estimate:
    """By how much the mean of scores exceeds that of others to the same questions in the same order.

    Paired: a question that is hard for both takes no part in the spread.

    Raises:
        NothingMeasuredError: as `estimate_mean`, or the two are not of the same length.
    """
    if len(scores) != len(baseline):
        raise NothingMeasuredError(f"expected scores of the same questions, got {len(scores)} and {len(baseline)}")
    for one in (scores, baseline):
        _check(np.array(one, dtype=np.float64), (0.0, 1.0))
    return _estimate(np.subtract(scores, baseline, dtype=np.float64), (-1.0, 1.0), groups, seed, rounds)


def estimate_statistic(
    count: int,
    statistic: Callable[[Weights], float],
    *,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
    rounds: int = ROUNDS,
) -> Estimate:
    """Any number that is computed of all questions together, such as kappa or BLEU of a whole exam.

    Args:
        count: questions; statistic: of how often each was drawn; nan where it has no value, which leaves the draw out.
    """
    if count == 0:
        raise NothingMeasuredError("expected at least one question, got none")
    draws = draw_weights(count, rounds, seed, groups)
    found = np.array([statistic(weights) for weights in draws])
    low, high = _find_ends(found[~np.isnan(found)])
    return Estimate(statistic(np.ones(count)), low, high, _count_units(count, groups))


def draw_weights(count: int, rounds: int, seed: int, groups: Sequence[Hashable] | None = None) -> Weights:
    """How often each question is drawn in each round; axes: rounds, questions.

    As many questions, or whole groups, are drawn as there are, each time with replacement.
    """
    units = _count_units(count, groups)
    drawn = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=rounds).astype(np.float64)
    if groups is None:
        return drawn
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    return drawn[:, [numbers[group] for group in groups]]


def _estimate(
    scores: Weights, bounds: tuple[float, float], groups: Sequence[Hashable] | None, seed: int, rounds: int
) -> Estimate:
    _check(scores, bounds)
    count, value = _count_units(len(scores), groups), float(scores.mean())
    if np.ptp(scores) == 0:
        unseen = 1 - ((1 - LEVEL) / 2) ** (1 / count)
        below, above = value - bounds[0], bounds[1] - value
        return Estimate(value, value - below * unseen, value + above * unseen, count)
    draws = draw_weights(len(scores), rounds, seed, groups)
    low, high = _find_ends(draws @ scores / draws.sum(axis=1))
    return Estimate(value, low, high, count)


def _check(scores: Weights, bounds: tuple[float, float]) -> None:
    if scores.size == 0:
        raise NothingMeasuredError("expected at least one score, got none")
    if not (scores.min() >= bounds[0] and scores.max() <= bounds[1]):
        raise NothingMeasuredError(f"expected scores from {bounds[0]:g} to {bounds[1]:g}, got {scores.tolist()[:8]}")


def _find_ends(found: Weights) -> tuple[float, float]:
    if found.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _count_units(count: int, groups: Sequence[Hashable] | None) -> int:
    if groups is None:
        return count
    if len(groups) != count:
        raise NothingMeasuredError(f"expected a group for each of {count} questions, got {len(groups)}")
    return len(set(groups))
