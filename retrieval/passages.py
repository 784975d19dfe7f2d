"""Ranked chunks as passages: text, title and place, read behind the same filter that ranked them."""

from collections.abc import Sequence

from core.database import Database
from core.records import Passage
from core.sql import load_queries
from retrieval.access import Access
from retrieval.fusion import Ranked

QUERIES = load_queries(__file__)


class Passages:
    """Reads what people are shown of a chunk."""

    def __init__(self, database: Database) -> None:
        self._access = Access(database)

    async def fetch(self, ranked: Sequence[Ranked], principals: Sequence[str]) -> list[Passage]:
        """A passage for each chunk that is still there and visible, in order, numbered by its place.

        Raises:
            DatabaseError: the database stayed away.
        """
        if not ranked:
            return []
        parameters = {
            "chunk_ids": [one.chunk_id for one in ranked],
            "scores": [one.score for one in ranked],
            "dense_scores": [one.dense_score or 0.0 for one in ranked],
            "lexical_scores": [one.lexical_score for one in ranked],
        }
        return await self._access.fetch_visible(QUERIES["fetch_passages"], principals, parameters, Passage)
