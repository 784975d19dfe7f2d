"""Words that mean the same: found in a question, and scored below the word that was typed.

Only the question is looked at, so a changed group counts at once and no document is read again.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.bm25 import Floats, measure_rarity, score_postings
from retrieval.lexical import Word, find_content_terms, find_terms, find_words
from retrieval.postings import Integers, Postings
from retrieval.visible import VisibleChunks

# Of the score that the typed word would have: a chunk that holds it goes before its equal that holds the synonym.
WEIGHT = 0.7
# A page of nonsense must not cost hundreds of look-ups.
MOST_EXPANSIONS = 8
MOST_ALTERNATIVES = 16


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another word for what was typed.

    Attributes:
        terms: by which it is scored.
        needed: all of which a chunk must hold; `annual` alone is not `annual leave`.
    """

    text: str
    terms: tuple[str, ...]
    needed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expansion:
    """A word of the question, from character `start` to `end`, with the others of its group."""

    start: int
    end: int
    typed: Alternative
    alternatives: tuple[Alternative, ...]

    @property
    def terms(self) -> set[str]:
        """All that must be looked up."""
        return {term for one in (self.typed, *self.alternatives) for term in (*one.terms, *one.needed)}


@dataclass(frozen=True, slots=True)
class _Entry:
    words: tuple[str, ...]
    group: tuple[str, ...]
    member: str


class Synonyms:
    """Groups of words that mean the same; read at first use, which loads the Korean analyser where one is Korean."""

    def __init__(self, groups: Sequence[Sequence[str]] = ()) -> None:
        self.groups = tuple(tuple(group) for group in groups)
        self._reading = threading.Lock()
        self._entries: dict[str, list[_Entry]] | None = None
        self._terms: frozenset[str] = frozenset()

    def find(self, text: str) -> list[Expansion]:
        """Words of a text that have others, in order, the longest where several begin; call it from a thread."""
        if not self.groups:
            return []
        entries = self._get_entries()
        words, at, found = find_words(text), 0, list[Expansion]()
        while at < len(words) and len(found) < MOST_EXPANSIONS:
            entry = _match(entries.get(words[at].term, ()), words[at:])
            if entry:
                found.append(_expand(text, words[at : at + len(entry.words)], entry))
            at += len(entry.words) if entry else 1
        return found

    def knows(self, terms: Iterable[str]) -> bool:
        """Whether a word of these terms is one of a group: real, though no document holds it."""
        if not self.groups:
            return False
        self._get_entries()
        return any(term in self._terms for term in terms)

    def _get_entries(self) -> dict[str, list[_Entry]]:
        with self._reading:
            if self._entries is None:
                self._entries = _index(self.groups)
                self._terms = frozenset(
                    term for group in self.groups for word in group for term in find_content_terms(word)
                )
            return self._entries


NO_SYNONYMS = Synonyms()


def reword(text: str, expansions: Sequence[Expansion], held: Sequence[set[str]]) -> str:
    """A question with each word that no passage holds replaced by a synonym that one does.

    Args:
        held: terms of each passage.
    """
    for one in reversed(expansions):
        if not any(_holds(terms, one.typed) for terms in held):
            instead = next((other for other in one.alternatives if any(_holds(terms, other) for terms in held)), None)
            text = f"{text[: one.start]} {instead.text} {text[one.end :]}" if instead else text
    return " ".join(text.split())


def score_synonyms(parts: Sequence[Postings], expansions: Sequence[Expansion], visible: VisibleChunks) -> Floats:
    """What each place of `VisibleChunks` gains by synonyms.

    A word and its synonyms count once, by the best of them: `WEIGHT` of a synonym's BM25, and where documents hold the
    typed word too, as if the synonym were no rarer than it. So a chunk with both words is not twice as good.

    Args:
        parts: postings of all terms of the expansions, of whatever others besides.
    """
    scores = _TermScores(parts, {term for one in expansions for term in one.terms}, visible)
    gained = np.zeros(len(visible.mask))
    for expansion in expansions:
        own = scores.add_up(expansion.typed)
        best = own.copy()
        for alternative in expansion.alternatives:
            weight = WEIGHT * min(1.0, scores.compare_rarity(expansion.typed, alternative))
            np.maximum(best, weight * scores.add_up(alternative), out=best)
        gained += best - own
    return gained


class _TermScores:
    """BM25 of each wanted term apart: chunks that hold it and their scores."""

    def __init__(self, parts: Sequence[Postings], wanted: Set[str], visible: VisibleChunks) -> None:
        self._size = len(visible.mask)
        self._by_term: dict[str, tuple[Integers, Floats]] = {}
        self._rarity: dict[str, float] = {}
        of_each = (part.pick(number) for part in parts for number, term in enumerate(part.terms) if term in wanted)
        for one in of_each:
            if len(one.places):
                (term,) = one.terms
                self._by_term[term] = one.places, score_postings(one, visible)
                self._rarity[term] = float(measure_rarity(one.count_chunks(), visible)[0])

    def add_up(self, word: Alternative) -> Floats:
        """Score of a word by place; 0 where one of its needed terms is missing."""
        total = np.zeros(self._size)
        for term in word.terms:
            places, points = self._by_term.get(term, (_NOWHERE, _NOTHING))
            total[places] += points
        for term in word.needed:
            places, _ = self._by_term.get(term, (_NOWHERE, _NOTHING))
            is_held = np.zeros(self._size, dtype=np.bool_)
            is_held[places] = True
            total[~is_held] = 0.0
        return total

    def compare_rarity(self, typed: Alternative, other: Alternative) -> float:
        """Rarity of what was typed over that of another word; 1 where no chunk holds what was typed."""
        own, others = (
            sum(self._rarity[term] for term in word.terms if term in self._by_term) for word in (typed, other)
        )
        return own / others if own and others else 1.0


_NOWHERE: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
_NOTHING: Floats = np.zeros(0)


def _index(groups: Iterable[tuple[str, ...]]) -> dict[str, list[_Entry]]:
    """Every word by the first of its parts, the longest first."""
    entries: dict[str, list[_Entry]] = {}
    for group in groups:
        for member in group:
            # Of Korean that is all particles nothing is left: it is asked for, and never found in a question.
            if words := tuple(word.term for word in find_words(member)):
                entries.setdefault(words[0], []).append(_Entry(words, group, member))
    for found in entries.values():
        found.sort(key=lambda entry: -len(entry.words))
    return entries


def _match(entries: Iterable[_Entry], words: Sequence[Word]) -> _Entry | None:
    return next(
        (entry for entry in entries if entry.words == tuple(word.term for word in words[: len(entry.words)])), None
    )


def _expand(text: str, words: Sequence[Word], entry: _Entry) -> Expansion:
    start, end = words[0].start, words[-1].end
    others = [other for other in entry.group if other != entry.member]
    return Expansion(start, end, _read(text[start:end]), tuple(_read_all(others))[:MOST_ALTERNATIVES])


def _read_all(members: Iterable[str]) -> Iterator[Alternative]:
    """Those that the index can hold; `IT`, say, is a stop word there."""
    return (found for found in map(_read, members) if found.terms)


def _read(text: str) -> Alternative:
    terms = tuple(dict.fromkeys(find_terms(text)))
    return Alternative(text, terms, tuple(dict.fromkeys(find_content_terms(text))) or terms)


def _holds(held: set[str], word: Alternative) -> bool:
    return bool(word.needed) and held.issuperset(word.needed)
