"""The words of the documents that an asker may read: which exist, how common they are, and which look alike.

The one place of the query side that knows how terms are stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.database import Database
from core.sql import load_queries
from retrieval.access import Access

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many visible chunks hold each term, of how many; a term that none holds is absent."""

    by_term: dict[str, int]
    chunks: int


@dataclass(frozen=True, slots=True)
class _Counted:
    term: str | None
    chunks: int


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


class Vocabulary:
    """Terms of visible documents only: what a hidden one alone holds is absent, so no answer can tell of it."""

    def __init__(self, database: Database) -> None:
        self._access = Access(database)

    async def count(self, terms: Iterable[str], principals: Sequence[str]) -> Counts:
        """Chunks that hold each of these terms."""
        parameters = {"terms": sorted(set(terms))}
        rows = await self._access.fetch_visible(QUERIES["count_terms"], principals, parameters, _Counted)
        total = next((row.chunks for row in rows if row.term is None), 0)
        return Counts({row.term: row.chunks for row in rows if row.term is not None}, total)

    async def find_near(self, term: str, principals: Sequence[str], *, prefix: int, slack: int) -> dict[str, int]:
        """Terms with the same first `prefix` characters and a length within `slack`, each with its chunks."""
        parameters = {"prefix": term[:prefix], "shortest": len(term) - slack, "longest": len(term) + slack}
        rows = await self._access.fetch_visible(QUERIES["find_terms_near"], principals, parameters, _Counted)
        return {row.term: row.chunks for row in rows if row.term is not None}

    async def find_texts(self, term: str, principals: Sequence[str]) -> list[str]:
        """A few texts that hold a term."""
        rows = await self._access.fetch_visible(QUERIES["find_text_with"], principals, {"term": term}, _Text)
        return [row.text for row in rows]
