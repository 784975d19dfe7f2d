"""Storing prepared documents: one transaction each, unchanged chunks keep their vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row

from core.database import Database
from core.errors import SettingsError
from core.group_commit import to_json_rows
from core.locks import Lock
from core.sql import load_queries
from retrieval.embedding import Embedder
from retrieval.prepare import PreparedChunk, PreparedDocument
from retrieval.sources.access_rules import AccessRule
from retrieval.vectors import render_vector

QUERIES = load_queries(__file__)

_FILL_BATCH = 256


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


@dataclass(frozen=True, slots=True)
class _Recipe:
    recipe: str


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
        model_id = await self._get_model_id()
        own = {chunk.sha256: vectors[chunk.sha256] for chunk in document.chunks if chunk.sha256 in vectors}
        async with self._database.transaction() as connection:
            await connection.execute(QUERIES["lock"], {"key": Lock.INDEX})
            same_recipe = await _has_recipe(connection, document.recipe, source, path)
            stored = await _put_document(connection, document, source, path, rule)
            await _put_chunks(connection, document.chunks, stored, same_recipe=same_recipe)
            await connection.execute(QUERIES["put_embeddings"], _embedding_parameters(own, model_id))
            of_document = {"document_id": stored.id, "model_id": model_id, "version": stored.version}
            await connection.execute(QUERIES["copy_embeddings"], of_document)
            # Last, because a chunk that goes may be the one whose vector was copied.
            await connection.execute(QUERIES["delete_old_chunks"], of_document)
        return stored.id

    async def fill_embeddings(self, source: str) -> None:
        """Embed what this model has not yet: after a change of model, or a run that was cut short."""
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
                await connection.execute(QUERIES["lock"], {"key": Lock.INDEX})
                await connection.execute(QUERIES["put_embeddings"], _embedding_parameters(vectors, model_id))
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
            parameters = {"name": self._embedder.name, "dimension": dimension}
            stored = await self._database.fetch_one(QUERIES["register_model"], parameters, _Model)
            if stored is None or stored.dimension != dimension:
                raise SettingsError([f"EMBEDDING_MODEL: {self._embedder.name!r} gave vectors of another length before"])
            self._model_id = stored.id
        return self._model_id


def _embedding_parameters(vectors: Mapping[str, str], model_id: int) -> dict[str, Any]:
    return {"hashes": list(vectors), "vectors": list(vectors.values()), "model_id": model_id}


async def _has_recipe(connection: AsyncConnection[Any], recipe: str, source: str, path: str) -> bool:
    cursor = connection.cursor(row_factory=class_row(_Recipe))
    await cursor.execute(QUERIES["find_recipe"], {"source": source, "path": path})
    stored = await cursor.fetchone()
    return stored is not None and stored.recipe == recipe


async def _put_document(
    connection: AsyncConnection[Any], document: PreparedDocument, source: str, path: str, rule: AccessRule
) -> _Document:
    cursor = connection.cursor(row_factory=class_row(_Document))
    await cursor.execute(
        QUERIES["put_document"],
        {
            "source": source,
            "path": path,
            "title": document.title,
            "format": document.format,
            "language": document.language,
            "sha256": document.sha256,
            "recipe": document.recipe,
            "allow": rule.allow,
            "deny": rule.deny,
            "owner": rule.owner,
            "chunk_count": len(document.chunks),
            "term_count": sum(chunk.length for chunk in document.chunks),
        },
    )
    stored = await cursor.fetchone()
    assert stored is not None, "an upsert returns its row"
    await connection.execute(QUERIES["put_text"], {"document_id": stored.id, "text": document.text})
    return stored


async def _put_chunks(
    connection: AsyncConnection[Any], chunks: Sequence[PreparedChunk], document: _Document, *, same_recipe: bool
) -> None:
    rows = [_to_row(ordinal, chunk) for ordinal, chunk in enumerate(chunks)]
    parameters = {"document_id": document.id, "version": document.version, "same_recipe": same_recipe}
    cursor = await connection.execute(QUERIES["keep_chunks"], {**parameters, "chunks": to_json_rows(rows)})
    kept = {ordinal for _, ordinal in await cursor.fetchall()}
    fresh = to_json_rows([row for row in rows if row["ordinal"] not in kept])
    cursor = await connection.execute(QUERIES["put_chunks"], {**parameters, "chunks": fresh})
    inserted: list[tuple[int, int]] = await cursor.fetchall()
    await _put_postings(connection, {chunk_id: chunks[ordinal] for chunk_id, ordinal in inserted}, document)


def _to_row(ordinal: int, prepared: PreparedChunk) -> dict[str, Any]:
    chunk = prepared.chunk
    return {
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


async def _put_postings(
    connection: AsyncConnection[Any], chunks: Mapping[int, PreparedChunk], document: _Document
) -> None:
    postings = [
        (chunk_id, chunk.length, term, tf) for chunk_id, chunk in chunks.items() for term, tf in chunk.terms.items()
    ]
    if not postings:
        return
    chunk_ids, lengths, terms, tfs = (list(column) for column in zip(*postings, strict=True))
    await connection.execute(QUERIES["put_terms"], {"terms": sorted(set(terms))})
    await connection.execute(
        QUERIES["put_postings"],
        {"document_id": document.id, "chunk_ids": chunk_ids, "lengths": lengths, "terms": terms, "tfs": tfs},
    )
