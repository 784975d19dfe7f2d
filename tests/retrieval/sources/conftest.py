"""Sources as the ingest sees them."""

from collections.abc import Callable, Coroutine
from contextlib import aclosing
from datetime import datetime
from typing import Any

import pytest

from core.database import Database
from retrieval.documents import Documents
from retrieval.embedding import Embedder
from retrieval.ingest import sync
from retrieval.report import IngestReport
from retrieval.sources.source import Cursor, Entry, Listed, Source

Sync = Callable[..., Coroutine[Any, Any, IngestReport]]


async def list_all(source: Source, cursor: str | None = None) -> list[Listed]:
    """Everything that a listing says."""
    async with aclosing(source.list_entries(cursor)) as listed:
        return [one async for one in listed]


async def list_rules(source: Source) -> dict[str, list[str]]:
    """Who may read each entry, by its key."""
    return {one.key: one.rule.allow for one in await list_all(source) if isinstance(one, Entry)}


async def list_dates(source: Source) -> dict[str, datetime | None]:
    """When each entry changed, by its key."""
    return {one.key: one.changed_at for one in await list_all(source) if isinstance(one, Entry)}


def find_cursor(listed: list[Listed]) -> str:
    """The last thing that a listing said."""
    assert isinstance(listed[-1], Cursor)
    return listed[-1].value


@pytest.fixture
def run_sync(database: Database, embedder: Embedder) -> Sync:
    """Bring this test's database in step with a source."""

    async def run(source: Source, **options: Any) -> IngestReport:
        return await sync(database, embedder, source, **options)

    return run


@pytest.fixture
def documents(database: Database) -> Documents:
    return Documents(database)
