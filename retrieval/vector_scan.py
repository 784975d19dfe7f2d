"""The nearest vectors among what is visible: the best by their signs, which are in memory, compared in full.

No HNSW: at its defaults it lost half of the answers, and behind a filter it returns fewer rows than exist.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from core.database import Database
from core.sql import load_queries
from retrieval.embedding import Vectors
from retrieval.signs import Signs
from retrieval.vectors import render_vector
from retrieval.visible import VisibleChunks

QUERIES = load_queries(__file__)

# So many vectors are compared in full, in a large index one of so many; see docs/retrieval.md.
MIN_COMPARED, COMPARED_OF = 1000, 500
# Rows that one statement reads: 56 MB for 384 dimensions.
_READ_AT_ONCE = 1_000_000


@dataclass(slots=True)
class _Model:
    """Signs of one model's vectors up to a position in the order of storing."""

    signs: Signs
    position: int = 0
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


class VectorScan:
    """Compares a question's vector with those of visible chunks.

    Holds the signs of all vectors, from the first question on; each question reads what was stored since.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._models: dict[int, _Model] = {}

    async def find_nearest(
        self, vector: Vectors, model_id: int, visible: VisibleChunks, *, limit: int
    ) -> dict[int, float]:
        """Inner product of the best `limit` visible chunks that have a vector, by chunk.

        Args:
            vector: float32 [dimension].
            visible: read before, so that whatever is visible in it has been stored.
        """
        compared = max(MIN_COMPARED, visible.count // COMPARED_OF, limit)
        if visible.count <= compared:
            return await self.compare(vector, model_id, visible.find_ids(), limit=limit)
        signs = await self._read_signs(model_id, len(vector))
        nearest = await asyncio.to_thread(signs.find_nearest, vector, visible, compared)
        return await self.compare(vector, model_id, nearest, limit=limit)

    async def compare(
        self, vector: Vectors, model_id: int, chunk_ids: Sequence[int], *, limit: int | None = None
    ) -> dict[int, float]:
        """Inner product of the best `limit` of these visible chunks, None for all, where they have a vector."""
        parameters = {
            "vector": render_vector(vector),
            "model_id": model_id,
            "chunk_ids": list(chunk_ids),
            "limit": limit,
        }
        return dict(await self._database.fetch_tuples(QUERIES["compare_vectors"], parameters)) if chunk_ids else {}

    async def _read_signs(self, model_id: int, dimension: int) -> Signs:
        model = self._models.setdefault(model_id, _Model(Signs(dimension)))
        async with model.reading:
            while True:
                parameters = {"model_id": model_id, "after": model.position, "limit": _READ_AT_ONCE}
                ((count, position, entries),) = await self._database.fetch_tuples(QUERIES["find_signs"], parameters)
                if count:
                    await asyncio.to_thread(_put, model.signs, count, entries)
                    model.position = position
                if count < _READ_AT_ONCE:
                    return model.signs


def _put(signs: Signs, count: int, entries: bytes) -> None:
    rows = np.frombuffer(entries, dtype=np.uint8).reshape(count, -1)
    signs.put(np.ascontiguousarray(rows[:, :8]).view(">i8").ravel().astype(np.int64), rows[:, 8:])
