"""What the night compares besides words: names that a text adds, passages that carry it, near-equal texts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from core.wording import find_numbers, find_terms, measure_support, normalise_text, strip_citations

_WORD = re.compile(r"\w+")
# A capital inside a sentence, or a word that mixes letters with digits: a name, a product, a code.
_NAME = re.compile(r"(?<![.!?:\n]\s)(?<!^)(?<!\w)([A-Z][A-Za-z]+(?:-[A-Za-z0-9]+)*|[A-Za-z]+-?\d+\w*)")
SHINGLE_LETTERS = 4
# Prompts of a few kilobytes each.
SOURCES_KEPT = 256


def find_names(text: str) -> set[str]:
    """Words inside sentences that are written like names, product names or codes, in lower case."""
    return {name.casefold() for name in _NAME.findall(strip_citations(text))}


def find_missing_facts(text: str, sources: Iterable[str]) -> list[str]:
    """Numbers and names of a text that stand in none of the sources, sorted."""
    numbers, words = _read_facts("\n".join(sources))
    missing = find_numbers(text) - numbers
    names = {name for name in find_names(text) if not set(_WORD.findall(name)) <= words}
    return sorted(missing | names)


def measure_carried(text: str, sources: Iterable[str]) -> float:
    """As `measure_support`; the terms of the last sources are kept, since one prompt is asked about several texts."""
    terms = find_terms(text, endings=False)
    return len(terms & _read_terms("\n".join(sources))) / len(terms) if terms else 1.0


@lru_cache(maxsize=SOURCES_KEPT)
def _read_facts(known: str) -> tuple[frozenset[str], frozenset[str]]:
    """Numbers, and words in lower case."""
    return frozenset(find_numbers(known)), frozenset(_WORD.findall(known.casefold()))


@lru_cache(maxsize=SOURCES_KEPT)
def _read_terms(known: str) -> frozenset[str]:
    return frozenset(find_terms(known))


def find_supporting(text: str, passages: Sequence[Mapping[str, Any]]) -> list[int]:
    """Numbers of the fewest passages that hold a text's numbers, the best match first; empty where none fits."""
    scores = {passage["number"]: measure_support(text, [passage["text"]]) for passage in passages}
    wanted, found = find_numbers(text), list[int]()
    texts = {passage["number"]: find_numbers(passage["text"]) for passage in passages}
    for number in sorted(scores, key=lambda number: (-scores[number], number)):
        is_first = not found and scores[number] > 0
        if is_first or (found and wanted & texts[number]):
            found.append(number)
            wanted -= texts[number]
        if not wanted:
            break
    return found


def build_shingles(text: str) -> frozenset[str]:
    """Overlapping letter groups of a normalised text, for near-duplicate search."""
    normal = normalise_text(text)
    return frozenset(normal[at : at + SHINGLE_LETTERS] for at in range(max(1, len(normal) - SHINGLE_LETTERS + 1)))


def measure_overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard similarity of two sets in [0, 1]."""
    union = len(one | other)
    return len(one & other) / union if union else 1.0
