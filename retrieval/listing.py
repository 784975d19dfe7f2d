"""What a source says it holds, into the ledger: permissions and removals count before anything is read."""

import logging
from collections.abc import Sequence
from contextlib import aclosing

from retrieval.ledger import Ledger, Run
from retrieval.report import MAX_NAMED_FAILURES, IngestReport
from retrieval.sources.source import (
    Cursor,
    CursorError,
    Entry,
    Failure,
    Listed,
    Removed,
    Source,
    SourceAwayError,
    Unread,
)

log = logging.getLogger(__name__)

# What a service's answer of another form than documented becomes in the code that reads it.
ODD_ANSWERS = (KeyError, TypeError, ValueError, AttributeError)
_ENTRIES_PER_BATCH = 500
# What a source tells only of permissions that changed by themselves is caught by looking at all of it once a day.
_FULL_LISTING_SECONDS = 24 * 3600


async def list_source(source: Source, ledger: Ledger, run: Run, report: IngestReport, *, in_full: bool) -> int:
    """Stage what a source says; permissions and removals count from here on.

    Args:
        in_full: list everything; where it is off, a cursor that is younger than a day says what changed.

    Returns:
        The run since which an entry must have been named to be read: what a full listing did not name is not
        there, or lies where nobody could look.

    Raises:
        SourceAwayError: it stopped half-way; what it said stays staged, and nothing was removed for its silence.
    """
    stage = _Stage(source, ledger, run, report)
    if not in_full and not _is_full_due(run):
        try:
            await stage.list_since(run.cursor)
            return 0
        except CursorError as error:
            log.info("source listed in full", extra={"source": source.name, "reason": str(error)})
    await stage.list_since(None)
    return run.run


async def record_failures(ledger: Ledger, report: IngestReport, failures: Sequence[Failure]) -> None:
    """Count what was left out, name it as far as a report goes, and keep all of it."""
    named = failures[: max(MAX_NAMED_FAILURES - len(report.failed), 0)]
    for failure in named:
        log.warning("document left out", extra={"path": failure.path, "reason": failure.reason})
    report.failed_count += len(failures)
    report.failed += named
    await ledger.record_errors(failures)


class _Stage:
    """One listing on its way in."""

    def __init__(self, source: Source, ledger: Ledger, run: Run, report: IngestReport) -> None:
        self._source = source
        self._ledger = ledger
        self._run = run
        self._report = report

    async def list_since(self, cursor: str | None) -> None:
        """List, stage, and take away what is gone."""
        unread, next_cursor = await self._stage_all(cursor)
        if self._source.kind == "file":
            return
        if cursor is None:
            self._report.removed += await self._ledger.drop_unseen(self._run.run, unread)
            if not unread:
                await self._ledger.forget_old_errors(self._run.began_at)
        await self._ledger.set_cursor(next_cursor, in_full=cursor is None and not unread)

    async def _stage_all(self, cursor: str | None) -> tuple[list[str], str | None]:
        """Stage a listing as it comes, also what was said before the source fell silent.

        Returns:
            Folders that could not be looked into, and where to go on the next time.
        """
        batch: list[Listed] = []
        unread: list[str] = []
        next_cursor: str | None = None
        try:
            async with aclosing(self._source.list_entries(cursor)) as listed:
                async for one in listed:
                    if isinstance(one, Cursor):
                        next_cursor = one.value
                    elif isinstance(one, Unread):
                        unread.append(one.prefix)
                    else:
                        batch.append(one)
                    if len(batch) >= _ENTRIES_PER_BATCH:
                        await self._stage(batch)
                        batch = []
        except ODD_ANSWERS as error:
            log.exception("a source answered oddly", extra={"source": self._source.name})
            raise SourceAwayError(f"expected another answer ({type(error).__name__}: {error})") from error
        except SourceAwayError:
            await self._stage(batch)
            raise
        await self._stage(batch)
        return unread, next_cursor

    async def _stage(self, batch: Sequence[Listed]) -> None:
        # The last word on a key counts, and one statement must not meet a key twice.
        last = {one.key: one for one in batch if isinstance(one, Entry | Removed)}
        entries = [one for one in last.values() if isinstance(one, Entry)]
        gone = [one.key for one in last.values() if isinstance(one, Removed)]
        if entries:
            await self._ledger.put(entries, self._run.run)
        if gone:
            self._report.removed += await self._ledger.drop(gone)
        await record_failures(self._ledger, self._report, [one for one in batch if isinstance(one, Failure)])


def _is_full_due(run: Run) -> bool:
    if run.cursor is None or run.listed_in_full_at is None:
        return True
    return (run.began_at - run.listed_in_full_at).total_seconds() > _FULL_LISTING_SECONDS
