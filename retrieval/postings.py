"""Postings as they are stored: by term and block of 4,096 chunk ids, six bytes a chunk.

An entry is the chunk's place in its block, how often it holds the term, and its length in terms; each two bytes, big
end first. The chunk with the id `block * 4096 + place` is meant.
"""

import asyncio
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.database import Database
from core.sql import load_queries
from retrieval.visible import BLOCK_CHUNKS, VisibleChunks

QUERIES = load_queries(__file__)

Integers = NDArray[np.int64]
Numbers = NDArray[np.int64] | NDArray[np.float64]

MAX_COUNT = 32_767

# Up to so many, unpacking takes a millisecond, and handing it to a thread about as long. A question of hundreds of
# frequent terms is unpacked in such parts, so that it takes time and not memory.
_PART_BYTES = 1_000_000

# Terms whose counts are kept with a mask, about 100 bytes each.
_MOST_COUNTED = 5000

_ENTRY = struct.Struct(">3H")


@dataclass(frozen=True, slots=True)
class Postings:
    """Where terms occur in what the asker may see.

    Axes: p = postings. All arrays int64 [p]; frequencies and lengths float64 once votes are in them.

    Attributes:
        terms: those that were read, each once, also where no visible chunk holds them.
        term_numbers: place of each posting's term in `terms`.
        places: of each posting's chunk among the visible blocks, see `VisibleChunks`.
        frequencies: of the term in the chunk.
        lengths: of the chunk, in terms.
    """

    terms: list[str]
    term_numbers: Integers
    places: Integers
    frequencies: Numbers
    lengths: Numbers

    def count_chunks(self) -> Integers:
        """How many visible chunks hold each term."""
        return np.bincount(self.term_numbers, minlength=len(self.terms))

    def get_range(self, number: int) -> slice:
        """Where the postings of one term of `terms` stand: as they are read, they lie together, in order."""
        first, last = np.searchsorted(self.term_numbers, [number, number + 1]).tolist()
        return slice(first, last)

    def pick(self, number: int) -> "Postings":
        """Those of one term alone."""
        own = self.get_range(number)
        zeros = np.zeros_like(self.term_numbers[own])
        return Postings([self.terms[number]], zeros, self.places[own], self.frequencies[own], self.lengths[own])


def pack_postings(chunks: Mapping[int, Mapping[str, int]]) -> list[tuple[str, int, bytes]]:
    """Term, block and entries of new chunks, by term.

    Args:
        chunks: frequency of each term by chunk id.
    """
    packed: dict[tuple[str, int], bytearray] = {}
    for chunk_id, terms in sorted(chunks.items()):
        block, place = divmod(chunk_id, BLOCK_CHUNKS)
        length = min(sum(terms.values()), MAX_COUNT)
        for term, frequency in terms.items():
            packed.setdefault((term, block), bytearray()).extend(_ENTRY.pack(place, min(frequency, MAX_COUNT), length))
    return [(term, block, bytes(entries)) for (term, block), entries in sorted(packed.items())]


async def find_postings(database: Database, terms: Sequence[str], visible: VisibleChunks) -> list[Postings]:
    """Where these terms occur: a term is in one part only, and a part small enough for arrays of it."""
    if not terms:
        return []
    parts = await _read(database, "find_postings", {"terms": list(terms)}, visible)
    if len(visible.term_counts) > _MOST_COUNTED:
        visible.term_counts.clear()
    visible.term_counts.update({**dict.fromkeys(terms, 0), **count_terms(parts)})
    return parts


async def find_counts(database: Database, terms: Iterable[str], visible: VisibleChunks) -> dict[str, int]:
    """How many visible chunks hold each of these terms; postings are read only where no question read them before."""
    known = {term: visible.term_counts[term] for term in terms if term in visible.term_counts}
    unread = sorted(set(terms) - known.keys())
    return {**known, **dict.fromkeys(unread, 0), **count_terms(await find_postings(database, unread, visible))}


def count_terms(parts: Sequence[Postings]) -> dict[str, int]:
    """How many visible chunks hold each term of these postings."""
    return {term: count for part in parts for term, count in zip(part.terms, part.count_chunks().tolist(), strict=True)}


async def find_postings_near(
    database: Database, prefix: str, visible: VisibleChunks, *, shortest: int, longest: int
) -> list[Postings]:
    """Where terms occur that begin with a prefix and are so many characters long."""
    parameters = {"prefix": prefix, "shortest": shortest, "longest": longest}
    return await _read(database, "find_postings_near", parameters, visible)


async def _read(
    database: Database, query: str, parameters: Mapping[str, Any], visible: VisibleChunks
) -> list[Postings]:
    if not visible.count:
        return []
    rows = await database.fetch_tuples(QUERIES[query], {**parameters, "blocks": visible.blocks.tolist()})
    # An index promises no order, and a sum of floats depends on it.
    rows.sort()
    return [await _unpack(part, visible) for part in _split(rows)]


def _split(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Rows of whole terms, each part about as large as is worth handing to a thread."""
    first, size = 0, 0
    for number, (term, _, entries) in enumerate(rows):
        if size > _PART_BYTES and term != rows[number - 1][0]:
            yield rows[first:number]
            first, size = number, 0
        size += len(entries)
    if rows:
        yield rows[first:]


async def _unpack(rows: Sequence[tuple[Any, ...]], visible: VisibleChunks) -> Postings:
    if sum(len(entries) for _, _, entries in rows) < _PART_BYTES:
        return unpack_postings(rows, visible)
    return await asyncio.to_thread(unpack_postings, rows, visible)


def unpack_postings(rows: Sequence[tuple[Any, ...]], visible: VisibleChunks) -> Postings:
    """Entries of visible chunks from rows of term, block and entries; each block must hold a visible chunk."""
    numbers = {term: number for number, term in enumerate(dict.fromkeys(term for term, _, _ in rows))}
    block_numbers = np.searchsorted(visible.blocks, np.array([block for _, block, _ in rows], dtype=np.int64))
    counts = [len(entries) // _ENTRY.size for _, _, entries in rows]
    joined = np.frombuffer(b"".join(entries for _, _, entries in rows), dtype=">u2").reshape(-1, 3)
    places = np.repeat(block_numbers, counts) * BLOCK_CHUNKS + joined[:, 0]
    seen = visible.mask[places]
    return Postings(
        terms=list(numbers),
        term_numbers=np.repeat(np.array([numbers[term] for term, _, _ in rows], dtype=np.int64), counts)[seen],
        places=places[seen],
        frequencies=joined[:, 1][seen].astype(np.int64),
        lengths=joined[:, 2][seen].astype(np.int64),
    )
