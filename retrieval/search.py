"""The best passages for a question: exact dense scan and BM25, fused by score, always behind the filter."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.database import Database
from core.prompt import detect_language
from core.records import Passage
from core.sql import load_queries
from core.text import clean_text
from retrieval.access import Access
from retrieval.candidates import Candidates
from retrieval.diversity import drop_repeats
from retrieval.embedding import Embedder, Vectors
from retrieval.fusion import UNMEASURED, Calibration, Ranked, fuse
from retrieval.fusion_calibration import Measured, find_calibrations
from retrieval.lexical import find_terms, warm_up
from retrieval.rerank import SecondLook

QUERIES = load_queries(__file__)

Side = Literal["hybrid", "dense", "lexical"]

CANDIDATES = 200
CALIBRATIONS_SECONDS = 60.0
MAX_TERMS = 512
MAX_QUESTION_CHARACTERS = 8000


@dataclass(frozen=True, slots=True)
class _Model:
    id: int


class Search:
    """Finds passages. Keeps no copy of documents or permissions: what changed counts from the next question on.

    Args:
        reranker: a second look at the best candidates; None leaves the fused order.
        use_votes: with what votes taught, as people are served.
    """

    def __init__(
        self, database: Database, embedder: Embedder, *, reranker: SecondLook | None = None, use_votes: bool = True
    ) -> None:
        self._database = database
        self._access = Access(database)
        self._candidates = Candidates(database, use_votes=use_votes)
        self._embedder = embedder
        self._reranker = reranker
        self._model_id: int | None = None
        self._calibrations: dict[str, Measured] = {}
        self._calibrations_until = 0.0

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
        calibration = await self._find_calibration(text)
        terms: list[str] = [] if side == "dense" else await asyncio.to_thread(find_terms, text)
        if vector is None and self._asks_dense(text, calibration, side):
            vector = await self._embedder.embed_query(text)
        candidates = await self._candidates.find(
            list(dict.fromkeys(terms))[:MAX_TERMS],
            vector,
            await self._find_model_id() if vector is not None else None,
            principals,
            limit_per_side=max(CANDIDATES, limit),
        )
        found = await self._fetch(fuse(candidates, calibration)[:limit], principals)
        return await self._reranker.rerank(text, found) if self._reranker and side == "hybrid" else found

    async def embed(self, questions: Sequence[str], side: Side = "hybrid") -> list[Vectors | None]:
        """Vectors of many questions at once, for `rank`; None for one that the dense side is not asked."""
        texts = [clean_text(question).strip()[:MAX_QUESTION_CHARACTERS] for question in questions]
        wanted = [text for text in texts if text and self._asks_dense(text, await self._find_calibration(text), side)]
        found = dict(zip(wanted, await self._embedder.embed(wanted, purpose="query"), strict=True))
        return [found.get(text) for text in texts]

    async def _fetch(self, ranked: Sequence[Ranked], principals: Sequence[str]) -> list[Passage]:
        parameters = {
            "chunk_ids": [one.chunk_id for one in ranked],
            "scores": [one.score for one in ranked],
            "dense_scores": [one.dense_score or 0.0 for one in ranked],
            "lexical_scores": [one.lexical_score for one in ranked],
        }
        return await self._access.fetch_visible(QUERIES["find_passages"], principals, parameters, Passage)

    def _asks_dense(self, text: str, calibration: Calibration, side: Side) -> bool:
        """Whether the model has a say: it is asked alone, or reads the language, by the settings and as measured."""
        if side != "hybrid":
            return side == "dense"
        return self._embedder.reads(text) and calibration.dense_share > 0

    async def _find_calibration(self, text: str) -> Calibration:
        """As measured for the question's language; looked up again after a while, for an ingest measures anew."""
        if time.monotonic() >= self._calibrations_until:
            self._calibrations = await find_calibrations(self._database, self._embedder.name)
            self._calibrations_until = time.monotonic() + CALIBRATIONS_SECONDS
        measured = self._calibrations.get(detect_language(text))
        return measured.calibration if measured else UNMEASURED

    async def _find_model_id(self) -> int | None:
        """Id of the embedder's model; None while nothing has been embedded with it."""
        if self._model_id is None:
            found = await self._database.fetch_one(QUERIES["find_model"], {"name": self._embedder.name}, _Model)
            self._model_id = found.id if found else None
        return self._model_id
