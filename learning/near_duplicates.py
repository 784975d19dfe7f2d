"""Near-equal texts and questions, found by MinHash and locality-sensitive hashing and then compared exactly.

Korean is compared by groups of letters without spaces, English by words. Numbers and negations count whole: texts that
differ in one are never near. The same texts in the same order give the same groups on every machine.
"""

import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

from core.wording import find_numbers, find_terms, normalise_text

# Bands and rows: two questions that overlap by 0.7 meet but for one time in 6,700, two texts that overlap by 0.85 but
# for one in 1,600; fewer bands cost less memory.
QUESTION_BANDS, TEXT_BANDS = (21, 3), (10, 4)
TEXT_OVERLAP = 0.85
QUESTION_OVERLAP = 0.7

Hashes = NDArray[np.uint32]

_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_NEGATION = re.compile(r"\b(?:not|no|never|none|cannot|without)\b|n't\b|않|없|못|아니|금지|불가")
# What a Korean question ends its words with, and words that ask: they say nothing of what is asked.
_ENDING = re.compile(
    r"(?:인가요|인가|합니까|입니까|됩니까|습니까|하나요|되나요|있나요|나요|한가요|할까요|까요|이에요|예요|으려면|하려면|려면|해야"
    r"|에서|으로|은|는|이|가|을|를|에|로|의|도|만)$"
)
_ASKING = frozenset("어떻게 언제 어디 누가 무엇 얼마 며칠 몇 몇번 번 몇시 시 수 있 하 되 좀 꼭 제 저".split())
_POLITE = frozenset({"s", "pleas", "thank", "hi", "hello"})


def build_question_shingles(question: str) -> frozenset[str]:
    """What a question is about: English words cut to five letters, Korean letters and pairs of them."""
    if not _HANGUL.search(question):
        terms = find_terms(question) - _POLITE
        return _mark(question, terms or set(normalise_text(question).split()))
    stems = (_ENDING.sub("", word) for word in normalise_text(question).split())
    stem = "".join(word for word in stems if word not in _ASKING) or normalise_text(question).replace(" ", "")
    return _mark(question, _cut_letters(stem, 1) | _cut_letters(stem, 2))


def build_text_shingles(text: str) -> frozenset[str]:
    """All of a text: English words and pairs of them, Korean letters in threes without spaces."""
    normal = normalise_text(text)
    if _HANGUL.search(normal):
        return _mark(text, _cut_letters(normal.replace(" ", ""), 3))
    words = normal.split()
    return _mark(text, {*words, *map(" ".join, pairwise(words))})


def group_similar(sets: Iterable[frozenset[str]], *, overlap: float, bands: tuple[int, int] = TEXT_BANDS) -> list[int]:
    """For each set, the place of the first set of its group: those that are linked by overlaps of at least `overlap`.

    Sets are read once and kept as numbers of four bytes a shingle; give a generator where there are many.

    Args:
        overlap: Jaccard similarity in (0, 1], compared exactly.
        bands: number of bands, and rows in each.
    """
    hashed: list[Hashes] = []
    places: dict[bytes, int] = {}
    groups = Groups()
    index = MinHashLSH(num_perm=bands[0] * bands[1], params=bands)
    for at, one in enumerate(sets):
        hashed.append(hash_shingles(one))
        groups.add()
        first = places.setdefault(hashed[at].tobytes(), at)
        groups.join(first, at)
        if first != at:
            continue
        sketch = _sketch(hashed[at], bands[0] * bands[1])
        near: list[Any] = index.query(sketch)
        for other in sorted(near):
            if groups.find(other) != groups.find(at) and compare_hashes(hashed[at], hashed[other]) >= overlap:
                groups.join(other, at)
        index.insert(at, sketch)
    return [groups.find(at) for at in range(len(hashed))]


def hash_shingles(shingles: frozenset[str]) -> Hashes:
    """A set as sorted numbers."""
    return np.unique(np.fromiter((zlib.crc32(one.encode()) for one in shingles), np.uint32, len(shingles)))


def compare_hashes(one: Hashes, other: Hashes) -> float:
    """Jaccard similarity in [0, 1] of two sets of numbers."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    union = len(one) + len(other) - shared
    return shared / union if union else 1.0


def group_questions(questions: Sequence[str], shared: Iterable[tuple[int, int]] = ()) -> list[int]:
    """For each question, the place of the first question of its cluster.

    Args:
        shared: places of questions that ask the same in other words, e.g. in another language.
    """
    shingled = (build_question_shingles(question) for question in questions)
    found = group_similar(shingled, overlap=QUESTION_OVERLAP, bands=QUESTION_BANDS)
    groups = Groups(len(questions))
    for at, first in [*enumerate(found), *shared]:
        groups.join(first, at)
    return [groups.find(at) for at in range(len(questions))]


def link_by_facts(facts: Mapping[int, tuple[str, ...]], differ: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    """Neighbours of equal facts where `differ` says that they may be linked at all, e.g. are of two languages.

    Args:
        facts: by place; places without facts are left out of it.
    """
    by_fact: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, fact in sorted(facts.items()):
        by_fact[fact].append(at)
    return [(one, at) for places in by_fact.values() for at in places for one in places if one < at and differ(one, at)]


class Groups:
    """Disjoint groups of places, each known by its first one."""

    def __init__(self, count: int = 0) -> None:
        self._parents = list(range(count))

    def add(self) -> None:
        """One more place, a group by itself."""
        self._parents.append(len(self._parents))

    def find(self, at: int) -> int:
        """The first place of a group."""
        while self._parents[at] != at:
            self._parents[at] = self._parents[self._parents[at]]
            at = self._parents[at]
        return at

    def join(self, one: int, other: int) -> None:
        """Make one group of two."""
        first, second = sorted((self.find(one), self.find(other)))
        self._parents[second] = first


def _mark(text: str, shingles: Iterable[str]) -> frozenset[str]:
    """Shingles under the text's numbers and negations: sets with different ones share nothing and never meet."""
    numbers = ",".join(sorted(find_numbers(text)))
    negations = ",".join(sorted(_NEGATION.findall(text.casefold())))
    key = f"{numbers}|{negations}" if numbers or negations else ""
    return frozenset(f"{key}\t{shingle}" for shingle in shingles)


def _cut_letters(text: str, size: int) -> set[str]:
    return {text[at : at + size] for at in range(max(1, len(text) - size + 1))}


def _sketch(hashes: Hashes, size: int) -> MinHash:
    sketch = _new_sketch(size).copy()
    sketch.update_batch(hashes.tolist())
    return sketch


@lru_cache(2)
def _new_sketch(size: int) -> MinHash:
    return MinHash(num_perm=size, seed=1, hashfunc=_keep)


def _keep(number: int) -> int:
    return number
