"""A data set into a schema of its own, which does not outlive the measuring: no table of the service is touched."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

from psycopg.sql import Identifier

from core.database import Database
from core.errors import InvalidInputError
from core.migrate import migrate
from core.sql import load_queries
from retrieval.embedding import Embedder
from retrieval.evaluate_dataset import Entry
from retrieval.formats.blocks import Block, Extracted
from retrieval.formats.text import split_paragraphs
from retrieval.index import Index
from retrieval.ingest import MAX_TOKENS
from retrieval.prepare import PreparedDocument, prepare_extracted
from retrieval.sources.access_rules import AccessRule

QUERIES = load_queries(__file__)

READER = "group:evaluation"
_SOURCE = "evaluation"
_PREFIX = "evaluation_"
# Texts of one batch are embedded sorted by length: the more there are, the less is padded.
_BATCH = 128
# A schema that is older than this was left by a process that was killed.
_LONGEST_SECONDS = 86_400

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class _Schema:
    name: str


def ignore(stage: str, done: int, total: int) -> None:
    """A report to nobody."""


@asynccontextmanager
async def open_schema(database_url: str) -> AsyncGenerator[Database]:
    """A migrated database whose tables lie in a new schema, dropped after the block; several may be open at once."""
    name = f"{_PREFIX}{int(time.time())}_{secrets.token_hex(3)}"
    separator = "&" if "?" in database_url else "?"
    # What is lost with the schema need not be flushed to disk.
    options = quote(f"-c search_path={name},public -c synchronous_commit=off")
    async with Database(database_url, size=2) as outside:
        await outside.execute(QUERIES["create_extension"])
        await _drop_forgotten(outside)
        await outside.execute(_name(QUERIES["create_schema"], name))
        try:
            async with Database(f"{database_url}{separator}options={options}") as inside:
                await migrate(inside)
                yield inside
        finally:
            await outside.execute(_name(QUERIES["drop_schema"], name))


async def _drop_forgotten(database: Database) -> None:
    for schema in await database.fetch_all(QUERIES["find_schemas"], {"prefix": _PREFIX}, _Schema):
        started = schema.name.removeprefix(_PREFIX).partition("_")[0]
        if not started.isdigit() or int(started) < time.time() - _LONGEST_SECONDS:
            await database.execute(_name(QUERIES["drop_schema"], schema.name))


def _name(query: bytes, schema: str) -> bytes:
    return query.replace(b"evaluation_schema", Identifier(schema).as_string().encode())


async def load_corpus(
    database: Database,
    embedder: Embedder,
    corpus: Sequence[Entry],
    *,
    max_tokens: int = MAX_TOKENS,
    report: Report = ignore,
) -> int:
    """Store every entry, each chunk embedded once; the number of entries that hold nothing to store.

    A search by `READER` and `hide(id)` is one over a corpus without that document. An entry's path is its place in
    the corpus, since an id may be anything.
    """
    index, stored, skipped = Index(database, embedder), 0, 0
    entries = list(enumerate(corpus))
    parts = [entries[start : start + _BATCH] for start in range(0, len(entries), _BATCH)]
    storing = asyncio.create_task(asyncio.sleep(0))
    preparing = asyncio.create_task(_prepare(parts[0], embedder, max_tokens)) if parts else None
    for number, part in enumerate(parts):
        assert preparing is not None, "each part has begun to be prepared"
        documents = await preparing
        if number + 1 < len(parts):
            preparing = asyncio.create_task(_prepare(parts[number + 1], embedder, max_tokens))
        vectors = await index.embed([document for _, _, document in documents])
        await storing
        storing = asyncio.create_task(_store(index, documents, vectors))
        stored, skipped = stored + len(part), skipped + len(part) - len(documents)
        report("documents", stored, len(corpus))
    await storing
    await database.execute(QUERIES["analyze"])
    return skipped


def hide(name: str) -> str:
    """The principal that may not read one document of the corpus."""
    return f"group:without {name}"


async def _store(
    index: Index, documents: Sequence[tuple[int, Entry, PreparedDocument]], vectors: dict[str, str]
) -> None:
    for place, entry, document in documents:
        rule = AccessRule(allow=[READER], deny=[hide(entry.id)])
        await index.put(document, vectors, source=_SOURCE, path=str(place), rule=rule)


async def _prepare(
    part: Sequence[tuple[int, Entry]], embedder: Embedder, max_tokens: int
) -> list[tuple[int, Entry, PreparedDocument]]:
    return await asyncio.to_thread(_prepare_all, part, embedder, max_tokens)


def _prepare_all(
    part: Sequence[tuple[int, Entry]], embedder: Embedder, max_tokens: int
) -> list[tuple[int, Entry, PreparedDocument]]:
    found: list[tuple[int, Entry, PreparedDocument]] = []
    for place, entry in part:
        blocks = [Block("paragraph", paragraph) for paragraph in split_paragraphs(entry.text)]
        try:
            document = prepare_extracted(
                Extracted(entry.title, blocks),
                format_name="text",
                sha256=hashlib.sha256(entry.text.encode()).hexdigest(),
                count_tokens=embedder.count_tokens,
                max_tokens=max_tokens,
            )
        except InvalidInputError:
            continue
        found.append((place, entry, document))
    return found
