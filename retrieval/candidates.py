"""The best chunks of each side of the search, with both exact scores: what fusion chooses from.

PostgreSQL holds postings and vectors, filters them and compares vectors; packed postings come here by the block and are
scored as arrays, because a row a posting is what costs there.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from core.database import Database
from retrieval.access import Access
from retrieval.bm25 import Floats, find_best, score_chunks
from retrieval.embedding import Vectors
from retrieval.postings import find_postings
from retrieval.vector_scan import VectorScan
from retrieval.visible import VisibleChunks


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


class Candidates:
    """Scans both sides behind the visibility filter; keeps nothing from one question to the next."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._access = Access(database)
        self._vector_scan = VectorScan(database)

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
            dense = await self._vector_scan.compare(vector, model_id, visible, also=also, limit=limit_per_side)
        chunk_ids = sorted({*also, *dense})
        lexical_scores = scores[visible.get_places(chunk_ids)].tolist()
        return [
            Candidate(chunk_id, dense.get(chunk_id), score)
            for chunk_id, score in zip(chunk_ids, lexical_scores, strict=True)
        ]

    async def _score_terms(self, terms: Sequence[str], visible: VisibleChunks) -> Floats:
        postings = await find_postings(self._database, terms, visible)
        return await asyncio.to_thread(score_chunks, postings, visible)
