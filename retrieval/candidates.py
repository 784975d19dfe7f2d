"""The best chunks of each side of the search, with both exact scores: what fusion chooses from."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.database import Database
from core.sql import load_queries
from retrieval.access import Access
from retrieval.embedding import Vectors
from retrieval.vectors import render_vector

QUERIES = load_queries(__file__)

K1, B = 1.2, 0.75


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
    """Scans both sides behind the visibility filter."""

    def __init__(self, database: Database) -> None:
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
        parameters = {
            "terms": list(terms),
            "vector": None if vector is None else render_vector(vector),
            "model_id": model_id,
            "k1": K1,
            "b": B,
            "limit": limit_per_side,
        }
        return await self._access.fetch_visible(QUERIES["find_candidates"], principals, parameters, Candidate)
