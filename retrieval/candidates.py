"""The best chunks of each side of the search, with both exact scores: what fusion chooses from.

PostgreSQL holds postings and vectors, filters them and compares vectors; packed postings come here by the block and are
scored as arrays, because a row a posting is what costs there.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.database import Database
from retrieval.access import Access
from retrieval.bm25 import Floats, find_best, score_chunks
from retrieval.embedding import Vectors
from retrieval.postings import find_postings
from retrieval.synonyms import Expansion, score_synonyms
from retrieval.taught import find_taught
from retrieval.vector_scan import VectorScan
from retrieval.visible import VisibleChunks


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that is among the best of at least one side.

    Attributes:
        dense_score: inner product with the question's vector; None where no vector was asked for or none is stored.
        lexical_score: BM25 over what the asker may see, with synonyms and what votes taught; 0 where no term occurs.
    """

    chunk_id: int
    dense_score: float | None
    lexical_score: float


class Candidates:
    """Scans both sides behind the visibility filter, as the index is when the question comes.

    Between questions it holds what may be seen (`Access`) and the signs of vectors (`VectorScan`), each with the
    version of the index that it was read at; a question reads anew what changed since.

    Args:
        use_votes: with what votes taught, as people are served.
    """

    def __init__(self, database: Database, access: Access | None = None, *, use_votes: bool = True) -> None:
        self._database = database
        self._use_votes = use_votes
        self._access = access or Access(database)
        self._vector_scan = VectorScan(database)

    async def find(
        self,
        terms: Sequence[str],
        vector: Vectors | None,
        model_id: int | None,
        principals: Sequence[str],
        *,
        limit_per_side: int,
        expansions: Sequence[Expansion] = (),
    ) -> list[Candidate]:
        """The union of the best `limit_per_side` of each side, by chunk.

        Args:
            terms: of the question; none leave out the lexical side.
            vector: of the question, float32 [dimension]; None leaves out the dense side.
            model_id: whose vectors to compare with.
            expansions: words of the question that have synonyms, which count for the lexical side.

        Raises:
            DatabaseError: the database stayed away.
        """
        visible = await self._access.find_visible_chunks(principals)
        if not visible.count:
            return []
        # Several connections: a server with a second core works on both sides at once.
        scores, near = await asyncio.gather(
            self._score_terms(terms, expansions, visible), self._find_near(vector, model_id, visible, limit_per_side)
        )
        lexical = visible.get_ids(find_best(scores, limit_per_side))
        compared: dict[int, float] = {}
        if vector is not None and model_id is not None:
            compared = await self._vector_scan.compare(vector, model_id, sorted({*near, *lexical}))
        chunk_ids = sorted({*lexical, *list(compared)[:limit_per_side]})
        lexical_scores = scores[visible.get_places(chunk_ids)].tolist()
        return [
            Candidate(chunk_id, compared.get(chunk_id), score)
            for chunk_id, score in zip(chunk_ids, lexical_scores, strict=True)
        ]

    async def _score_terms(
        self, terms: Sequence[str], expansions: Sequence[Expansion], visible: VisibleChunks
    ) -> Floats:
        others = sorted({term for one in expansions for term in one.terms}.difference(terms))
        parts, unasked, taught = await asyncio.gather(
            find_postings(self._database, terms, visible),
            find_postings(self._database, others, visible),
            find_taught(self._database, terms if self._use_votes else (), visible),
        )
        of_synonyms = score_synonyms([*parts, *unasked], expansions, visible) if expansions else 0.0
        mean_length = visible.mean_length
        if taught:
            parts = taught.add_to(parts)
            mean_length += float(taught.added_lengths.sum()) / visible.count
        scores = np.zeros(len(visible.mask))
        for postings in parts:
            scores += score_chunks(postings, visible, mean_length)
        return scores + of_synonyms

    async def _find_near(
        self, vector: Vectors | None, model_id: int | None, visible: VisibleChunks, limit: int
    ) -> list[int]:
        if vector is None or model_id is None:
            return []
        return await self._vector_scan.find_near(vector, model_id, visible, limit=limit)
