"""Documents in: folders and files become chunks, vectors and postings, as far as they changed."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.database import Database
from core.errors import InvalidInputError
from core.group_commit import to_json_rows
from core.sql import load_queries
from retrieval.embedding import Embedder
from retrieval.index import Index
from retrieval.pipeline import map_ahead, run_ahead
from retrieval.prepare import PreparedDocument, build_recipe, prepare
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.folder import Failure, Listing, SourceFile, list_path

QUERIES = load_queries(__file__)
log = logging.getLogger(__name__)

MAX_TOKENS = 200
MAX_FILE_BYTES = 50_000_000
# Short documents share a batch of the model; each is still stored in its own transaction.
_CHUNKS_PER_BATCH = 64
# The model's threads always have a batch to go on with, and no more than this is in memory.
_BATCHES_AHEAD = 1

Progress = Callable[[int, int, str], None]


@dataclass(slots=True)
class IngestReport:
    """What an ingest did; counts are documents.

    Attributes:
        hidden: documents that no rule lets anybody read, for want of an `.access.json`.
        failed: each file or folder that was left out; where an earlier version is stored, it stays.
        chunks: that the added and updated documents now have.
        embedded: chunks that went through the model; the others kept their vectors.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    hidden: int = 0
    failed: list[Failure] = field(default_factory=list[Failure])
    chunks: int = 0
    embedded: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Known:
    path: str
    sha256: str
    recipe: str
    allow: list[str]
    deny: list[str]
    owner: str | None
    removed: bool


@dataclass(frozen=True, slots=True)
class _Ready:
    file: SourceFile
    document: PreparedDocument


async def ingest(
    database: Database,
    embedder: Embedder,
    paths: Sequence[Path],
    *,
    source: str | None = None,
    default_allow: Sequence[str] = (),
    max_tokens: int = MAX_TOKENS,
    max_file_bytes: int = MAX_FILE_BYTES,
    on_progress: Progress | None = None,
) -> IngestReport:
    """Bring what is stored in step with folders and files; safe while questions are answered, and to repeat.

    Permissions and removals come first and at once. Then each changed file is read and stored in a transaction
    of its own: what a kill interrupts, the next run does. A folder is a source: files that vanished from it
    become invisible. A single file belongs to the source of its folder.

    Args:
        source: name of the source; None takes the folder's resolved path.
        default_allow: who may read where no `.access.json` says so; empty is nobody.
        max_tokens: longest chunk, in tokens of the embedding model.
        on_progress: called with documents done, documents in all, and the path just done.

    Raises:
        InvalidInputError: a path is neither a folder nor a file; nothing of it was changed.
    """
    began = time.monotonic()
    report = IngestReport()
    for path in paths:
        run = _Run(
            database,
            embedder,
            report=report,
            max_tokens=max_tokens,
            max_file_bytes=max_file_bytes,
            on_progress=on_progress,
        )
        await run.ingest(await asyncio.to_thread(path.resolve), source, AccessRule(allow=list(default_allow)))
    report.seconds = time.monotonic() - began
    return report


class _Run:
    """One folder or file on its way in."""

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        *,
        report: IngestReport,
        max_tokens: int,
        max_file_bytes: int,
        on_progress: Progress | None,
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._index = Index(database, embedder)
        self._report = report
        self._max_tokens = max_tokens
        self._max_file_bytes = max_file_bytes
        self._on_progress = on_progress
        self._source = ""
        self._done = self._total = 0

    async def ingest(self, path: Path, source: str | None, default: AccessRule) -> None:
        listing = await asyncio.to_thread(list_path, path, default)
        is_folder = listing.root == path
        self._source = source or listing.root.as_posix()
        self._total = len(listing.files)
        known = await self._find_known()
        await self._set_rules(listing.files, known)
        if is_folder:
            await self._remove_vanished(listing, known)
        failures = [*listing.failures, *await self._read_all(listing.files, known)]
        await self._index.fill_embeddings(self._source)
        await self._record_failures(listing.files, failures, is_folder)
        self._report.hidden += sum(not file.rule.allow for file in listing.files)
        self._report.embedded += self._index.embedded_chunks

    async def _find_known(self) -> dict[str, _Known]:
        found = await self._database.fetch_all(QUERIES["find_known"], {"source": self._source}, _Known)
        return {document.path: document for document in found}

    async def _set_rules(self, files: Sequence[SourceFile], known: dict[str, _Known]) -> None:
        """Apply changed permissions before anything else is read: the slow part must not keep a door open."""
        changed = [
            {"path": file.path, **asdict(file.rule)}
            for file in files
            if file.path in known and _rule_of(known[file.path]) != file.rule
        ]
        if changed:
            parameters = {"source": self._source, "rules": to_json_rows(changed)}
            await self._database.execute(QUERIES["set_rules"], parameters)

    async def _remove_vanished(self, listing: Listing, known: dict[str, _Known]) -> None:
        present = {file.path for file in listing.files}
        gone = [
            path
            for path, document in known.items()
            if path not in present and not document.removed and not path.startswith(tuple(listing.unread))
        ]
        parameters = {"source": self._source, "paths": gone}
        self._report.removed += await self._database.execute(QUERIES["remove"], parameters) if gone else 0

    async def _read_all(self, files: Sequence[SourceFile], known: dict[str, _Known]) -> list[Failure]:
        """Read changed files, embed them in batches, store each in order; those that could not be read are returned.

        Reading goes on while earlier batches are embedded, and these while still earlier ones are stored.
        """
        failures: list[Failure] = []
        read = run_ahead(self._read_batches(files, known, failures), _BATCHES_AHEAD)
        embedded = run_ahead(map_ahead(self._embed, read, _BATCHES_AHEAD), _BATCHES_AHEAD)
        async with aclosing(embedded):
            async for batch, vectors in embedded:
                await self._store(batch, vectors, known)
        return failures

    async def _read_batches(
        self, files: Sequence[SourceFile], known: dict[str, _Known], failures: list[Failure]
    ) -> AsyncGenerator[list[_Ready]]:
        """Changed files in batches of at least so many chunks; what could not be read is added to `failures`."""
        waiting: list[_Ready] = []
        for file in files:
            try:
                ready = await self._read(file, known.get(file.path))
            except InvalidInputError as error:
                log.warning("document left out", extra={"path": file.path, "reason": str(error)})
                failures.append(Failure(file.path, str(error)))
                ready = None
            if ready is None:
                self._tell_progress(file.path)
                continue
            waiting.append(ready)
            if sum(len(one.document.chunks) for one in waiting) >= _CHUNKS_PER_BATCH:
                yield waiting
                waiting = []
        if waiting:
            yield waiting

    async def _read(self, file: SourceFile, known: _Known | None) -> _Ready | None:
        """A prepared document; None where it is stored already.

        Raises:
            InvalidInputError: the file cannot be read or taken.
        """
        content = await asyncio.to_thread(_read_content, file.location, self._max_file_bytes)
        sha256 = hashlib.sha256(content).hexdigest()
        if known and (known.sha256, known.recipe) == (sha256, build_recipe(self._max_tokens)):
            await self._keep(known)
            return None
        document = await asyncio.to_thread(_prepare_safely, content, file.path, self._embedder, self._max_tokens)
        return _Ready(file, document)

    async def _keep(self, known: _Known) -> None:
        if known.removed:
            await self._database.execute(QUERIES["restore"], {"source": self._source, "path": known.path})
            self._report.added += 1
        else:
            self._report.unchanged += 1

    async def _embed(self, batch: Sequence[_Ready]) -> dict[str, str]:
        return await self._index.embed([one.document for one in batch])

    async def _store(self, ready: Sequence[_Ready], vectors: dict[str, str], known: dict[str, _Known]) -> None:
        for one in ready:
            file = one.file
            await self._index.put(one.document, vectors, source=self._source, path=file.path, rule=file.rule)
            before = known.get(file.path)
            if before and not before.removed:
                self._report.updated += 1
            else:
                self._report.added += 1
            self._report.chunks += len(one.document.chunks)
            self._tell_progress(file.path)

    async def _record_failures(self, files: Sequence[SourceFile], failures: list[Failure], is_folder: bool) -> None:
        self._report.failed += failures
        errors = to_json_rows([asdict(failure) for failure in failures])
        await self._database.execute(QUERIES["record_errors"], {"source": self._source, "errors": errors})
        parameters = {
            "source": self._source,
            "failed": [failure.path for failure in failures],
            "whole_source": is_folder,
            "read": [file.path for file in files],
        }
        await self._database.execute(QUERIES["forget_errors"], parameters)

    def _tell_progress(self, path: str) -> None:
        self._done += 1
        if self._on_progress:
            self._on_progress(self._done, self._total, path)


def _rule_of(known: _Known) -> AccessRule:
    return AccessRule(known.allow, known.deny, known.owner)


def _read_content(location: Path, max_bytes: int) -> bytes:
    try:
        size = location.stat().st_size
        if size > max_bytes:
            raise InvalidInputError(f"expected at most {max_bytes:,} bytes, got {size:,}; split the file")
        return location.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"cannot read the file: {error.strerror}") from error


def _prepare_safely(content: bytes, path: str, embedder: Embedder, max_tokens: int) -> PreparedDocument:
    """One file can break its parser in ways nobody listed; it must not take the others with it."""
    try:
        return prepare(content, path, count_tokens=embedder.count_tokens, max_tokens=max_tokens)
    except InvalidInputError:
        raise
    except (Exception, RecursionError) as error:
        log.exception("a parser failed", extra={"path": path})
        raise InvalidInputError(f"cannot be read as {path.rsplit('.', 1)[-1]}: {type(error).__name__}") from error
