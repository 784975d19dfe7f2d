"""The nearest vectors among what is visible: all of them in full where they are few, else first by their signs.

No HNSW: at its defaults it lost half of the answers, and behind a filter it returns fewer rows than exist.
"""

from collections.abc import Sequence

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
_SAMPLE_SLACK = 1.5


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
        share, bitmap = min(1.0, _SAMPLE_SLACK * compared / visible.count), visible.to_bitmap()
        parameters = {
            "vector": render_vector(vector),
            "model_id": model_id,
            "bitmap": bitmap,
            "first_id": visible.first_id,
            "last_id": visible.first_id + len(bitmap) * 8 - 1,
            "mostly_hidden": visible.count < len(visible.mask) / 2,
            "compared": compared,
            "sample_percent": _SAMPLE_PERCENT,
            "share": share,
            "limit": limit,
        }
        rows = await self._database.fetch_tuples(QUERIES["compare_codes"], parameters)
        if share < 1 and (not rows or rows[0][2] < compared):
            # The sample misled, or only some of what is visible has a vector.
            everything = {"share": 1.0, "sample_percent": 0}
            rows = await self._database.fetch_tuples(QUERIES["compare_codes"], parameters | everything)
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
