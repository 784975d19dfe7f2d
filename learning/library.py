"""What the documents say now: whether a document changed or went since it was shown, and which passage holds a fact."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.database import Database
from core.sql import load_queries
from core.wording import SUPPORTED_SHARE, find_numbers, find_terms
from learning.wording import find_missing_facts

QUERIES = load_queries(__file__)

ROWS_A_FETCH = 500
# Of passages that hold a text, so many are remembered: the best one may not be visible to the asker.
MOST_HOLDERS = 8


@dataclass(frozen=True, slots=True)
class DocumentNow:
    """A document as it is now; `is_there` is false where it was removed."""

    id: int
    title: str
    path: str
    version: int
    owner: str | None
    allow: list[str]
    deny: list[str]
    is_there: bool

    def is_visible(self, principals: Collection[str]) -> bool:
        """The one rule of who may read: named by allow, not named by deny."""
        named = set(principals)
        return self.is_there and bool(named & set(self.allow)) and not named & set(self.deny)


@dataclass(frozen=True, slots=True)
class Holder:
    """A stored passage that holds all facts of a text; `support` is the share of its terms in [0, 1]."""

    chunk_id: int
    document_id: int
    support: float


@dataclass(frozen=True, slots=True)
class Library:
    """What of the documents a night looked up.

    Attributes:
        documents: by id.
        chunks: the document of each chunk that still exists.
        holders: by text, the best first.
    """

    documents: Mapping[int, DocumentNow] = field(default_factory=dict[int, DocumentNow])
    chunks: Mapping[int, int] = field(default_factory=dict[int, int])
    holders: Mapping[str, list[Holder]] = field(default_factory=dict[str, list[Holder]])


async def find_documents(database: Database, ids: Iterable[int]) -> dict[int, DocumentNow]:
    """Documents by id; those that are not known any more are left out."""
    rows = await database.fetch_all(QUERIES["find_documents"], {"ids": sorted(set(ids))}, DocumentNow)
    return {row.id: row for row in rows}


async def find_chunks(database: Database, ids: Iterable[int]) -> dict[int, int]:
    """The document of each chunk that exists."""
    return dict(await database.fetch_tuples(QUERIES["find_chunks"], {"ids": sorted(set(ids))}))


async def find_holders(database: Database, texts: Collection[str]) -> dict[str, list[Holder]]:
    """The passages that hold each text, in one pass over all that is stored; memory does not grow with it."""
    if not texts:
        return {}
    reader = _Reader(texts)
    async with database.transaction() as connection, connection.cursor(name="scan_chunks") as cursor:
        cursor.itersize = ROWS_A_FETCH
        await cursor.execute(QUERIES["scan_chunks"])
        async for row in cursor:
            reader.read(row)
    return reader.found


class _Reader:
    """Meets each passage once and keeps the best holders of every text."""

    def __init__(self, texts: Collection[str]) -> None:
        self._terms = {text: find_terms(text, endings=False) for text in sorted(texts)}
        self._numbers = {text: find_numbers(text) for text in texts}
        self._texts_by_term: dict[str, list[str]] = defaultdict(list)
        for text, terms in self._terms.items():
            for term in terms:
                self._texts_by_term[term].append(text)
        self.found: dict[str, list[Holder]] = defaultdict(list)

    def read(self, row: tuple[Any, ...]) -> None:
        chunk_id, document_id, passage = row
        terms = find_terms(passage)
        shared = Counter(text for term in terms & self._texts_by_term.keys() for text in self._texts_by_term[term])
        for text, count in shared.items():
            support = count / len(self._terms[text])
            # The numbers are among the terms: most passages fall out before their names are read.
            if support < SUPPORTED_SHARE or not self._numbers[text] <= terms or find_missing_facts(text, [passage]):
                continue
            best = [*self.found[text], Holder(chunk_id, document_id, support)]
            best.sort(key=lambda holder: (-holder.support, holder.chunk_id))
            self.found[text] = best[:MOST_HOLDERS]
