"""The best passages for a question: exact dense scan and BM25, fused by score, always behind the filter."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.database import Database
from core.records import Passage
from core.sql import load_queries
from core.text import clean_text
from retrieval.access import Access
from retrieval.candidates import Candidate, Candidates
from retrieval.diversity import drop_repeats
from retrieval.embedding import Embedder
from retrieval.lexical import find_terms, warm_up
from retrieval.rerank import Reranker

QUERIES = load_queries(__file__)

Side = Literal["hybrid", "dense", "lexical"]

# Weight of the dense side where the model reads the question's language: best or near it on seven of eight sets.
DENSE_WEIGHT = 0.5
CANDIDATES = 200
MAX_TERMS = 512
MAX_QUESTION_CHARACTERS = 8000


@dataclass(frozen=True, slots=True)
class _Model:
    id: int


class Search:
    """Finds passages. Keeps no copy of documents or permissions: what changed counts from the next question on.

    Args:
        reranker: a second look at the best candidates; None leaves the fused order.
    """

    def __init__(self, database: Database, embedder: Embedder, *, reranker: Reranker | None = None) -> None:
        self._database = database
        self._access = Access(database)
        self._candidates = Candidates(database)
        self._embedder = embedder
        self._reranker = reranker
        self._model_id: int | None = None

    async def warm_up(self) -> None:
        """Load every model now, so that the first question is as quick as the next."""
        await asyncio.gather(self._embedder.load(), asyncio.to_thread(warm_up))
        if self._reranker:
            await self._reranker.load()

    async def search(
        self, question: str, principals: Sequence[str], *, limit: int = 3, side: Side = "hybrid"
    ) -> list[Passage]:
        """At most `limit` passages, best first, numbered from 1, none nearly the same as one before it.

        Args:
            principals: what the asker, and everyone who will see the reply, may read; none see nothing.
            side: for measuring one side alone; people are served `hybrid`.

        Raises:
            DatabaseError: the database stayed away.
        """
        text = clean_text(question).strip()[:MAX_QUESTION_CHARACTERS]
        if not text or not principals or limit < 1:
            return []
        found = await self._rank(text, principals, side, wanted=limit * 4 + 16)
        if self._reranker:
            found = await self._reranker.rerank(text, found)
        kept = drop_repeats(found, limit)
        return [replace(passage, number=number) for number, passage in enumerate(kept, start=1)]

    async def _rank(self, text: str, principals: Sequence[str], side: Side, wanted: int) -> list[Passage]:
        weight, model_id = await self._find_weight(text, side)
        terms = list(dict.fromkeys(await asyncio.to_thread(find_terms, text)))[:MAX_TERMS] if weight < 1 else []
        vector = await self._embedder.embed_query(text) if weight else None
        candidates = await self._candidates.find(
            terms, vector, model_id, principals, limit_per_side=max(CANDIDATES, wanted)
        )
        ranked = sorted(_fuse(candidates, weight), key=lambda scored: (-scored[0], scored[1].chunk_id))[:wanted]
        parameters = {
            "chunk_ids": [candidate.chunk_id for _, candidate in ranked],
            "scores": [score for score, _ in ranked],
            "dense_scores": [candidate.dense_score or 0.0 for _, candidate in ranked],
            "lexical_scores": [candidate.lexical_score for _, candidate in ranked],
        }
        return await self._access.fetch_visible(QUERIES["find_passages"], principals, parameters, Passage)

    async def _find_weight(self, text: str, side: Side) -> tuple[float, int | None]:
        """Share of the dense side, 0 where its model is blind, and the model's id."""
        model_id = await self._find_model_id()
        if side == "dense":
            return (1.0, model_id)
        if side == "lexical" or model_id is None or not self._embedder.reads(text):
            return (0.0, model_id)
        return (DENSE_WEIGHT, model_id)

    async def _find_model_id(self) -> int | None:
        """Id of the embedder's model; None while nothing has been embedded with it."""
        if self._model_id is None:
            found = await self._database.fetch_one(QUERIES["find_model"], {"name": self._embedder.name}, _Model)
            self._model_id = found.id if found else None
        return self._model_id


def _fuse(candidates: Sequence[Candidate], weight: float) -> list[tuple[float, Candidate]]:
    """Each side scaled by its own range over the candidates (lexical from 0), weighed; the dense side by `weight`."""
    dense = [candidate.dense_score for candidate in candidates if candidate.dense_score is not None]
    bottom, spread = (min(dense), max(dense) - min(dense)) if dense else (0.0, 0.0)
    top = max((candidate.lexical_score for candidate in candidates), default=0.0)

    def scale(candidate: Candidate) -> float:
        if candidate.dense_score is None:
            return 0.0
        return (candidate.dense_score - bottom) / spread if spread else 1.0

    return [(weight * scale(one) + (1 - weight) * (one.lexical_score / top if top else 0.0), one) for one in candidates]
