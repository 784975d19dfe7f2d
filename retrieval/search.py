"""The best passages for a question: exact dense scan and BM25, fused by score, always behind the filter."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from core.database import Database
from core.records import Passage
from core.sql import load_queries
from core.text import clean_text
from retrieval.access import Access
from retrieval.active_model import ActiveModel, Asked
from retrieval.candidates import Candidates
from retrieval.diversity import drop_repeats
from retrieval.embedding import Embedder, Vectors
from retrieval.fusion import Ranked, fuse
from retrieval.lexical import find_terms, warm_up
from retrieval.rerank import SecondLook
from retrieval.superseded import put_back
from retrieval.synonyms import NO_SYNONYMS, Expansion, Synonyms

QUERIES = load_queries(__file__)

Side = Literal["hybrid", "dense", "lexical"]

CANDIDATES = 200
MAX_TERMS = 512
MAX_QUESTION_CHARACTERS = 8000


class Search:
    """Finds passages. What changed counts from the next question on.

    No text is kept here. What is kept, masks of what may be seen and the signs of vectors, is compared with the version
    of the index before each question.

    Args:
        database: passages are read from it, for the asker alone.
        index: masks, postings and vectors are scanned in it, which hold no text; default: `database`.
        embedder: of the settings; `active` says which one questions are asked with.
        reranker: a second look at the best candidates; None leaves the fused order.
        synonyms: that the question is also asked by.
        use_votes: with what votes taught, as people are served.
    """

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        *,
        index: Database | None = None,
        reranker: SecondLook | None = None,
        synonyms: Synonyms = NO_SYNONYMS,
        use_votes: bool = True,
    ) -> None:
        index = index or database
        self.access = Access(database, index)
        self._candidates = Candidates(index, self.access, use_votes=use_votes)
        self.active = ActiveModel(index, embedder)
        self._reranker = reranker
        self._synonyms = synonyms

    async def warm_up(self) -> None:
        """Load every model now, so that the first question is as quick as the next."""
        await asyncio.gather(self.active.load(), asyncio.to_thread(warm_up))
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
        found = await self.rank(question, principals, limit=limit * 4 + 16, side=side)
        kept = drop_repeats(found, limit)
        return [replace(passage, number=number) for number, passage in enumerate(kept, start=1)]

    async def rank(
        self,
        question: str,
        principals: Sequence[str],
        *,
        limit: int,
        side: Side = "hybrid",
        vector: Vectors | None = None,
    ) -> list[Passage]:
        """The same with near-repeats left in: what is measured, and chosen from.

        Args:
            vector: of the question, where `embed` made it already.
        """
        text = clean_text(question).strip()[:MAX_QUESTION_CHARACTERS]
        if not text or not principals or limit < 1:
            return []
        asked = await self.active.find()
        terms, expansions = ([], []) if side == "dense" else await asyncio.to_thread(self._read, text)
        if vector is None and asked.embedder and _asks_dense(asked, text, side):
            vector = await asked.embedder.embed_query(text)
        candidates = await self._candidates.find(
            list(dict.fromkeys(terms))[:MAX_TERMS],
            vector,
            asked.model_id if vector is not None else None,
            principals,
            limit_per_side=max(CANDIDATES, limit),
            expansions=expansions,
        )
        found = await self._fetch(fuse(candidates, asked.choose_calibration(text))[:limit], principals)
        if side != "hybrid":
            return found
        found = put_back(text, found)
        return await self._reranker.rerank(text, found, model=asked.name) if self._reranker else found

    async def embed(self, questions: Sequence[str], side: Side = "hybrid") -> list[Vectors | None]:
        """Vectors of many questions at once, for `rank`; None for one that the dense side is not asked."""
        texts = [clean_text(question).strip()[:MAX_QUESTION_CHARACTERS] for question in questions]
        asked = await self.active.find()
        if asked.embedder is None:
            return [None] * len(texts)
        wanted = [text for text in texts if text and _asks_dense(asked, text, side)]
        found = dict(zip(wanted, await asked.embedder.embed(wanted, purpose="query"), strict=True))
        return [found.get(text) for text in texts]

    def _read(self, text: str) -> tuple[list[str], list[Expansion]]:
        return find_terms(text), self._synonyms.find(text)

    async def _fetch(self, ranked: Sequence[Ranked], principals: Sequence[str]) -> list[Passage]:
        parameters = {
            "chunk_ids": [one.chunk_id for one in ranked],
            "scores": [one.score for one in ranked],
            "dense_scores": [one.dense_score or 0.0 for one in ranked],
            "lexical_scores": [one.lexical_score for one in ranked],
        }
        return await self.access.fetch_visible(QUERIES["find_passages"], principals, parameters, Passage)


def _asks_dense(asked: Asked, text: str, side: Side) -> bool:
    return side == "dense" or (side == "hybrid" and asked.reads(text))
