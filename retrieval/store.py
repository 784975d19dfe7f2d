"""The last stage of an ingest: documents with their vectors into the index, and what became of them into the ledger."""

from collections.abc import Callable, Mapping, Sequence

import psycopg

from retrieval.index import Index
from retrieval.ledger import Ledger
from retrieval.listing import record_failures
from retrieval.prepare import PreparedDocument
from retrieval.read import Ready
from retrieval.report import IngestReport
from retrieval.sources.source import Failure


class Storing:
    """Stores one source's batches.

    Args:
        on_done: called with the path of a document that is stored, or could not be.
    """

    def __init__(
        self, source: str, ledger: Ledger, index: Index, report: IngestReport, *, on_done: Callable[[str], None]
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._index = index
        self._report = report
        self._on_done = on_done

    async def embed(self, batch: Sequence[Ready]) -> dict[str, str]:
        """Vectors of the chunks that have none yet; see `Index.embed`."""
        return await self._index.embed([one.document for one in batch if one.document])

    async def store(self, batch: Sequence[Ready], vectors: Mapping[str, str]) -> None:
        """Each document whole or not at all; then what is remembered of them, in a few statements for all."""
        stored = [one for one in batch if await self._put(one, one.document, vectors)]
        await self._ledger.settle({one.entry.path: one.version for one in stored})
        await self._ledger.forget_errors([one.entry.path for one in stored if not one.document])
        await self._ledger.forget_errors([one.entry.path for one in stored if one.document], with_parts=True)
        await record_failures(self._ledger, self._report, [part for one in stored for part in one.parts_left_out])
        for one in stored:
            self._count(one)
        for one in batch:
            self._on_done(one.entry.path)

    async def _put(self, ready: Ready, document: PreparedDocument | None, vectors: Mapping[str, str]) -> bool:
        """Whether it is stored; what PostgreSQL cannot hold takes one document with it."""
        path = ready.entry.path
        if document is None:
            return True
        try:
            await self._index.put(document, vectors, source=self._source, path=path, rule=ready.entry.rule)
        except (psycopg.DataError, UnicodeEncodeError) as error:
            reason = f"cannot be stored ({type(error).__name__}); open it in its program and save it again"
            await record_failures(self._ledger, self._report, [Failure(path, reason)])
            return False
        return True

    def _count(self, ready: Ready) -> None:
        if not ready.was_visible:
            self._report.added += 1
        elif ready.document:
            self._report.updated += 1
        else:
            self._report.unchanged += 1
        self._report.chunks += ready.chunk_count
