"""Documents in: what sources hold becomes chunks, vectors and postings, as far as it changed."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path

from core.database import Database
from core.errors import NightbakeError
from retrieval.embedding import Embedder
from retrieval.index import Index
from retrieval.ledger import Ledger, Run
from retrieval.listing import list_source
from retrieval.pipeline import map_ahead, run_ahead
from retrieval.prepare import find_current_recipes
from retrieval.preparer import Preparer
from retrieval.read import Reading
from retrieval.report import IngestReport
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.folder import open_path
from retrieval.sources.source import Source, SourceAwayError
from retrieval.store import Storing

log = logging.getLogger(__name__)

MAX_TOKENS = 200
MAX_FILE_BYTES = 50_000_000
# Batches: one waits while the encoder is at two others, so that it never runs out while one is stored.
_READ_AHEAD = 1
_EMBEDDED_AHEAD = 2

Progress = Callable[[int, int, str], None]


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

    First the source is listed; permissions and removals count from then on. Then each changed document is read,
    embedded and stored, whole or not at all: what a kill or an outage interrupts, the next run does. Nothing is
    removed because a source does not answer.

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
            with Preparer(embedder, max_tokens=max_tokens) as preparer:
                run = _Run(
                    ledger,
                    Index(database, embedder),
                    source,
                    preparer,
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
        preparer: Preparer,
        *,
        report: IngestReport,
        max_tokens: int,
        max_file_bytes: int,
        on_progress: Progress | None,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._source = source
        self._report = report
        self._recipes = find_current_recipes(max_tokens)
        self._on_progress = on_progress
        self._done = self._total = 0
        self._failed_before = report.failed_count
        self._reading = Reading(
            source,
            ledger,
            preparer,
            report,
            recipes=self._recipes,
            max_file_bytes=max_file_bytes,
            on_left_out=self._tell_progress,
        )
        self._storing = Storing(source.name, ledger, index, report, on_done=self._tell_progress)

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
        """Read changed documents, embed them, store them: three stages that overlap, a few batches in memory."""
        counts = await self._ledger.count(self._recipes, since_run=since_run)
        self._total = counts.pending
        self._report.unchanged += counts.settled
        self._report.hidden += counts.hidden
        read = run_ahead(self._reading.read(since_run), _READ_AHEAD)
        embedded = map_ahead(self._storing.embed, read, _EMBEDDED_AHEAD)
        async with aclosing(embedded):
            async for batch, vectors in embedded:
                await self._storing.store(batch, vectors)

    def _tell_progress(self, path: str) -> None:
        self._done += 1
        if self._on_progress:
            self._on_progress(self._done, self._total, path)
