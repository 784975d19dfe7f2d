"""Which chunks an asker may see, as one mask: what every scan of postings and vectors is held against."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BLOCK_CHUNKS = 4096


@dataclass(frozen=True, slots=True)
class VisibleChunks:
    """The chunks of the documents that some principals may read.

    Axes: b = blocks of 4,096 chunk ids that hold at least one visible chunk. A chunk's place is
    `number of its block in blocks * 4096 + id % 4096`.

    Attributes:
        blocks: int64 [b], ascending; a chunk's block is its id // 4096.
        mask: bool [b * 4096], by place.
        count: how many are visible.
        term_count: sum of their lengths in terms.
        version: of the index, when this was read.
        term_counts: how many of them hold a term, of terms that were read already; postings.py keeps it.
    """

    blocks: NDArray[np.int64]
    mask: NDArray[np.bool_]
    count: int
    term_count: int
    version: int
    term_counts: dict[str, int] = field(default_factory=dict[str, int], compare=False, repr=False)

    @property
    def mean_length(self) -> float:
        """In terms a chunk."""
        return self.term_count / self.count

    def get_ids(self, places: NDArray[np.int64]) -> list[int]:
        """Chunk ids of places."""
        ids: list[int] = (self.blocks[places // BLOCK_CHUNKS] * BLOCK_CHUNKS + places % BLOCK_CHUNKS).tolist()
        return ids

    def get_places(self, chunk_ids: Sequence[int]) -> NDArray[np.int64]:
        """Places of visible chunks."""
        ids = np.array(chunk_ids, dtype=np.int64)
        return np.searchsorted(self.blocks, ids // BLOCK_CHUNKS) * BLOCK_CHUNKS + ids % BLOCK_CHUNKS

    def find_ids(self) -> list[int]:
        """All of them, ascending."""
        return self.get_ids(np.flatnonzero(self.mask))


def read_visible(rows: Sequence[tuple[int, bytes, int]], version: int) -> VisibleChunks:
    """From rows of block, places (two bytes each, big end first) and sum of lengths, by block."""
    joined = np.frombuffer(b"".join(places for _, places, _ in rows), dtype=">u2")
    first = np.repeat(np.arange(len(rows)) * BLOCK_CHUNKS, [len(places) // 2 for _, places, _ in rows])
    mask = np.zeros(len(rows) * BLOCK_CHUNKS, dtype=np.bool_)
    mask[first + joined] = True
    mask.flags.writeable = False
    return VisibleChunks(
        blocks=np.array([block for block, _, _ in rows], dtype=np.int64),
        mask=mask,
        count=int(np.count_nonzero(mask)),
        term_count=sum(term_count for _, _, term_count in rows),
        version=version,
    )
