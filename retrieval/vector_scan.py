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
MIN_COMPARED, COMPARED_OF = 400, 1000
# Rows that one statement reads: 56 MB for 384 dimensions.
_READ_AT_ONCE = 1_000_000


@dataclass(slots=True)
class _Model:
    """Signs of one model's vectors up to a position in the order of storing; `version` is of the index."""

    signs: Signs
    position: int = 0
    version: int | None = None
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


class VectorScan:
    """Compares a question's vector with those of visible chunks.

    Holds the signs of all vectors, from the first question on; a question reads what was stored since the last.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._models: dict[int, _Model] = {}

    async def find_near(self, vector: Vectors, model_id: int, visible: VisibleChunks, *, limit: int) -> list[int]:
        """Visible chunks among which the nearest `limit` are, of more than that: to be compared in full.

        Args:
            vector: float32 [dimension].
        """
        count = max(MIN_COMPARED, visible.count // COMPARED_OF, limit)
        if visible.count <= count:
            return visible.find_ids()
        signs = await self._read_signs(model_id, len(vector), visible.version)
        return await asyncio.to_thread(signs.find_nearest, vector, visible, count)

    async def compare(self, vector: Vectors, model_id: int, chunk_ids: Sequence[int]) -> dict[int, float]:
        """Inner product of these visible chunks, where they have a vector, the nearest first."""
        if not chunk_ids:
            return {}
        parameters = {"vector": render_vector(vector), "model_id": model_id, "chunk_ids": list(chunk_ids)}
        return dict(await self._database.fetch_tuples(QUERIES["compare_vectors"], parameters))

    async def _read_signs(self, model_id: int, dimension: int, version: int) -> Signs:
        """Those of this version of the index, or a later one."""
        model = self._models.setdefault(model_id, _Model(Signs(dimension)))
        async with model.reading:
            while model.version != version:
                parameters = {"model_id": model_id, "after": model.position, "limit": _READ_AT_ONCE}
                ((count, position, entries),) = await self._database.fetch_tuples(QUERIES["find_signs"], parameters)
                if count:
                    await asyncio.to_thread(_put, model.signs, count, entries)
                    model.position = position
                if count < _READ_AT_ONCE:
                    model.version = version
        return model.signs


def _put(signs: Signs, count: int, entries: bytes) -> None:
    rows = np.frombuffer(entries, dtype=np.uint8).reshape(count, -1)
    signs.put(np.ascontiguousarray(rows[:, :8]).view(">i8").ravel().astype(np.int64), rows[:, 8:])
