"""The signs of a model's vectors, a bit a dimension, in memory, where an exact pass over 100,000 takes 1 ms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding import Vectors
from retrieval.visible import BLOCK_CHUNKS, VisibleChunks

Words = NDArray[np.uint64]
Rows = NDArray[np.int64]

_WORD_BITS = 64
# The nearest by signs alone, so many times as many as are wanted, are compared by signs and question.
_SURPLUS = 10
# Where the nearest are hardly nearer than the rest, signs do not tell them apart. So whatever may well be among the
# best so many is taken too, up to so many times as many as are wanted.
_SURE_OF, _MOST_TIMES = 10, 5
# By how much the projection of signs errs, in lengths of the question: the size of normal numbers has a mean of
# sqrt(2 / pi) and a deviation of sqrt(1 - 2 / pi), the second over the first counts, and a projection is of one sign of
# two. And how many such errors a chunk may lie below the tenth best.
_ERROR, _ERRORS = 0.378, 2.5
_BITS_OF_OCTET = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).T.astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Held:
    """Axes: w = words of 64 dimensions, b = blocks of 4,096 chunk ids, r = rows, b * 4096.

    Attributes:
        blocks: int64 [b], ascending; a chunk's block is its id // 4096.
        words: uint64 [w, r], word by word, because sums along rows are quick.
        is_held: bool [r], whether the row's chunk has a vector.
    """

    blocks: NDArray[np.int64]
    words: Words
    is_held: NDArray[np.bool_]


class Signs:
    """Which side of zero each vector lies on in each dimension; 48 bytes a chunk for 384 dimensions.

    A chunk that is deleted keeps its row: nobody sees it, so nobody finds it.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._word_count = -(-dimension // _WORD_BITS)
        nothing = np.zeros(0, dtype=np.int64)
        self._held = _Held(nothing, np.zeros((self._word_count, 0), dtype=np.uint64), np.zeros(0, dtype=np.bool_))

    def put(self, chunk_ids: NDArray[np.int64], bits: NDArray[np.uint8]) -> None:
        """Add chunks; not from two threads at once, but beside `find_nearest`.

        Args:
            chunk_ids: [n].
            bits: [n, bytes], eight dimensions a byte, the first the highest, as PostgreSQL sends them.
        """
        held = self._grow(np.setdiff1d(chunk_ids // BLOCK_CHUNKS, self._held.blocks))
        rows = np.searchsorted(held.blocks, chunk_ids // BLOCK_CHUNKS) * BLOCK_CHUNKS + chunk_ids % BLOCK_CHUNKS
        held.words[:, rows] = self._to_words(bits)
        held.is_held[rows] = True
        self._held = held

    def find_nearest(self, vector: Vectors, visible: VisibleChunks, count: int) -> list[int]:
        """At least `count` visible chunks whose signs fit best, ascending; all where there are no more.

        First by how many signs differ from the question's, then by the sum of the question's numbers with the chunk's
        signs, which tells sure dimensions from others.

        Args:
            vector: float32 [dimension].
        """
        held = self._held
        rows = _find_rows(held, visible)
        if len(rows) > count:
            rows = _take_nearest(
                held.words, rows, self._to_words(np.packbits(vector > 0)[None])[:, 0], count * _SURPLUS
            )
        if len(rows) > count:
            projected = _project(held.words[:, rows], vector)
            rows = rows[projected >= _find_least(projected, vector, count)]
        return (held.blocks[rows // BLOCK_CHUNKS] * BLOCK_CHUNKS + rows % BLOCK_CHUNKS).tolist()

    def _grow(self, blocks: NDArray[np.int64]) -> _Held:
        old = self._held
        if not len(blocks):
            return old
        joined = np.union1d(old.blocks, blocks)
        kept = np.isin(joined, old.blocks)
        words = np.zeros((self._word_count, len(joined), BLOCK_CHUNKS), dtype=np.uint64)
        is_held = np.zeros((len(joined), BLOCK_CHUNKS), dtype=np.bool_)
        words[:, kept] = old.words.reshape(self._word_count, -1, BLOCK_CHUNKS)
        is_held[kept] = old.is_held.reshape(-1, BLOCK_CHUNKS)
        return _Held(joined, words.reshape(self._word_count, -1), is_held.reshape(-1))

    def _to_words(self, bits: NDArray[np.uint8]) -> Words:
        padded = np.zeros((len(bits), self._word_count * 8), dtype=np.uint8)
        padded[:, : bits.shape[1]] = bits
        return padded.view(np.uint64).T


def _find_rows(held: _Held, visible: VisibleChunks) -> Rows:
    """Rows that are visible and have a vector, ascending."""
    _, own, seen = np.intersect1d(held.blocks, visible.blocks, assume_unique=True, return_indices=True)
    chosen = np.zeros((len(held.blocks), BLOCK_CHUNKS), dtype=np.bool_)
    chosen[own] = visible.mask.reshape(-1, BLOCK_CHUNKS)[seen]
    return np.flatnonzero(chosen.reshape(-1) & held.is_held)


def _take_nearest(words: Words, rows: Rows, question: Words, count: int) -> Rows:
    """Rows in whose signs the fewest differ, with all that tie with the last; ascending."""
    is_dense = len(rows) * 2 > words.shape[1]
    distances = np.zeros(words.shape[1] if is_dense else len(rows), dtype=np.uint16)
    for own, asked in zip(words, question, strict=True):
        distances += np.bitwise_count((own if is_dense else own[rows]) ^ asked)
    if is_dense:
        distances = distances[rows]
    within = np.cumsum(np.bincount(distances))
    return rows[distances <= np.searchsorted(within, min(count, len(rows)))]


def _find_least(projected: NDArray[np.float32], vector: Vectors, count: int) -> float:
    """What a row's projection must reach: that of the `count` best, or less where these may not hold the best ten."""
    sure, wanted, most = (min(place, len(projected)) - 1 for place in (_SURE_OF, count, count * _MOST_TIMES))
    descending = -np.partition(-projected, [sure, wanted, most])
    doubtful = float(descending[sure]) - _ERROR * _ERRORS * float(np.linalg.norm(vector))
    return max(min(float(descending[wanted]), doubtful), float(descending[most]))


def _project(words: Words, vector: Vectors) -> NDArray[np.float32]:
    """Sum of the vector's numbers where a row's sign is positive, float32 [r]; it orders as with both signs."""
    octets = np.ascontiguousarray(words.T).view(np.uint8).T
    padded = np.zeros(len(octets) * 8, dtype=np.float32)
    padded[: len(vector)] = vector
    # For each octet of a row, the sum that each of its 256 values stands for.
    sums = padded.reshape(-1, 8) @ _BITS_OF_OCTET
    total = np.zeros(octets.shape[1], dtype=np.float32)
    for own, summed in zip(octets, sums, strict=True):
        total += summed[own]
    return total
