"""One ranking of two scores that do not speak the same unit. Pure.

A chunk's cosine is measured in the spread that cosines of unrelated texts have in this model, language and corpus; its
BM25 in nats, damped by the square root of the question's best. So nothing is stretched to fill a range: where no chunk
is near the question, all cosines are small and words decide; where no chunk holds its rare words, meaning does.

`benchmarks/fusion.py` measures it against min-max scaling with fixed weights and against reciprocal ranks. That
scaling, and the ranks, throw away how good the best of a side is, which is most of what says whether to trust it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.candidates import Candidate

# How many spreads of cosine a best hit by words is worth, at a BM25 of `_TYPICAL_BEST`; chosen on sets of several
# families, each left out once: 2.5 to 3.5 differ by 0.002 nDCG@10 in the mean.
LEXICAL_WEIGHT = 3.0
_TYPICAL_BEST = 15.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the scores of a model mean in one language of this corpus.

    Attributes:
        dense_mean: cosine of a question and a chunk that have nothing to do with each other.
        dense_spread: standard deviation of the same, above 0.
        dense_share: in [0, 1], how much of its say the dense side keeps; 0 where the model is blind.
    """

    dense_mean: float
    dense_spread: float
    dense_share: float


# Of all-MiniLM-L6-v2 in English, the mean over nine sets; until a corpus is measured.
UNMEASURED = Calibration(dense_mean=0.07, dense_spread=0.1, dense_share=1.0)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its fused score: 1 for the best, 0 for what neither side has anything to say for."""

    chunk_id: int
    score: float
    dense_score: float | None
    lexical_score: float


def fuse(candidates: Sequence[Candidate], calibration: Calibration = UNMEASURED) -> list[Ranked]:
    """The candidates, best first; equal ones by chunk, so that the order is always the same.

    A side that no candidate has a score of has no say. A chunk without a vector counts as unrelated in meaning.
    """
    best = max((one.lexical_score for one in candidates), default=0.0)
    scale = LEXICAL_WEIGHT / math.sqrt(_TYPICAL_BEST * best) if best > 0 else 0.0
    has_dense = any(one.dense_score is not None for one in candidates)
    totals = {
        one.chunk_id: one.lexical_score * scale + (_weigh(one, calibration, alone=not scale) if has_dense else 0.0)
        for one in candidates
    }
    top = max(totals.values(), default=0.0)
    ranked = sorted(candidates, key=lambda one: (-totals[one.chunk_id], one.chunk_id))
    return [
        Ranked(
            one.chunk_id, max(0.0, totals[one.chunk_id] / top) if top > 0 else 0.0, one.dense_score, one.lexical_score
        )
        for one in ranked
    ]


def _weigh(candidate: Candidate, calibration: Calibration, *, alone: bool) -> float:
    """The dense side's part in spreads; its whole say where it is alone."""
    if candidate.dense_score is None:
        return 0.0
    share = 1.0 if alone else calibration.dense_share
    return share * (candidate.dense_score - calibration.dense_mean) / calibration.dense_spread
