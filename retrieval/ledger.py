"""What a source holds, as it last said: staged first, so that a run that is cut short loses nothing."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from core.advisory_lock import hold_lock
from core.database import Database
from core.group_commit import to_json_rows
from core.locks import Lock
from core.sql import load_queries
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.source import Entry, Failure

QUERIES = load_queries(__file__)

_FIRST = ("", "")


@dataclass(frozen=True, slots=True)
class Run:
    """One look at a source; `number` grows with each."""

    run: int
    cursor: str | None
    began_at: datetime
    listed_in_full_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Entries that are to be read, those that need not be, and those that nobody may read."""

    pending: int
    settled: int
    hidden: int


@dataclass(frozen=True, slots=True)
class Pending:
    """An entry to read, with what is stored of its document so far (None: nothing)."""

    entry: Entry
    sha256: str | None
    recipe: str | None
    source_version: str | None
    visible: bool


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source as `nightbake sources list` shows it; counts are those of its last run."""

    name: str
    kind: str
    began_at: datetime | None
    finished_at: datetime | None
    listed_in_full_at: datetime | None
    error: str | None
    counts: dict[str, Any]
    documents: int
    hidden: int
    failed: int


class Ledger:
    """One source's rows in `sources`, `source_entries` and `ingest_errors`."""

    def __init__(self, database: Database, source: str) -> None:
        self._database = database
        self._source = source

    @asynccontextmanager
    async def lock(self, *, wait: bool) -> AsyncGenerator[bool]:
        """One run a source at a time, of whatever process; False where another runs and `wait` is off."""
        async with hold_lock(self._database, Lock.SOURCE, part=self._source, wait=wait) as held:
            yield held is not None

    async def begin(self, kind: str) -> Run:
        """Open a run."""
        run = await self._database.fetch_one(QUERIES["begin"], {"source": self._source, "kind": kind}, Run)
        assert run is not None, "an upsert returns its row"
        return run

    async def put(self, entries: Sequence[Entry], run: int) -> None:
        """Store what was listed; changed permissions and dates count before anything is read: no door stays open."""
        rows = _clean(to_json_rows([_to_row(entry) for entry in entries]))
        parameters = {"source": self._source, "entries": rows, "run": run}
        async with self._database.transaction() as connection:
            await connection.execute(QUERIES["put_entries"], parameters)
            await connection.execute(QUERIES["set_rules"], parameters)
            await connection.execute(QUERIES["set_dates"], parameters)

    async def drop(self, keys: Sequence[str]) -> int:
        """Take away what is gone; the number of documents that became invisible."""
        return await self._remove(QUERIES["drop_entries"], {"keys": list(keys), "unread": []})

    async def drop_unseen(self, run: int, unread: Sequence[str]) -> int:
        """Take away what a full listing did not name; the number of documents that became invisible."""
        return await self._remove(QUERIES["drop_unseen"], {"run": run, "unread": list(unread)})

    async def _remove(self, query: bytes, parameters: dict[str, Any]) -> int:
        parameters["source"] = self._source
        async with self._database.transaction() as connection:
            await connection.execute(query, parameters)
            return (await connection.execute(QUERIES["remove_gone"], parameters)).rowcount

    async def count(self, recipes: Sequence[str], *, since_run: int) -> Counts:
        """How much there is to do among what was seen since a run."""
        parameters = {"source": self._source, "recipes": list(recipes), "since_run": since_run}
        counts = await self._database.fetch_one(QUERIES["count_pending"], parameters, Counts)
        assert counts is not None, "an aggregate returns its row"
        return counts

    async def find_pending(
        self, recipes: Sequence[str], *, since_run: int, batch: int = 200
    ) -> AsyncGenerator[Pending]:
        """Entries to read in order of path, a batch of rows in memory at a time."""
        after = _FIRST
        while True:
            parameters = {"source": self._source, "recipes": list(recipes), "since_run": since_run, "limit": batch}
            rows = await self._database.fetch_dicts(
                QUERIES["find_pending"], {**parameters, "after_path": after[0], "after_key": after[1]}
            )
            for row in rows:
                yield _to_pending(row)
            if len(rows) < batch:
                return
            after = rows[-1]["path"], rows[-1]["key"]

    async def settle(self, read: Mapping[str, tuple[str | None, datetime | None]]) -> None:
        """Remember versions and dates of what was read and is as it was, by path; a date of None changes none."""
        versions, dates = (list(column) for column in zip(*read.values(), strict=True))
        parameters = {"source": self._source, "paths": list(read), "versions": versions, "dates": dates}
        await self._database.execute(QUERIES["settle"], parameters)

    async def record_errors(self, failures: Sequence[Failure]) -> None:
        """Remember what could not be read."""
        if failures:
            parameters = {"source": self._source, "errors": _clean(to_json_rows(failures))}
            await self._database.execute(QUERIES["record_errors"], parameters)

    async def forget_errors(self, paths: Sequence[str], *, with_parts: bool = False) -> None:
        """These could be read; with their parts (`archive.zip!/broken.pdf`), where they were read anew."""
        if paths:
            parameters = {"source": self._source, "paths": list(paths), "with_parts": with_parts}
            await self._database.execute(QUERIES["forget_errors"], parameters)

    async def forget_old_errors(self, before: datetime) -> None:
        """After a full run: what did not fail again is mended or gone."""
        await self._database.execute(QUERIES["forget_old_errors"], {"source": self._source, "before": before})

    async def set_cursor(self, cursor: str | None, *, in_full: bool) -> None:
        """Where the next listing goes on; only once all that came before it is stored."""
        parameters = {"source": self._source, "cursor": cursor, "in_full": in_full}
        await self._database.execute(QUERIES["set_cursor"], parameters)

    async def finish(self, counts: dict[str, Any], *, error: str | None = None) -> None:
        """Close a run, whole or cut short."""
        parameters = {"source": self._source, "counts": Jsonb(counts), "error": error}
        await self._database.execute(QUERIES["finish"], parameters)


async def find_states(database: Database) -> list[SourceState]:
    """Every source that was ever read, by name."""
    return await database.fetch_all(QUERIES["find_states"], None, SourceState)


async def forget_source(database: Database, source: str) -> int:
    """Hide all documents of a source that is no longer kept up with; the number of documents."""
    return await database.execute(QUERIES["forget_source"], {"source": source})


def _clean(rows: str) -> str:
    """Without what services may send and PostgreSQL does not hold: zero bytes, and halves of characters."""
    return rows.replace("\\u0000", "").encode("utf-8", "replace").decode("utf-8")


def _to_row(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "path": entry.path,
        "version": entry.version,
        "size_bytes": entry.size_bytes,
        "handle": dict(entry.handle),
        "allow": entry.rule.allow,
        "deny": entry.rule.deny,
        "owner": entry.rule.owner,
        "changed_at": entry.changed_at and entry.changed_at.isoformat(),
    }


def _to_pending(row: dict[str, Any]) -> Pending:
    entry = Entry(
        key=row["key"],
        path=row["path"],
        rule=AccessRule(row["allow"], row["deny"], row["owner"]),
        version=row["version"],
        size_bytes=row["size_bytes"],
        handle=row["handle"],
        changed_at=row["changed_at"],
    )
    return Pending(entry, row["sha256"], row["recipe"], row["source_version"], bool(row["visible"]))
