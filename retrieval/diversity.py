"""The same paragraph in two files takes one place, not two. Pure."""

import re
from collections.abc import Sequence
from itertools import pairwise

from core.records import Passage

_WORD = re.compile(r"\w+")
SIMILAR = 0.8


def drop_repeats(passages: Sequence[Passage], limit: int) -> list[Passage]:
    """The first `limit` passages that are not nearly the same as one kept before.

    Nearly the same: at least `SIMILAR` of all pairs of neighbouring words are common to both (Jaccard).
    """
    kept: list[Passage] = []
    pairs: list[set[tuple[str, ...]]] = []
    for passage in passages:
        own = _find_pairs(passage.text)
        if any(_measure(own, other) >= SIMILAR for other in pairs):
            continue
        kept.append(passage)
        pairs.append(own)
        if len(kept) == limit:
            break
    return kept


def _find_pairs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return set(pairwise(words)) or {tuple(words)}


def _measure(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> float:
    return len(one & other) / len(one | other)
