"""Measures of a ranking. Pure; each is the value for one question, of which sets report the mean."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import cast


def recall(ranked: Sequence[str], relevant: Collection[str], at: int) -> float:
    """Share of the relevant documents among the first `at`."""
    return len(set(ranked[:at]) & set(relevant)) / len(set(relevant))


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str], at: int = 10) -> float:
    """1 / place of the first relevant document; 0 where none is among the first `at`."""
    return next((1 / place for place, name in enumerate(ranked[:at], start=1) if name in relevant), 0.0)


def ndcg(ranked: Sequence[str], relevant: Collection[str] | Mapping[str, float], at: int = 10) -> float:
    """Normalised discounted cumulative gain, discount log2(place + 1).

    Args:
        relevant: gains by name, all above 0, or names whose gain is 1. The gain is the grade itself, as in trec_eval.
    """
    gains = cast(Mapping[str, float], relevant) if isinstance(relevant, Mapping) else dict.fromkeys(relevant, 1.0)
    best = sorted(gains.values(), reverse=True)[:at]
    return _discount([gains.get(name, 0.0) for name in ranked[:at]]) / _discount(best)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed (nearest rank)."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def _discount(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, start=1))
