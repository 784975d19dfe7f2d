"""Documents in: what sources hold becomes chunks, vectors and postings, as far as it changed."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path

from core.database import Database
from core.errors import InvalidInputError, NightbakeError
from retrieval.embedding import Embedder
from retrieval.formats.reader import Reader
from retrieval.formats.registry import get_format
from retrieval.index import Index
from retrieval.ledger import Ledger, Pending, Run
from retrieval.listing import ODD_ANSWERS, list_source, record_failures
from retrieval.prepare import PreparedDocument, find_current_recipes, prepare_extracted
from retrieval.report import IngestReport
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.folder import open_path
from retrieval.sources.source import (
    Entry,
    Failure,
    GoneError,
    Source,
    SourceAwayError,
)

log = logging.getLogger(__name__)

MAX_TOKENS = 200
MAX_FILE_BYTES = 50_000_000
# Short documents share a batch of the model; each is still stored in its own transaction.
_CHUNKS_PER_BATCH = 64
_AWAY_IN_A_ROW = 3

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class _Ready:
    entry: Entry
    version: str | None
    was_visible: bool
    document: PreparedDocument
    parts_left_out: list[Failure]


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

    A folder is a source: files that vanished from it become invisible. A single file belongs to the source of its
    folder.

    Args:
        source: name of the source; None takes the folder's resolved path.
        default_allow: who may read where no `.access.json` says so; empty is nobody.
        max_tokens: longest chunk, in tokens of the embedding model.
        on_progress: called with documents done, documents to read, and the path just done.

    Raises:
        InvalidInputError: a path is neither a folder nor a file; nothing of it was changed.
    """
    began = time.monotonic()
    report = IngestReport()
    for path in paths:
        opened = await asyncio.to_thread(open_path, path, name=source, default=AccessRule(allow=list(default_allow)))
        await sync(
            database,
            embedder,
            opened,
            max_tokens=max_tokens,
            max_file_bytes=max_file_bytes,
            on_progress=on_progress,
            report=report,
        )
    report.seconds = time.monotonic() - began
    return report


async def sync(
    database: Database,
    embedder: Embedder,
    source: Source,
    *,
    in_full: bool = False,
    wait: bool = True,
    max_tokens: int = MAX_TOKENS,
    max_file_bytes: int = MAX_FILE_BYTES,
    on_progress: Progress | None = None,
    report: IngestReport | None = None,
) -> IngestReport:
    """Bring what is stored in step with one source; safe while questions are answered, and to repeat.

    First the source is listed; permissions and removals count from then on. Then each changed document is read and
    stored in a transaction of its own: what a kill or an outage interrupts, the next run does. Nothing is removed
    because a source does not answer.

    Args:
        in_full: list everything, not only what changed.
        wait: for another run on the same source; off, this one does nothing then.
        report: to add to; None begins a new one.

    Raises:
        InvalidInputError: what is configured does not exist; nothing was changed.
    """
    report = report or IngestReport()
    began = time.monotonic()
    ledger = Ledger(database, source.name)
    async with ledger.lock(wait=wait) as taken:
        if taken:
            with Reader() as reader:
                run = _Run(
                    ledger,
                    Index(database, embedder),
                    source,
                    reader,
                    embedder=embedder,
                    report=report,
                    max_tokens=max_tokens,
                    max_file_bytes=max_file_bytes,
                    on_progress=on_progress,
                )
                await run.run(in_full=in_full)
    report.seconds += time.monotonic() - began
    return report


class _Run:
    """One source on its way in."""

    def __init__(
        self,
        ledger: Ledger,
        index: Index,
        source: Source,
        reader: Reader,
        *,
        embedder: Embedder,
        report: IngestReport,
        max_tokens: int,
        max_file_bytes: int,
        on_progress: Progress | None,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._source = source
        self._reader = reader
        self._embedder = embedder
        self._report = report
        self._max_tokens = max_tokens
        self._max_file_bytes = max_file_bytes
        self._recipes = find_current_recipes(max_tokens)
        self._on_progress = on_progress
        self._done = self._total = 0
        self._failed_before = report.failed_count
        self._away_in_a_row = 0

    async def run(self, *, in_full: bool) -> None:
        run = await self._ledger.begin(self._source.kind)
        try:
            since_run = await list_source(self._source, self._ledger, run, self._report, in_full=in_full)
            await self._read_all(since_run)
        except SourceAwayError as error:
            await self._give_up(run, error)
            return
        except NightbakeError as error:
            await self._ledger.finish(self._count(), error=str(error))
            raise
        await self._index.fill_embeddings(self._source.name)
        self._report.embedded += self._index.embedded_chunks
        await self._ledger.finish(self._count())

    async def _give_up(self, run: Run, error: SourceAwayError) -> None:
        log.warning("source away", extra={"source": self._source.name, "reason": str(error)})
        self._report.away.append(f"{self._source.name}: {error}")
        self._report.embedded += self._index.embedded_chunks
        await self._ledger.finish(self._count(), error=str(error))

    def _count(self) -> dict[str, int]:
        kept = {"added", "updated", "unchanged", "removed", "chunks", "embedded"}
        counts = {name: count for name, count in asdict(self._report).items() if name in kept}
        return counts | {"failed": self._report.failed_count - self._failed_before}

    async def _read_all(self, since_run: int) -> None:
        """Read changed documents, embed them in batches, store each."""
        counts = await self._ledger.count(self._recipes, since_run=since_run)
        self._total = counts.pending
        self._report.unchanged += counts.settled
        self._report.hidden += counts.hidden
        waiting: list[_Ready] = []
        try:
            async with aclosing(self._ledger.find_pending(self._recipes, since_run=since_run)) as found:
                async for pending in found:
                    if ready := await self._read_patiently(pending):
                        waiting.append(ready)
                    if sum(len(one.document.chunks) for one in waiting) >= _CHUNKS_PER_BATCH:
                        await self._store(waiting)
                        waiting = []
        except SourceAwayError:
            await self._store(waiting)
            raise
        await self._store(waiting)

    async def _read_patiently(self, pending: Pending) -> _Ready | None:
        """A prepared document; None where it is stored already, gone, or left out with its reason.

        Raises:
            SourceAwayError: the source does not answer.
        """
        path = pending.entry.path
        try:
            ready = await self._read(pending)
            self._away_in_a_row = 0
        except SourceAwayError as error:
            # One document can be ill where its source is well.
            self._away_in_a_row += 1
            if self._away_in_a_row >= _AWAY_IN_A_ROW:
                raise
            await record_failures(self._ledger, self._report, [Failure(path, str(error))])
            ready = None
        except GoneError:
            self._report.removed += await self._ledger.drop([pending.entry.key])
            ready = None
        except InvalidInputError as error:
            await record_failures(self._ledger, self._report, [Failure(path, str(error))])
            ready = None
        except ODD_ANSWERS as error:
            log.exception("a source answered oddly", extra={"source": self._source.name})
            await record_failures(
                self._ledger,
                self._report,
                [Failure(path, f"expected another answer ({type(error).__name__}: {error})")],
            )
            ready = None
        if ready is None:
            self._tell_progress(path)
        return ready

    async def _read(self, pending: Pending) -> _Ready | None:
        entry, is_stored = pending.entry, pending.sha256 is not None and pending.recipe in self._recipes
        if entry.size_bytes is not None and entry.size_bytes > self._max_file_bytes:
            limit, size = f"{self._max_file_bytes:,}", f"{entry.size_bytes:,}"
            raise InvalidInputError(f"expected at most {limit} bytes, got {size}; split the file")
        stored_version = pending.source_version if is_stored and pending.sha256 else None
        fetched = await self._source.fetch(entry, stored_version=stored_version, max_bytes=self._max_file_bytes)
        if fetched is None:
            await self._keep(pending, pending.source_version)
            return None
        version = fetched.version
        sha256 = hashlib.sha256(fetched.content).hexdigest()
        if is_stored and pending.sha256 == sha256:
            await self._keep(pending, version)
            return None
        name = fetched.file_name or entry.path
        extracted = await asyncio.to_thread(self._reader.read, fetched.content, name)
        document = await asyncio.to_thread(
            prepare_extracted,
            extracted,
            format_name=get_format(name),
            sha256=sha256,
            count_tokens=self._embedder.count_tokens,
            max_tokens=self._max_tokens,
        )
        parts = [Failure(f"{entry.path}!/{part.name}", part.reason) for part in extracted.left_out]
        return _Ready(entry, version, pending.visible, document, parts)

    async def _keep(self, pending: Pending, version: str | None) -> None:
        path = pending.entry.path
        await self._ledger.settle(path, version)
        await self._ledger.forget_errors([path])
        if pending.visible:
            self._report.unchanged += 1
        else:
            self._report.added += 1

    async def _store(self, ready: Sequence[_Ready]) -> None:
        vectors = await self._index.embed([one.document for one in ready])
        for one in ready:
            path = one.entry.path
            await self._index.put(one.document, vectors, source=self._source.name, path=path, rule=one.entry.rule)
            await self._ledger.settle(path, one.version)
            await self._ledger.forget_errors([path], with_parts=True)
            await record_failures(self._ledger, self._report, one.parts_left_out)
            if one.was_visible:
                self._report.updated += 1
            else:
                self._report.added += 1
            self._report.chunks += len(one.document.chunks)
            self._tell_progress(path)

    def _tell_progress(self, path: str) -> None:
        self._done += 1
        if self._on_progress:
            self._on_progress(self._done, self._total, path)
