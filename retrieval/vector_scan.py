"""The nearest vectors among what is visible: all of them in full where they are few, else first by their signs.

No HNSW: at its defaults it lost half of the answers, and behind a filter it returns fewer rows than exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
_SAMPLE_SLACK = 1.5


@dataclass(frozen=True, slots=True)
class _Scored:
    chunk_id: int
    score: float
    nearest: int = 0


class VectorScan:
    """Compares a question's vector with those of visible chunks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def compare(
        self, vector: Vectors, model_id: int, visible: VisibleChunks, *, also: Sequence[int] = (), limit: int
    ) -> dict[int, float]:
        """Inner products by chunk: of the best `limit`, and of others that are asked for, where they have a vector.

        Args:
            vector: float32 [dimension].
            also: ids of visible chunks.
        """
        parameters = {"vector": render_vector(vector), "model_id": model_id, "also": list(also), "limit": limit}
        if visible.count <= MAX_COMPARED_IN_FULL:
            found = await self._fetch(QUERIES["compare_vectors"], parameters | {"visible_ids": visible.find_ids()})
        else:
            found = await self._compare_codes(parameters, visible)
        return {one.chunk_id: one.score for one in found}

    async def _compare_codes(self, parameters: dict[str, Any], visible: VisibleChunks) -> list[_Scored]:
        compared = max(MIN_COMPARED, visible.count // COMPARED_OF, parameters["limit"])
        bitmap = visible.to_bitmap()
        parameters = parameters | {
            "bitmap": bitmap,
            "first_id": visible.first_id,
            "last_id": visible.first_id + len(bitmap) * 8 - 1,
            "compared": compared,
            "sample_percent": _SAMPLE_PERCENT,
            "share": min(1.0, _SAMPLE_SLACK * compared / visible.count),
        }
        found = await self._fetch(QUERIES["compare_codes"], parameters)
        if parameters["share"] < 1 and (not found or found[0].nearest < compared):
            # The sample misled, or only some of what is visible has a vector.
            found = await self._fetch(QUERIES["compare_codes"], parameters | {"share": 1.0, "sample_percent": 0})
        return found

    async def _fetch(self, query: bytes, parameters: dict[str, Any]) -> list[_Scored]:
        return await self._database.fetch_all(query, parameters, _Scored)
