"""Two tests that stay valid whenever one looks: a win rate against one half, and a mean loss against a margin. Pure.

The win rate is tested by Wald's sequential probability ratio (Wald 1945): after w wins and l losses the odds are
(p/0.5)^w * ((1 - p)/0.5)^l for a win rate p worth having. Under "no better" the odds are a non-negative
supermartingale, so they ever reach 1/significance in at most `significance` of the nights (Ville 1939).
Where we differ: the most judgements that a night can have are known beforehand, so the bar is the exact one for that
many, by dynamic programming over all sequences. It is lower than 1/significance, which pays where there are few.

The mean is tested by betting against it (Waudby-Smith and Ramdas 2024, arXiv:2010.09686, the aGRAPA bets).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

WORTHWHILE = 0.6
"""The win rate that the test is sharpest for."""
MISSED = 0.2
"""Share of nights with that win rate that may end as "no better", by Wald's bound."""
ROOM = 0.96
"""Share of the significance that the bar uses: the rates that a simulation counts then stay within it too."""
BET_CAP = 0.95
PRIOR_COUNT, PRIOR_VARIANCE = 2.0, 0.1


@dataclass(frozen=True, slots=True)
class WinTest:
    """Where a sequence of wins and losses led.

    Attributes:
        side: "better" or "no_better" where a bar was reached, the first one counting; None where none was.
        used: judgements up to there; odds: of a worthwhile win rate against one half, at that moment.
        bar: odds that "better" needed.
    """

    side: str | None
    used: int
    odds: float
    bar: float


def run_win_test(outcomes: Sequence[bool], significance: float) -> WinTest:
    """Read wins and losses in their given order, which must not depend on them, up to the first bar."""
    bar, floor = find_bar(len(outcomes), significance), math.log(MISSED / (1 - significance))
    log_odds = 0.0
    for used, won in enumerate(outcomes, start=1):
        log_odds += STEP_UP if won else STEP_DOWN
        # Sums of equal steps in another order differ in the last digits, and a bar is such a sum.
        if log_odds >= bar - TINY:
            return WinTest("better", used, math.exp(log_odds), math.exp(bar))
        if log_odds <= floor:
            return WinTest("no_better", used, math.exp(log_odds), math.exp(bar))
    return WinTest(None, len(outcomes), math.exp(log_odds), math.exp(bar))


def find_bar(horizon: int, significance: float) -> float:
    """Smallest log-odds that a fair coin reaches within `horizon` throws with at most this chance; inf for none."""
    return _find_bar(round_horizon(horizon), significance * ROOM) if horizon else math.inf


def round_horizon(horizon: int) -> int:
    """At least `horizon`; above 128 by at most an eighth more, so that few bars have to be computed."""
    step = max(1, 2 ** (horizon.bit_length() - 4)) if horizon > 128 else 1
    return -(-horizon // step) * step


@cache
def _find_bar(horizon: int, significance: float) -> float:
    """Bisection over the log-odds that can occur: the chance to reach a bar falls as it rises."""
    values = np.unique(np.round(_reachable(horizon), 12))
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if reach_chance(values[middle], horizon, 0.5) <= significance:
            high = middle
        else:
            low = middle + 1
    return float(values[low]) if low < len(values) else math.inf


def reach_chance(bar: float, horizon: int, win_rate: float) -> float:
    """Chance that the log-odds reach `bar` within `horizon` judgements, exactly. Nobody stops early for "no better"."""
    alive = np.ones(1)
    reached = 0.0
    for count in range(1, horizon + 1):
        grown = np.zeros(count + 1)
        grown[1:] = alive * win_rate
        grown[:-1] += alive * (1 - win_rate)
        wins = np.arange(count + 1)
        over = wins * STEP_UP + (count - wins) * STEP_DOWN >= bar - TINY
        reached += float(grown[over].sum())
        grown[over] = 0.0
        alive = grown
    return reached


def bet_against_loss(gains: Sequence[float], margin: float) -> float:
    """Evidence that the mean gain is above -margin: 1 is none; a true loss of `margin` ever brings 20 in 5 % of nights.

    Args:
        gains: differences in [-1, 1], in an order that does not depend on them.
    """
    wealth, best = 0.0, 0.0
    total, squares = 0.0, 0.0
    for seen, gain in enumerate(gains):
        mean = total / (seen + PRIOR_COUNT)
        variance = (squares + PRIOR_COUNT * PRIOR_VARIANCE) / (seen + PRIOR_COUNT) - mean**2
        edge = mean + margin
        bet = min(max(edge / (variance + edge**2), 0.0), BET_CAP / (1 - margin))
        wealth += math.log1p(bet * (gain + margin))
        best = max(best, wealth)
        total, squares = total + gain, squares + gain**2
    return math.exp(best)


def tail_probability(wins: int, count: int, win_rate: float = 0.5) -> float:
    """Chance of at least `wins` of `count` at a win rate strictly between 0 and 1: the one-sided sign test."""
    if wins <= 0:
        return 1.0
    wins_at = np.arange(wins, count + 1)
    ways = np.array([math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1) for k in wins_at])
    return min(
        1.0, float(np.exp(ways + wins_at * math.log(win_rate) + (count - wins_at) * math.log1p(-win_rate)).sum())
    )


STEP_UP, STEP_DOWN = math.log(2 * WORTHWHILE), math.log(2 * (1 - WORTHWHILE))
TINY = 1e-9


def _reachable(horizon: int) -> np.ndarray:
    """Every log-odds above 0 that `horizon` judgements can bring, up to the bar of Ville's inequality by far."""
    wins, losses = np.meshgrid(np.arange(horizon + 1), np.arange(horizon + 1))
    sums = (wins * STEP_UP + losses * STEP_DOWN)[wins + losses <= horizon]
    return sums[(sums > 0) & (sums < 5.0)]
