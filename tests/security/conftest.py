"""Pools that have the rights of one part of the service, on this test's own database."""

from collections.abc import AsyncIterator

import pytest

from core.database import Database


@pytest.fixture
async def bot(database: Database) -> AsyncIterator[Database]:
    """As what answers people."""
    async with Database(database.url, role="nightbake_bot", patience_seconds=5) as pool:
        yield pool


@pytest.fixture
async def index(database: Database) -> AsyncIterator[Database]:
    """As what reads documents in, and masks and numbers out."""
    async with Database(database.url, role="nightbake_index", patience_seconds=5) as pool:
        yield pool
