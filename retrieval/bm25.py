"""BM25 over what one asker may see, and the best of an array of scores."""

import numpy as np
from numpy.typing import NDArray

from retrieval.postings import Postings
from retrieval.visible import VisibleChunks

Floats = NDArray[np.float64]

K1, B = 1.2, 0.75


def score_chunks(postings: Postings, visible: VisibleChunks, mean_length: float | None = None) -> Floats:
    """Score of each place of `VisibleChunks`, 0 where no term occurs.

    Args:
        mean_length: of visible chunks, in terms, where votes made some of them longer; None takes that of their texts.

    Chunks, their mean length and how many hold a term are counted over what is visible: no score tells of the rest.

    Source: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework", with the logarithm of Lucene, which
    is never negative.
    """
    scores = score_postings(postings, visible, mean_length)
    return np.bincount(postings.places, weights=scores, minlength=len(visible.mask)).astype(np.float64, copy=False)


def score_postings(postings: Postings, visible: VisibleChunks, mean_length: float | None = None) -> Floats:
    """What each posting adds to its chunk, float64 [p]."""
    rarity = measure_rarity(postings.count_chunks(), visible)
    frequencies = postings.frequencies.astype(np.float64)
    damping = K1 * (1 - B + B * postings.lengths / (mean_length or visible.mean_length))
    return rarity[postings.term_numbers] * frequencies * (K1 + 1) / (frequencies + damping)


def measure_rarity(counts: NDArray[np.int64], visible: VisibleChunks) -> Floats:
    """The logarithm of terms that so many visible chunks hold."""
    return np.log(1 + (visible.count - counts + 0.5) / (counts + 0.5))


def find_best(scores: Floats, limit: int) -> NDArray[np.int64]:
    """Places of the highest scores above 0, at most `limit`, best first; of equals the first place."""
    places = np.flatnonzero(scores)
    if len(places) > limit:
        lowest = np.partition(scores[places], len(places) - limit)[len(places) - limit]
        places = places[scores[places] >= lowest]
    order = np.argsort(-scores[places], kind="stable")
    return places[order[:limit]]
