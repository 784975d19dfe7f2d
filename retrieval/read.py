"""The first stage of an ingest: what is to be read of a source, fetched and prepared, in batches for the encoder."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.errors import InvalidInputError
from retrieval.ledger import Ledger, Pending
from retrieval.listing import ODD_ANSWERS, record_failures
from retrieval.prepare import PreparedDocument
from retrieval.preparer import Preparer
from retrieval.report import IngestReport
from retrieval.sources.source import Entry, Failure, GoneError, Source, SourceAwayError

log = logging.getLogger(__name__)

# Enough to sort by length and to make one transaction worth its while; a kill loses a few of them.
_CHUNKS_PER_BATCH = 128
_DOCUMENTS_PER_BATCH = 256
_AWAY_IN_A_ROW = 3


@dataclass(frozen=True, slots=True)
class Ready:
    """A document that was read.

    Attributes:
        version: what to remember its content by.
        was_visible: an earlier version of it was.
        document: None where the stored content is still right.
        changed_at: when its source says it changed; None where it does not.
    """

    entry: Entry
    version: str | None
    was_visible: bool
    document: PreparedDocument | None
    parts_left_out: list[Failure] = field(default_factory=list[Failure])
    changed_at: datetime | None = None

    @property
    def chunk_count(self) -> int:
        """To embed and store."""
        return len(self.document.chunks) if self.document else 0


class Reading:
    """Reads one source's pending documents; those that cannot be read are recorded, and the rest goes on.

    Args:
        recipes: by which a stored document would be read in the same way now.
        on_left_out: called with the path of a document that does not come out of here.
    """

    def __init__(
        self,
        source: Source,
        ledger: Ledger,
        preparer: Preparer,
        report: IngestReport,
        *,
        recipes: Sequence[str],
        max_file_bytes: int,
        on_left_out: Callable[[str], None],
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._preparer = preparer
        self._report = report
        self._recipes = list(recipes)
        self._max_file_bytes = max_file_bytes
        self._on_left_out = on_left_out
        self._away_in_a_row = 0

    async def read(self, since_run: int) -> AsyncGenerator[list[Ready]]:
        """Batches of documents, in order of path; none is empty.

        Raises:
            SourceAwayError: the source does not answer; what was read before it comes first.
        """
        batch: list[Ready] = []
        chunks = 0
        try:
            async with aclosing(self._ledger.find_pending(self._recipes, since_run=since_run)) as found:
                async for pending in found:
                    if ready := await self._read_patiently(pending):
                        batch.append(ready)
                        chunks += ready.chunk_count
                    if chunks >= _CHUNKS_PER_BATCH or len(batch) >= _DOCUMENTS_PER_BATCH:
                        yield batch
                        batch, chunks = [], 0
        except SourceAwayError:
            if batch:
                yield batch
            raise
        if batch:
            yield batch

    async def _read_patiently(self, pending: Pending) -> Ready | None:
        """A document that was read; None where it is gone, or left out with its reason.

        Raises:
            SourceAwayError: the source does not answer.
        """
        path = pending.entry.path
        try:
            ready = await self._read(pending)
            self._away_in_a_row = 0
            return ready
        except SourceAwayError as error:
            # One document can be ill where its source is well.
            self._away_in_a_row += 1
            if self._away_in_a_row >= _AWAY_IN_A_ROW:
                raise
            await self._record(path, str(error))
        except GoneError:
            self._report.removed += await self._ledger.drop([pending.entry.key])
        except InvalidInputError as error:
            await self._record(path, str(error))
        except ODD_ANSWERS as error:
            log.exception("a source answered oddly", extra={"source": self._source.name})
            await self._record(path, f"expected another answer ({type(error).__name__}: {error})")
        self._on_left_out(path)
        return None

    async def _record(self, path: str, reason: str) -> None:
        await record_failures(self._ledger, self._report, [Failure(path, reason)])

    async def _read(self, pending: Pending) -> Ready:
        entry, stored_sha256 = pending.entry, pending.sha256 if pending.recipe in self._recipes else None
        if entry.size_bytes is not None and entry.size_bytes > self._max_file_bytes:
            limit, size = f"{self._max_file_bytes:,}", f"{entry.size_bytes:,}"
            raise InvalidInputError(f"expected at most {limit} bytes, got {size}; split the file")
        stored_version = pending.source_version if stored_sha256 else None
        fetched = await self._source.fetch(entry, stored_version=stored_version, max_bytes=self._max_file_bytes)
        if fetched is None:
            return Ready(entry, pending.source_version, pending.visible, None, changed_at=entry.changed_at)
        changed_at = fetched.changed_at or entry.changed_at
        if stored_sha256 == hashlib.sha256(fetched.content).hexdigest():
            return Ready(entry, fetched.version, pending.visible, None, changed_at=changed_at)
        name = fetched.file_name or entry.path
        document, left_out = await asyncio.to_thread(self._preparer.prepare, fetched.content, name)
        if fetched.sensitivity:
            document = replace(document, sensitivity=fetched.sensitivity)
        parts = [Failure(f"{entry.path}!/{part.name}", part.reason) for part in left_out]
        return Ready(entry, fetched.version, pending.visible, document, parts, changed_at)
