"""Measures of a ranking. Pure; each is the mean over questions of the value for one."""

import math
from collections.abc import Collection, Sequence


def recall(ranked: Sequence[str], relevant: Collection[str], at: int) -> float:
    """Share of the relevant documents among the first `at`."""
    return len(set(ranked[:at]) & set(relevant)) / len(set(relevant))


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str], at: int = 10) -> float:
    """1 / place of the first relevant document; 0 where none is among the first `at`."""
    return next((1 / place for place, name in enumerate(ranked[:at], start=1) if name in relevant), 0.0)


def ndcg(ranked: Sequence[str], relevant: Collection[str], at: int = 10) -> float:
    """Normalised discounted cumulative gain with gains 0 and 1, discount log2(place + 1)."""
    gain = sum(1 / math.log2(place + 1) for place, name in enumerate(ranked[:at], start=1) if name in relevant)
    best = sum(1 / math.log2(place + 1) for place in range(1, min(len(set(relevant)), at) + 1))
    return gain / best


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed (nearest rank)."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]
