"""The best chunks of each side of the search, with both exact scores: what fusion chooses from.

PostgreSQL holds postings and vectors, filters them and compares vectors; packed postings come here by the block and are
scored as arrays, because a row a posting is what costs there.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.database import Database
from core.sql import load_queries
from retrieval.access import Access
from retrieval.bm25 import Floats, find_best, score_chunks
from retrieval.embedding import Vectors
from retrieval.postings import find_postings
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
class Candidate:
    """A chunk that is among the best of at least one side.

    Attributes:
        dense_score: inner product with the question's vector; None where no vector was asked for or none is stored.
        lexical_score: BM25 over what the asker may see; 0 where no term occurs.
    """

    chunk_id: int
    dense_score: float | None
    lexical_score: float


@dataclass(frozen=True, slots=True)
class _Scored:
    chunk_id: int
    score: float
    nearest: int = 0


class Candidates:
    """Scans both sides behind the visibility filter; keeps nothing from one question to the next."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._access = Access(database)

    async def find(
        self,
        terms: Sequence[str],
        vector: Vectors | None,
        model_id: int | None,
        principals: Sequence[str],
        *,
        limit_per_side: int,
    ) -> list[Candidate]:
        """The union of the best `limit_per_side` of each side, by chunk.

        Args:
            terms: of the question; none leave out the lexical side.
            vector: of the question, float32 [dimension]; None leaves out the dense side.
            model_id: whose vectors to compare with.

        Raises:
            DatabaseError: the database stayed away.
        """
        visible = await self._access.find_visible_chunks(principals)
        if not visible.count:
            return []
        scores = await self._score_terms(terms, visible)
        lexical = find_best(scores, limit_per_side)
        also = visible.get_ids(lexical)
        dense: dict[int, float] = {}
        if vector is not None and model_id is not None:
            dense = await self._compare(vector, model_id, visible, also, limit_per_side)
        chunk_ids = sorted({*also, *dense})
        lexical_scores = scores[visible.get_places(chunk_ids)].tolist()
        return [
            Candidate(chunk_id, dense.get(chunk_id), score)
            for chunk_id, score in zip(chunk_ids, lexical_scores, strict=True)
        ]

    async def _score_terms(self, terms: Sequence[str], visible: VisibleChunks) -> Floats:
        postings = await find_postings(self._database, terms, visible)
        return await asyncio.to_thread(score_chunks, postings, visible)

    async def _compare(
        self, vector: Vectors, model_id: int, visible: VisibleChunks, also: Sequence[int], limit: int
    ) -> dict[int, float]:
        """Inner product of the best `limit`, and of the others that are asked for, where they have a vector."""
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
