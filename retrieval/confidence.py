"""How likely the passages found hold the answer: one number in [0, 1], from features that cost no model.

The number is a logistic of the features below, fitted by `python -m retrieval.calibrate` on questions whose answering
document is there or was taken away, as many of the one as of the other. So 0.5 means: as often answered as not, were
half of all questions answerable. Below its `threshold` an answer
is not tried.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Literal

from core.records import Passage
from retrieval.lexical import find_content_terms, find_terms
from retrieval.vocabulary import Counts

Kind = Literal["en", "en_dense", "ko"]

# Upper bound of a term's part in BM25: idf times this.
_MOST_PER_IDF = 2.2


@dataclass(frozen=True, slots=True)
class Features:
    """What is seen of an answer before it is written; all about in [0, 1].

    Attributes:
        coverage: share of the question's terms, weighed by rarity, that the best passage holds.
        coverage_together: the same by all passages.
        rarest: whether the rarest third of the terms stands in one passage, as a share.
        strength: best BM25 score over the most that this question could reach.
        gap: distance of the best BM25 score from the next, over the best.
        dense: best cosine of question and passage, 0 without.
        agreement: 1 where words and meaning name the same best passage.
    """

    coverage: float
    coverage_together: float
    rarest: float
    strength: float
    gap: float
    dense: float
    agreement: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted logistic: `weights` in the order of the features, and the number below which nothing was found."""

    bias: float
    weights: tuple[float, ...]
    threshold: float


# Fitted 2026-11-21 (docs/log.md). Korean is cautious by need: on questions in people's own words it hardly tells.
CALIBRATIONS: dict[Kind, Calibration] = {
    "en": Calibration(-2.769, (1.661, 0.672, -0.132, 2.434, 1.535, 0.0, 0.0), 0.16),
    "en_dense": Calibration(-3.879, (1.597, 0.598, -0.127, 1.576, 1.264, 2.437, 0.73), 0.12),
    "ko": Calibration(-3.65, (2.801, 1.415, 1.434, 1.49, 1.65, 0.0, 0.0), 0.055),
}


def measure_features(question: str, passages: Sequence[Passage], counts: Counts) -> Features:
    """The features of a question and its passages.

    Reads Korean with Kiwi, about 10 ms for three passages: call it from a thread.

    Args:
        counts: of the question's terms among all that the asker may read.
    """
    terms = find_terms(question)
    rarity = _weigh(find_content_terms(question) or terms, counts)
    held = [find_held(passage) & rarity.keys() for passage in passages]
    rare = dict(sorted(rarity.items(), key=lambda item: -item[1])[: max(1, (len(rarity) + 2) // 3)])
    lexical = [*sorted((passage.lexical_score for passage in passages), reverse=True), 0.0]
    most = sum(_weigh(terms, counts).values()) * _MOST_PER_IDF
    best_dense = max(passages, key=lambda passage: passage.dense_score)
    best_lexical = max(passages, key=lambda passage: passage.lexical_score)
    return Features(
        coverage=max(_share(terms, rarity) for terms in held),
        coverage_together=_share({term for terms in held for term in terms}, rarity),
        rarest=max(_share(terms, rare) for terms in held),
        strength=lexical[0] / most if most else 0.0,
        gap=(lexical[0] - lexical[1]) / lexical[0] if lexical[0] else 0.0,
        dense=max(0.0, best_dense.dense_score),
        agreement=float(best_dense is best_lexical and best_dense.dense_score > 0),
    )


def estimate(features: Features, calibration: Calibration) -> float:
    """Confidence in [0, 1] that the passages hold the answer."""
    total = calibration.bias + sum(
        weight * value for weight, value in zip(calibration.weights, astuple(features), strict=True)
    )
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))


def _weigh(terms: Sequence[str], counts: Counts) -> dict[str, float]:
    """BM25's idf of each term; one that no visible chunk holds weighs most."""
    return {
        term: math.log(1 + (counts.chunks - chunks + 0.5) / (chunks + 0.5))
        for term in terms
        for chunks in [min(counts.by_term.get(term, 0), counts.chunks)]
    }


def find_held(passage: Passage) -> set[str]:
    """Terms of a passage, as they are searched."""
    return set(find_terms(f"{passage.title}\n{passage.heading_path}\n{passage.text}"))


def _share(held: set[str], rarity: Mapping[str, float]) -> float:
    whole = sum(rarity.values())
    return sum(weight for term, weight in rarity.items() if term in held) / whole if whole else 0.0
