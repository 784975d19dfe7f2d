"""The light reranker at work: trained on the votes of the log, kept with its figures, used once it beats the fusion."""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from core.database import Database
from core.records import Passage
from core.sql import load_queries
from core.text import clean_text
from retrieval.embedding import Embedder
from retrieval.examples import hash_terms, read_terms
from retrieval.learned_rank import DEPTH, Facts, Judged, Learned, build_rows, learn, order
from retrieval.search import Search

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

# A night's training asks each of these once: about half a minute.
MOST_QUESTIONS = 500
_REFRESH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Trained:
    """What is stored of a training."""

    weights: list[float]
    questions: int
    fused_ndcg: float
    rank_ndcg: float
    gain_error: float
    is_used: bool
    trained_at: datetime


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question that votes judge, with the chunks that answer it."""

    interaction_id: int
    question: str
    principals: list[str]
    digest: str
    chunk_ids: list[int]


class LearnedOrder:
    """Orders the best passages anew where what was learnt is in use; else leaves them as they are."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._model: str | None = None
        self._trained: Trained | None = None
        self._until = 0.0

    async def load(self) -> None:
        """Nothing to load: weights are looked up again every minute."""

    async def rerank(self, question: str, passages: Sequence[Passage], *, model: str) -> list[Passage]:
        """The same passages, best first; scores stay those of the search."""
        if model != self._model or time.monotonic() >= self._until:
            self._trained = await find_trained(self._database, model)
            self._model, self._until = model, time.monotonic() + _REFRESH_SECONDS
        if not self._trained or not self._trained.is_used or len(passages) < 2:
            return list(passages)
        best, rest = passages[:DEPTH], passages[DEPTH:]
        facts = await _find_facts(self._database, best, hash_terms(read_terms(question)))
        places = order(build_rows(question, best, facts), self._trained.weights)
        return [*(best[place] for place in places), *rest]


async def find_trained(database: Database, model: str) -> Trained | None:
    """The newest training for an embedding model."""
    return await database.fetch_one(QUERIES["find_trained"], {"model": model}, Trained)


async def train_order(database: Database, embedder: Embedder) -> Learned | None:
    """Learn from the newest judged questions and store it; None where there are fewer than two.

    Each is asked without what votes taught the search: else its own like would put its passage first.

    Raises:
        DatabaseError: the database stayed away.
    """
    asked = await database.fetch_all(QUERIES["find_judged"], {"limit": MOST_QUESTIONS}, _Asked)
    search = Search(database, embedder, use_votes=False)
    judged = [one for one in [await _judge(database, search, one) for one in asked] if one]
    if len(judged) < 2:
        return None
    learned = learn(judged)
    await database.execute(
        QUERIES["put_trained"], {**asdict(learned), "model": embedder.name, "is_used": learned.is_better}
    )
    log.info("order learnt", extra={**asdict(learned), "is_used": learned.is_better})
    return learned


async def _judge(database: Database, search: Search, asked: _Asked) -> Judged | None:
    question = clean_text(asked.question)
    passages = await search.rank(question, asked.principals, limit=DEPTH)
    right = [place for place, passage in enumerate(passages) if passage.chunk_id in asked.chunk_ids]
    if not right or len(passages) < 2:
        return None
    facts = await _find_facts(database, passages, asked.digest, before_id=asked.interaction_id)
    return Judged(build_rows(question, passages, facts), right)


async def _find_facts(
    database: Database, passages: Sequence[Passage], digest: str, *, before_id: int | None = None
) -> list[Facts]:
    chunk_ids = [passage.chunk_id for passage in passages]
    parameters = {"chunk_ids": chunk_ids, "question": digest, "before_id": before_id}
    return await database.fetch_all(QUERIES["find_facts"], parameters, Facts)
