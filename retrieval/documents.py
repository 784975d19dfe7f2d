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
    """A stored document without its text; `changed_at` is its own date where there is one, else the day of reading."""

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
    changed_at: datetime
    ingested_at: datetime


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as administrators see it, hidden or not.

    Attributes:
        source_version: what its source called the content that was read.
        removed_at: since when nobody sees it, because it is gone from its source or was withdrawn.
        withdrawn_at: since when an administrator keeps it hidden, whatever its source says.
    """

    id: int
    source: str
    path: str
    title: str
    format: str
    language: str
    version: int
    sha256: str
    source_version: str | None
    recipe: str
    allow: list[str]
    deny: list[str]
    owner: str | None
    chunk_count: int
    changed_at: datetime
    ingested_at: datetime
    removed_at: datetime | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk with the names of the models that it has a vector of; `start` and `end` in characters, from 0."""

    id: int
    ordinal: int
    version: int
    heading_path: str
    page: int | None
    start_offset: int
    end_offset: int
    language: str
    text: str
    models: list[str]


@dataclass(frozen=True, slots=True)
class Place:
    """A passage where it stands: `text_before + passage + text_after` is one stretch of the document."""

    document_id: int
    title: str
    path: str
    format: str
    changed_at: datetime
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

    async def find_stored(
        self, *, source: str | None = None, hidden: bool = False, after_id: int = 0, limit: int = 1000
    ) -> list[StoredDocument]:
        """Documents by id, hidden ones only where asked for; for administrators.

        Args:
            source: None is all.
            hidden: those that nobody sees, instead of those that are searched.
        """
        parameters = {"source": source, "hidden": hidden, "after_id": after_id, "limit": limit}
        return await self._database.fetch_all(QUERIES["find_stored"], parameters, StoredDocument)

    async def get_stored(self, document_id: int) -> StoredDocument:
        """One document, hidden or not; for administrators.

        Raises:
            NotFoundError: no such document.
        """
        found = await self._database.fetch_one(QUERIES["get_stored"], {"id": document_id}, StoredDocument)
        if found is None:
            raise NotFoundError(f"no document with the id {document_id}; `nightbake documents list` shows them")
        return found

    async def find_chunks(self, document_id: int) -> list[StoredChunk]:
        """Chunks of a document in order; for administrators."""
        return await self._database.fetch_all(QUERIES["find_chunks"], {"id": document_id}, StoredChunk)

    async def find_copies(self, document_id: int) -> list[Document]:
        """Documents of the same content under other names or in other sources; for administrators."""
        return await self._database.fetch_all(QUERIES["find_copies"], {"id": document_id}, Document)

    async def remove(self, document_id: int) -> None:
        """Hide a document from the next question on, and from every ingest to come, until `restore`.

        Raises:
            NotFoundError: no such document, or it is removed already.
        """
        if await self._database.fetch_one(QUERIES["remove_document"], {"id": document_id}, _Id) is None:
            raise NotFoundError(f"no document with the id {document_id}")

    async def restore(self, document_id: int) -> None:
        """Undo a removal; what changed meanwhile is read at the next ingest.

        Raises:
            NotFoundError: no such document, it was not removed, or its source no longer holds it.
        """
        async with self._database.transaction() as connection:
            cursor = await connection.execute(QUERIES["forget_withdrawal"], {"id": document_id})
            if cursor.rowcount == 0:
                raise NotFoundError(f"no document with the id {document_id} was removed by hand")
            cursor = await connection.execute(QUERIES["restore_document"], {"id": document_id})
        if cursor.rowcount == 0:
            raise NotFoundError(
                f"the source of document {document_id} no longer holds it; it stays hidden until it does"
            )

    async def erase_removed(self, *, before: datetime) -> int:
        """Delete for good what was removed before a time, text, vectors, postings and all; the number of documents."""
        async with self._database.transaction() as connection:
            erased = (await connection.execute(QUERIES["erase_removed"], {"before": before})).rowcount
            await connection.execute(QUERIES["sweep_postings"])
        return erased

    async def forget_content(self, source: str) -> int:
        """Let the next ingest read every file of a source again; the number of documents."""
        return await self._database.execute(QUERIES["forget_content"], {"source": source})

    async def forget_documents(self, document_ids: Sequence[int]) -> int:
        """Let the next ingest read these again; the number of documents."""
        return await self._database.execute(QUERIES["forget_documents"], {"ids": list(document_ids)})
