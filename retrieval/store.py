"""The last stage of an ingest: documents with their vectors into the index, and what became of them into the ledger."""

from collections.abc import Callable, Mapping, Sequence

import psycopg

from retrieval.index import Index, Put
from retrieval.ledger import Ledger
from retrieval.listing import record_failures
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
        """The batch in one transaction, with the versions that were read; then what is remembered besides."""
        kept = [one for one in batch if not one.document]
        stored = await self._put([one for one in batch if one.document], vectors)
        if kept:
            await self._ledger.settle({one.entry.path: (one.version, one.changed_at) for one in kept})
            await self._ledger.forget_errors([one.entry.path for one in kept])
        await self._ledger.forget_errors([one.entry.path for one in stored], with_parts=True)
        await record_failures(self._ledger, self._report, [part for one in stored for part in one.parts_left_out])
        for one in [*kept, *stored]:
            self._count(one)
        for one in batch:
            self._on_done(one.entry.path)

    async def _put(self, batch: Sequence[Ready], vectors: Mapping[str, str]) -> Sequence[Ready]:
        """Those that are stored: all, but for what PostgreSQL cannot hold, which takes no other document with it."""
        try:
            await self._index.put_many([self._to_put(one) for one in batch], vectors)
        except (psycopg.DataError, UnicodeEncodeError) as error:
            if len(batch) > 1:
                return [stored for one in batch for stored in await self._put([one], vectors)]
            reason = f"cannot be stored ({type(error).__name__}); open it in its program and save it again"
            await record_failures(self._ledger, self._report, [Failure(batch[0].entry.path, reason)])
            return []
        return batch

    def _to_put(self, ready: Ready) -> Put:
        assert ready.document, "there is nothing to store of the others"
        entry = ready.entry
        return Put(ready.document, self._source, entry.path, entry.rule, ready.version, ready.changed_at)

    def _count(self, ready: Ready) -> None:
        if not ready.was_visible:
            self._report.added += 1
        elif ready.document:
            self._report.updated += 1
        else:
            self._report.unchanged += 1
        self._report.chunks += ready.chunk_count
