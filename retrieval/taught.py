"""What votes taught, as a search reads it: the questions that a passage answers are a part of its text, with a weight.

What passages gain by them others lose. So the more of the passages have questions, the less these weigh and the more
they count as length, which takes from a passage what it would win by merely having many. A term of a question that a
passage was blamed for counts one occurrence less. The numbers were chosen in docs/retrieval.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.database import Database
from core.sql import load_queries
from retrieval.postings import Integers, Postings
from retrieval.visible import BLOCK_CHUNKS, VisibleChunks

QUERIES = load_queries(__file__)

Floats = NDArray[np.float64]

_LEAST_WEIGHT = 0.3
# Up to this share of the passages taught, an occurrence in a question weighs as much as one in the text.
_PAR_SHARE = 0.05

# Entries of the chunks themselves come under this in place of a term.
_CHUNKS = ""


@dataclass(frozen=True, slots=True)
class Taught:
    """Questions of visible chunks, for the terms of one question.

    Axes: t = pairs of term and chunk, p = places as in `VisibleChunks`.

    Attributes:
        term_numbers: int64 [t], place of each pair's term in `terms`.
        places: int64 [t], of each pair's chunk.
        gains: float64 [t], occurrences that the term gains in the chunk, below 0 where it loses.
        lengths: float64 [p], of the chunk's text in terms; 0 for chunks that no question was added to.
        added_lengths: float64 [p], what its questions add.
    """

    terms: list[str]
    term_numbers: Integers
    places: Integers
    gains: Floats
    lengths: Floats
    added_lengths: Floats

    def add_to(self, parts: Sequence[Postings]) -> list[Postings]:
        """The postings with the questions in them, and a part more for terms that no text holds."""
        known = {term for part in parts for term in part.terms}
        nothing = np.zeros(0, dtype=np.int64)
        unheld = Postings([term for term in self.terms if term not in known], nothing, nothing, nothing, nothing)
        return [self._add(part) for part in (*parts, unheld)]

    def _add(self, part: Postings) -> Postings:
        raised = part.frequencies.astype(np.float64)
        numbers, places, frequencies = [part.term_numbers], [part.places], [raised]
        for own, term in enumerate(self.terms):
            if term in part.terms:
                number, mine = part.terms.index(term), self.term_numbers == own
                at = self._find_postings(part, number, self.places[mine])
                held = at >= 0
                raised[at[held]] += self.gains[mine][held]
                numbers.append(np.full(np.count_nonzero(~held), number))
                places.append(self.places[mine][~held])
                frequencies.append(self.gains[mine][~held])
        of_all = np.concatenate(places)
        lengths = np.concatenate([part.lengths, self.lengths[of_all[len(part.places) :]]]) + self.added_lengths[of_all]
        joined = np.concatenate(frequencies)
        kept = joined > 0
        return Postings(part.terms, np.concatenate(numbers)[kept], of_all[kept], joined[kept], lengths[kept])

    def _find_postings(self, part: Postings, number: int, places: Integers) -> Integers:
        """Where a term's postings of these places stand in the part; -1 for those whose text does not hold it."""
        own = part.get_range(number)
        at = np.full(len(self.lengths), -1, dtype=np.int64)
        at[part.places[own]] = np.arange(own.start, own.stop)
        return at[places]


def choose_weights(share: float) -> tuple[float, float]:
    """What a term's occurrence in a liked question counts, and adds to the length, in occurrences in the text.

    Args:
        share: of the visible chunks that have questions, in (0, 1].
    """
    weight = min(1.0, max(_LEAST_WEIGHT, _PAR_SHARE / share))
    return weight, weight * min(1.5, 0.2 + 4 * share)


async def find_taught(database: Database, terms: Sequence[str], visible: VisibleChunks) -> Taught | None:
    """What was taught about these terms to chunks that may be seen; None where nothing was taught to any."""
    if not visible.count or not terms:
        return None
    parameters = {"terms": list(terms), "blocks": visible.blocks.tolist()}
    rows = await database.fetch_tuples(QUERIES["find_taught"], parameters)
    # Sums of floats depend on the order, which no index promises.
    return unpack_taught(sorted(rows), visible) if rows else None


def unpack_taught(rows: Sequence[tuple[str, int, bytes]], visible: VisibleChunks) -> Taught:
    """From rows of term, block and entries, by term; each block must hold a visible chunk."""
    terms = list(dict.fromkeys(term for term, _, _ in rows if term != _CHUNKS))
    numbers = {term: number for number, term in enumerate(terms)} | {_CHUNKS: -1}
    counts = [len(entries) // 6 for _, _, entries in rows]
    # Signed: a weight may be below 0, and no place, length or count is above 32,767.
    joined = np.frombuffer(b"".join(entries for _, _, entries in rows), dtype=">i2").reshape(-1, 3).astype(np.int64)
    blocks = np.searchsorted(visible.blocks, np.array([block for _, block, _ in rows], dtype=np.int64))
    places = np.repeat(blocks, counts) * BLOCK_CHUNKS + joined[:, 0]
    term_numbers = np.repeat(np.array([numbers[term] for term, _, _ in rows], dtype=np.int64), counts)
    seen = visible.mask[places]
    of_chunk, of_term = seen & (term_numbers < 0), seen & (term_numbers >= 0)
    weight, length = choose_weights(max(1, np.count_nonzero(of_chunk)) / visible.count)
    lengths, added_lengths = np.zeros(len(visible.mask)), np.zeros(len(visible.mask))
    lengths[places[of_chunk]] = joined[of_chunk, 1]
    added_lengths[places[of_chunk]] = joined[of_chunk, 2] * length
    questions = joined[of_term, 1]
    return Taught(
        terms=terms,
        term_numbers=term_numbers[of_term],
        places=places[of_term],
        gains=np.where(questions > 0, questions * weight, questions).astype(np.float64),
        lengths=lengths,
        added_lengths=added_lengths,
    )
