"""How far a measured number can be relied on: percentile bootstrap over questions, paired where two are compared. Pure.

What is drawn again and again are the questions, or groups of them where some belong together (all of one document,
all orders of one item): drawing such ones apart makes intervals too narrow. The same scores and seed give the same
interval.

Sources: Efron 1979, Bootstrap methods; on questions in groups and on paired differences, Miller 2024, arXiv:2411.00640.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import NightbakeError
from learning.evaluate import wilson_interval

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


@dataclass(frozen=True, slots=True)
class Difference(Estimate):
    """A paired difference.

    Attributes:
        chance: of one as large, either way, if it were a coin's toss on each question which of the two is better.
    """

    chance: float

    @property
    def is_clear(self) -> bool:
        """Whether interval and chance both say so.

        Four better answers and none worse lie outside of the interval, and a coin does the same one time in eight.
        """
        return self.chance <= 1 - LEVEL and (self.low > 0 or self.high < 0)


def estimate_mean(
    scores: Sequence[float], *, groups: Sequence[Hashable] | None = None, seed: int = 0, rounds: int = ROUNDS
) -> Estimate:
    """The mean of scores in [0, 1], one a question.

    Where we differ from the bootstrap: it is too sure where few answers are right, or few wrong. Plain right and wrong
    without groups has Wilson's interval. Where all scores are the same there is no spread to draw from, and the
    interval allows for as many unseen questions at the other end as chance may have hidden (for right and wrong, that
    of Clopper and Pearson 1934).

    Args:
        groups: what each question belongs to.

    Raises:
        NothingMeasuredError: there are no scores, or some outside of [0, 1].
    """
    found = np.array(scores, dtype=np.float64)
    _check(found)
    if groups is None and np.isin(found, (0.0, 1.0)).all():
        share = float(found.mean())
        return Estimate(share, *wilson_interval(share, len(scores)), len(scores))
    return _estimate(found, (0.0, 1.0), groups, seed, rounds)


def estimate_difference(
    scores: Sequence[float],
    baseline: Sequence[float],
    *,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
    rounds: int = ROUNDS,
) -> Difference:
    """By how much the mean of scores exceeds that of others to the same questions in the same order.

    Paired: a question that is hard for both takes no part in the spread.

    Raises:
        NothingMeasuredError: as `estimate_mean`, or the two are not of the same length.
    """
    if len(scores) != len(baseline):
        raise NothingMeasuredError(f"expected scores of the same questions, got {len(scores)} and {len(baseline)}")
    for one in (scores, baseline):
        _check(np.array(one, dtype=np.float64))
    gains = np.subtract(scores, baseline, dtype=np.float64)
    found = _estimate(gains, (-1.0, 1.0), groups, seed, rounds)
    chance = _toss(gains, groups, seed, rounds)
    return Difference(found.value, found.low, found.high, found.count, chance)


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
    return drawn if groups is None else drawn[:, _number(groups)]


def _estimate(
    scores: Weights, bounds: tuple[float, float], groups: Sequence[Hashable] | None, seed: int, rounds: int
) -> Estimate:
    count, value = _count_units(len(scores), groups), float(scores.mean())
    if np.ptp(scores) == 0:
        unseen = 1 - ((1 - LEVEL) / 2) ** (1 / count)
        below, above = value - bounds[0], bounds[1] - value
        return Estimate(value, value - below * unseen, value + above * unseen, count)
    draws = draw_weights(len(scores), rounds, seed, groups)
    low, high = _find_ends(draws @ scores / draws.sum(axis=1))
    return Estimate(value, low, high, count)


def _toss(gains: Weights, groups: Sequence[Hashable] | None, seed: int, rounds: int) -> float:
    """Share of random signs, one a question or group, under which the mean is as far from zero; never quite 0.

    Source: Fisher 1935, the paired test by permutation.
    """
    sums = gains if groups is None else np.bincount(_number(groups), weights=gains)
    sums = sums[sums != 0]
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(rounds, len(sums)))
    as_far = np.abs(signs @ sums) >= abs(sums.sum()) - 1e-9
    return float((as_far.sum() + 1) / (rounds + 1))


def _number(groups: Sequence[Hashable]) -> list[int]:
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    return [numbers[group] for group in groups]


def _check(scores: Weights) -> None:
    if scores.size == 0:
        raise NothingMeasuredError("expected at least one score, got none")
    if not (scores.min() >= 0 and scores.max() <= 1):
        raise NothingMeasuredError(f"expected scores from 0 to 1, got {scores.tolist()[:8]}")


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
