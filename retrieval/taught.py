"""What votes taught, as a search reads it: the questions that a passage answers are a part of its text, at half weight.

In half of its occurrences a term counts, and makes the text longer by three quarters: so a passage that merely has many
questions wins nothing by it. A term of a question that it was blamed for counts that much less. Chosen in
docs/retrieval.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.database import Database
from core.sql import load_queries
from retrieval.postings import Integers, Postings
from retrieval.visible import BLOCK_CHUNKS, VisibleChunks

QUERIES = load_queries(__file__)

Floats = NDArray[np.float64]

WEIGHT, LENGTH = 0.5, 0.75


@dataclass(frozen=True, slots=True)
class Taught:
    """Questions of visible chunks, for the terms of one question.

    Axes: t = pairs of term and chunk; places as in `VisibleChunks`.

    Attributes:
        term_numbers: int64 [t], place of each pair's term in `terms`.
        places: int64 [t], of each pair's chunk.
        frequencies: float64 [t], occurrences that the term gains in the chunk, below 0 where it loses.
        lengths: float64 by place, of the chunk's text in terms; 0 for chunks that were taught nothing.
        added_lengths: float64 by place, what its questions add.
    """

    terms: list[str]
    term_numbers: Integers
    places: Integers
    frequencies: Floats
    lengths: Floats
    added_lengths: Floats

    def add_to(self, parts: Sequence[Postings]) -> list[Postings]:
        """The postings with the questions in them, and a part more for terms that no text holds."""
        known = {term for part in parts for term in part.terms}
        unheld = [term for term in self.terms if term not in known]
        return [self._add(part) for part in (*parts, _build_empty(unheld))]

    def _add(self, part: Postings) -> Postings:
        frequencies = part.frequencies.astype(np.float64)
        numbers = {term: number for number, term in enumerate(part.terms)}
        new: list[tuple[Integers, Integers, Floats]] = []
        for own, term in enumerate(self.terms):
            if term in numbers:
                mine = self.term_numbers == own
                rest = _raise(part, numbers[term], frequencies, self.places[mine], self.frequencies[mine], self.lengths)
                new.append((np.full(len(rest[0]), numbers[term], dtype=np.int64), *rest))
        lengths = part.lengths + self.added_lengths[part.places]
        if new:
            new_numbers, places, gains = (np.concatenate(column) for column in zip(*new, strict=True))
            part = replace(
                part,
                term_numbers=np.concatenate([part.term_numbers, new_numbers]),
                places=np.concatenate([part.places, places]),
            )
            frequencies = np.concatenate([frequencies, gains])
            lengths = np.concatenate([lengths, (self.lengths + self.added_lengths)[places]])
        held = frequencies > 0
        return Postings(
            part.terms, part.term_numbers[held], part.places[held], frequencies=frequencies[held], lengths=lengths[held]
        )


async def find_taught(database: Database, terms: Sequence[str], visible: VisibleChunks) -> Taught | None:
    """What was taught about these terms to chunks that may be seen; None where nothing was taught to any."""
    if not visible.count or not terms:
        return None
    parameters = {"terms": list(terms), "blocks": visible.blocks.tolist()}
    rows = await database.fetch_tuples(QUERIES["find_taught"], parameters)
    # Sums of floats depend on the order, which no index promises.
    return unpack_taught(sorted(rows), visible) if rows else None


def unpack_taught(rows: Sequence[tuple[str, int, bytes]], visible: VisibleChunks) -> Taught:
    """From rows of term, block and entries; each block must hold a visible chunk."""
    terms = list(dict.fromkeys(term for term, _, _ in rows if term))
    numbers = {term: number for number, term in enumerate(["", *terms])}
    counts = [len(entries) // 6 for _, _, entries in rows]
    joined = np.frombuffer(b"".join(entries for _, _, entries in rows), dtype=">i2").reshape(-1, 3).astype(np.int64)
    block_numbers = np.searchsorted(visible.blocks, np.array([block for _, block, _ in rows], dtype=np.int64))
    places = np.repeat(block_numbers, counts) * BLOCK_CHUNKS + joined[:, 0]
    term_numbers = np.repeat(np.array([numbers[term] for term, _, _ in rows], dtype=np.int64), counts)
    seen = visible.mask[places]
    of_chunk, of_term = seen & (term_numbers == 0), seen & (term_numbers > 0)
    lengths, added_lengths = np.zeros(len(visible.mask)), np.zeros(len(visible.mask))
    lengths[places[of_chunk]] = joined[of_chunk, 1]
    added_lengths[places[of_chunk]] = joined[of_chunk, 2] * LENGTH
    return Taught(
        terms=terms,
        term_numbers=term_numbers[of_term] - 1,
        places=places[of_term],
        frequencies=joined[of_term, 1] * WEIGHT,
        lengths=lengths,
        added_lengths=added_lengths,
    )


def _raise(
    part: Postings, number: int, frequencies: Floats, places: Integers, gains: Floats, lengths: Floats
) -> tuple[Integers, Floats]:
    """Raise one term's frequencies in place; places and gains of chunks whose text does not hold it."""
    postings_at = np.full(len(lengths), -1, dtype=np.int64)
    own = np.flatnonzero(part.term_numbers == number)
    postings_at[part.places[own]] = own
    found = postings_at[places]
    held = found >= 0
    frequencies[found[held]] += gains[held]
    return places[~held], gains[~held]


def _build_empty(terms: list[str]) -> Postings:
    nothing = np.zeros(0, dtype=np.int64)
    return Postings(terms, nothing, nothing, nothing, nothing)
