"""The words of the documents that an asker may read: which exist, how common they are, and which look alike.

The one place of the query side that knows how terms are stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.database import Database
from core.sql import load_queries
from retrieval.access import Access
from retrieval.postings import count_terms, find_counts, find_postings, find_postings_near

QUERIES = load_queries(__file__)

_TEXTS = 5


@dataclass(frozen=True, slots=True)
class Counts:
    """How many visible chunks hold each term, of how many; a term that none holds is absent."""

    by_term: dict[str, int]
    chunks: int


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


class Vocabulary:
    """Terms of visible documents only: what a hidden one alone holds is absent, so no answer can tell of it."""

    def __init__(self, database: Database, access: Access | None = None) -> None:
        self._database = database
        self._access = access or Access(database)

    async def count(self, terms: Iterable[str], principals: Sequence[str]) -> Counts:
        """Chunks that hold each of these terms."""
        visible = await self._access.find_visible_chunks(principals)
        found = await find_counts(self._database, set(terms), visible)
        return Counts({term: count for term, count in found.items() if count}, visible.count)

    async def find_near(self, term: str, principals: Sequence[str], *, prefix: int, slack: int) -> dict[str, int]:
        """Terms with the same first `prefix` characters and a length within `slack`, each with its chunks."""
        visible = await self._access.find_visible_chunks(principals)
        shortest, longest = len(term) - slack, len(term) + slack
        postings = await find_postings_near(self._database, term[:prefix], visible, shortest=shortest, longest=longest)
        return {term: count for term, count in count_terms(postings).items() if count}

    async def find_texts(self, term: str, principals: Sequence[str]) -> list[str]:
        """A few texts that hold a term."""
        visible = await self._access.find_visible_chunks(principals)
        parts = await find_postings(self._database, [term], visible)
        parameters = {"chunk_ids": [id_ for part in parts for id_ in visible.get_ids(np.sort(part.places)[:_TEXTS])]}
        rows = await self._access.fetch_visible(QUERIES["find_texts"], principals, parameters, _Text)
        return [row.text for row in rows]
