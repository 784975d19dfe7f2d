"""Storing prepared documents: all or nothing, unchanged chunks keep their vectors and postings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row

from core.advisory_lock import lock_transaction
from core.database import Database
from core.errors import SettingsError
from core.group_commit import to_json_rows
from core.locks import Lock
from core.sql import load_queries
from retrieval.embedding import Embedder
from retrieval.postings import pack_postings
from retrieval.prepare import PreparedChunk, PreparedDocument
from retrieval.sources.access_rules import AccessRule
from retrieval.vectors import render_vector

QUERIES = load_queries(__file__)

_FILL_BATCH = 256
# In chunks. Until they are packed, postings of a term lie in one row a transaction, which a search reads one by one.
_PACK_EVERY = 1024
# In chunks of a block of 4,096: at most an eighth of what a search reads belongs to chunks that are gone.
_LEAST_GONE = 512


@dataclass(frozen=True, slots=True)
class _Model:
    id: int
    dimension: int


@dataclass(frozen=True, slots=True)
class _Hash:
    sha256: str


@dataclass(frozen=True, slots=True)
class _Unembedded:
    id: int
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class _Document:
    id: int
    version: int
    same_recipe: bool


@dataclass(frozen=True, slots=True)
class Put:
    """A document to store, with the version and the date of its source where that has them."""

    document: PreparedDocument
    source: str
    path: str
    rule: AccessRule
    source_version: str | None = None
    changed_at: datetime | None = None


class Index:
    """Writes documents, chunks, postings and vectors.

    Attributes:
        embedded_chunks: how many texts went through the model so far.
    """

    def __init__(self, database: Database, embedder: Embedder) -> None:
        self._database = database
        self._embedder = embedder
        self._model_id: int | None = None
        self.embedded_chunks = 0

    async def embed(self, documents: Sequence[PreparedDocument]) -> dict[str, str]:
        """Vectors, in PostgreSQL's notation by hash, of the chunks that have none stored yet.

        Chunks in a language that the model does not read are left out: their vectors would be noise in the
        ranking of those that it does.
        """
        wanted = {
            chunk.sha256: chunk.embedded_text
            for document in documents
            for chunk in document.chunks
            if chunk.language in self._embedder.languages
        }
        if not wanted:
            return {}
        parameters = {"hashes": list(wanted), "model_id": await self._get_model_id()}
        for stored in await self._database.fetch_all(QUERIES["find_embedded"], parameters, _Hash):
            del wanted[stored.sha256]
        return await self._embed(wanted)

    async def put(
        self, document: PreparedDocument, vectors: Mapping[str, str], *, source: str, path: str, rule: AccessRule
    ) -> int:
        """Store one document in one transaction, over its earlier version if there is one; its id."""
        return (await self.put_many([Put(document, source, path, rule)], vectors))[0]

    async def put_many(self, puts: Sequence[Put], vectors: Mapping[str, str]) -> list[int]:
        """Store several documents in one transaction, all or none, each over its earlier version; their ids.

        Args:
            puts: no two of the same source and path.
            vectors: in PostgreSQL's notation by hash; a chunk without one is found by its words only.
        """
        if not puts:
            return []
        model_id = await self._get_model_id()
        chunks = [chunk for put in puts for chunk in put.document.chunks]
        own = {chunk.sha256: vectors[chunk.sha256] for chunk in chunks if chunk.sha256 in vectors}
        async with self._database.transaction() as connection:
            # One writer at a time: two would wait for each other's new terms in opposite order.
            await lock_transaction(connection, Lock.INDEX)
            stored = await _put_documents(connection, puts)
            await _put_chunks(connection, puts, stored)
            await connection.execute(QUERIES["put_embeddings"], _embedding_parameters(own, model_id))
            document_ids = [document.id for document in stored]
            if any(chunk.sha256 not in own and chunk.language in self._embedder.languages for chunk in chunks):
                parameters = {"document_ids": document_ids, "model_id": model_id}
                await connection.execute(QUERIES["copy_embeddings"], parameters)
            if any(document.version > 1 for document in stored):
                # Last, because a chunk that goes may be the one whose vector was copied.
                versions = [document.version for document in stored]
                await connection.execute(
                    QUERIES["delete_old_chunks"], {"document_ids": document_ids, "versions": versions}
                )
        return document_ids

    async def fill_embeddings(
        self, source: str | None = None, *, on_stored: Callable[[int], None] | None = None
    ) -> None:
        """Embed what this model has not yet: after a change of model, or a run that was cut short.

        Args:
            source: None is all.
            on_stored: called after each batch with the number of chunks that have their vector now.
        """
        model_id, after_id = await self._get_model_id(), 0
        languages = sorted(self._embedder.languages)
        while True:
            parameters = {"source": source, "model_id": model_id, "languages": languages, "after_id": after_id}
            found = await self._database.fetch_all(
                QUERIES["find_unembedded"], {**parameters, "limit": _FILL_BATCH}, _Unembedded
            )
            if not found:
                return
            vectors = await self._embed({chunk.sha256: chunk.text for chunk in found})
            async with self._database.transaction() as connection:
                await lock_transaction(connection, Lock.INDEX)
                parameters = _embedding_parameters(vectors, model_id)
                stored = (await connection.execute(QUERIES["put_embeddings"], parameters)).rowcount
            if on_stored:
                on_stored(stored)
            after_id = found[-1].id

    async def _embed(self, texts: Mapping[str, str]) -> dict[str, str]:
        if not texts:
            return {}
        vectors = await self._embedder.embed(list(texts.values()))
        self.embedded_chunks += len(texts)
        return {sha256: render_vector(vector) for sha256, vector in zip(texts, vectors, strict=True)}

    async def _get_model_id(self) -> int:
        if self._model_id is None:
            dimension = await self._embedder.get_dimension()
            languages = sorted(self._embedder.languages)
            parameters = {"name": self._embedder.name, "dimension": dimension, "languages": languages}
            stored = await self._database.fetch_one(QUERIES["register_model"], parameters, _Model)
            if stored is None or stored.dimension != dimension:
                raise SettingsError([f"EMBEDDING_MODEL: {self._embedder.name!r} gave vectors of another length before"])
            self._model_id = stored.id
        return self._model_id


def _embedding_parameters(vectors: Mapping[str, str], model_id: int) -> dict[str, Any]:
    return {"hashes": list(vectors), "vectors": list(vectors.values()), "model_id": model_id}


async def _put_documents(connection: AsyncConnection[Any], puts: Sequence[Put]) -> list[_Document]:
    cursor = connection.cursor(row_factory=class_row(_Document))
    rows = [_to_document_row(number, put) for number, put in enumerate(puts)]
    await cursor.execute(QUERIES["put_documents"], {"documents": to_json_rows(rows)})
    return await cursor.fetchall()


def _to_document_row(number: int, put: Put) -> dict[str, Any]:
    document = put.document
    return {
        "number": number,
        "source": put.source,
        "path": put.path,
        "title": document.title,
        "format": document.format,
        "language": document.language,
        "sha256": document.sha256,
        "recipe": document.recipe,
        "source_version": put.source_version,
        "allow": put.rule.allow,
        "deny": put.rule.deny,
        "owner": put.rule.owner,
        "sensitivity": document.sensitivity or None,
        "chunk_count": len(document.chunks),
        "term_count": sum(chunk.length for chunk in document.chunks),
        "text": document.text,
        "source_changed_at": put.changed_at and put.changed_at.isoformat(),
        "own_changed_at": document.changed_at and document.changed_at.isoformat(),
    }


async def _put_chunks(connection: AsyncConnection[Any], puts: Sequence[Put], stored: Sequence[_Document]) -> None:
    by_place = {
        (document.id, ordinal): chunk
        for put, document in zip(puts, stored, strict=True)
        for ordinal, chunk in enumerate(put.document.chunks)
    }
    documents = {document.id: document for document in stored}
    rows = [_to_chunk_row(documents[id_], ordinal, chunk) for (id_, ordinal), chunk in by_place.items()]
    cursor = await connection.execute(QUERIES["put_chunks"], {"chunks": to_json_rows(rows)})
    inserted: list[tuple[int, int, int]] = await cursor.fetchall()
    chunks = {chunk_id: by_place[document_id, ordinal] for chunk_id, document_id, ordinal in inserted}
    await _put_postings(connection, chunks)


def _to_chunk_row(document: _Document, ordinal: int, prepared: PreparedChunk) -> dict[str, Any]:
    chunk = prepared.chunk
    return {
        "document_id": document.id,
        "version": document.version,
        "same_recipe": document.same_recipe,
        "ordinal": ordinal,
        "heading_path": chunk.heading_path,
        "page": chunk.page,
        "start_offset": chunk.start,
        "end_offset": chunk.end,
        "text": chunk.text,
        "sha256": prepared.sha256,
        "language": prepared.language,
        "length": prepared.length,
    }


async def _put_postings(connection: AsyncConnection[Any], chunks: Mapping[int, PreparedChunk]) -> None:
    if not chunks:
        return
    packed = pack_postings({chunk_id: chunk.terms for chunk_id, chunk in chunks.items()})
    if packed:
        terms, blocks, entries = (list(column) for column in zip(*packed, strict=True))
        await connection.execute(QUERIES["put_postings"], {"terms": terms, "blocks": blocks, "entries": entries})
    # Ids only grow, so that every so many chunks one of them passes a multiple.
    if max(chunks) // _PACK_EVERY > (min(chunks) - 1) // _PACK_EVERY:
        await connection.execute(QUERIES["pack_postings"], {"least_gone": _LEAST_GONE})
