"""The nearest vectors among what is visible: all of them in full where they are few, else first by their signs.

No HNSW: at its defaults it lost half of the answers, and behind a filter it returns fewer rows than exist.
"""

from collections.abc import Sequence
from typing import Any

from core.database import Database
from core.sql import load_queries
from retrieval.embedding import Vectors
from retrieval.vectors import render_vector
from retrieval.visible import VisibleChunks

QUERIES = load_queries(__file__)

# Up to so many visible chunks every vector is compared in full, which costs less than a scan of all codes.
MAX_COMPARED_IN_FULL = 3000
# Of the nearest codes so many vectors are compared in full, in a large index one of so many; see docs/retrieval.md.
MIN_COMPARED, COMPARED_OF = 1000, 250
_SAMPLE_PERCENT = 3
_SAMPLE_SLACK = 3.0
_SAMPLE_SLACK_AGAIN = 15.0


class VectorScan:
    """Compares a question's vector with those of visible chunks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_nearest(
        self, vector: Vectors, model_id: int, visible: VisibleChunks, *, limit: int
    ) -> dict[int, float]:
        """Inner product of the best `limit` visible chunks that have a vector, by chunk.

        Args:
            vector: float32 [dimension].
        """
        if visible.count <= MAX_COMPARED_IN_FULL:
            return await self.compare(vector, model_id, visible.find_ids(), limit=limit)
        compared = max(MIN_COMPARED, visible.count // COMPARED_OF, limit)
        bitmap = visible.to_bitmap()
        parameters = {
            "vector": render_vector(vector),
            "model_id": model_id,
            "bitmap": bitmap,
            "first_id": visible.first_id,
            "last_id": visible.first_id + len(bitmap) * 8 - 1,
            "mostly_hidden": visible.count < len(visible.mask) / 2,
            "compared": compared,
            "limit": limit,
        }
        rows: list[tuple[Any, ...]] = []
        for slack in (_SAMPLE_SLACK, _SAMPLE_SLACK_AGAIN, None):
            share = 1.0 if slack is None else min(1.0, slack * compared / visible.count)
            sample = {"share": share, "sample_percent": 0 if slack is None else _SAMPLE_PERCENT}
            rows = await self._database.fetch_tuples(QUERIES["compare_codes"], parameters | sample)
            if share == 1 or (rows and rows[0][2] >= compared):
                break
            # The sample misled, or only some of what is visible has a vector.
        return {chunk_id: score for chunk_id, score, _ in rows}

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
