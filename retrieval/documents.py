"""Stored documents: listing them, opening a citation at its place, removing, reading again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.database import Database
from core.errors import NotFoundError
from core.sql import load_queries
from retrieval.access import Access

QUERIES = load_queries(__file__)

CONTEXT_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document without its text."""

    id: int
    source: str
    path: str
    title: str
    format: str
    language: str
    version: int
    allow: list[str]
    deny: list[str]
    owner: str | None
    chunk_count: int
    ingested_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A passage where it stands: `text_before + passage + text_after` is one stretch of the document."""

    document_id: int
    title: str
    path: str
    format: str
    page: int | None
    heading_path: str
    text_before: str
    passage: str
    text_after: str


@dataclass(frozen=True, slots=True)
class IngestError:
    """A file or folder that could not be read at its last ingest."""

    source: str
    path: str
    reason: str
    first_failed_at: datetime
    last_failed_at: datetime


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


class Documents:
    """Reading goes through the visibility filter; `find_all` and what changes documents is for administrators."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._access = Access(database)

    async def find(self, principals: Sequence[str]) -> list[Document]:
        """Documents that may be read, by source and path."""
        return await self._access.fetch_visible(QUERIES["find_documents"], principals, {}, Document)

    async def get_place(
        self, chunk_id: int, principals: Sequence[str], *, context_characters: int = CONTEXT_CHARACTERS
    ) -> Place:
        """A cited passage with the text around it.

        Raises:
            NotFoundError: no such passage, or not for these principals; the two cannot be told apart.
        """
        parameters = {"chunk_id": chunk_id, "context": context_characters}
        found = await self._access.fetch_visible(QUERIES["get_place"], principals, parameters, Place)
        if not found:
            raise NotFoundError(f"no passage with the id {chunk_id}; its document may have changed since")
        return found[0]

    async def find_all(self) -> list[Document]:
        """Every document that is not removed, whoever may read it: for the console, never for an answer."""
        return await self._database.fetch_all(QUERIES["find_all_documents"], None, Document)

    async def find_errors(self) -> list[IngestError]:
        """What could not be read, by source and path."""
        return await self._database.fetch_all(QUERIES["find_errors"], None, IngestError)

    async def remove(self, document_id: int) -> None:
        """Make a document invisible from the next question on; an ingest that meets its file brings it back.

        Raises:
            NotFoundError: no such document, or it is removed already.
        """
        if await self._database.fetch_one(QUERIES["remove_document"], {"id": document_id}, _Id) is None:
            raise NotFoundError(f"no document with the id {document_id}")

    async def erase_removed(self, *, before: datetime) -> int:
        """Delete for good what was removed before a time, text, vectors and all; the number of documents."""
        return await self._database.execute(QUERIES["erase_removed"], {"before": before})

    async def forget_content(self, source: str) -> int:
        """Let the next ingest read every file of a source again; the number of documents."""
        return await self._database.execute(QUERIES["forget_content"], {"source": source})
