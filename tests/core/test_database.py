"""The pool waits for a server that restarts, says clearly when it stays away, and never tells a password."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
import pytest

from core.database import Database, safe_url
from core.errors import DatabaseError
from tests.core.own_postgres import run_own_postgres
from tests.eventually import eventually
from tests.ports import find_free_port

SECRET = "hunter2"


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    at: datetime


async def test_rows_become_records_with_aware_utc_times(database: Database) -> None:
    row = await database.fetch_one(b"SELECT 7 AS number, '2026-11-21 09:00+09'::timestamptz AS at", None, Row)
    assert row and (row.number, row.at.hour, row.at.utcoffset()) == (7, 0, timedelta(0))


async def test_no_row_is_none(database: Database) -> None:
    assert await database.fetch_one(b"SELECT 1 AS number, now() AS at WHERE false", None, Row) is None


async def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(ValueError, match="changed my mind"):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO audit (actor, act, subject) VALUES ('a', 'b', 'c')")
            raise ValueError("changed my mind")
    assert await database.fetch_dicts(b"SELECT * FROM audit") == []


async def test_a_wrong_statement_fails_at_once(database: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        await database.fetch_dicts(b"SELECT * FROM no_such_table")


async def test_a_call_waits_for_a_server_that_restarts(caplog: pytest.LogCaptureFixture) -> None:
    async with run_own_postgres() as server, Database(server.url, patience_seconds=30) as database:
        await asyncio.to_thread(server.stop)
        call = asyncio.create_task(database.fetch_dicts(b"SELECT 1 AS one"))

        async def has_failed_once() -> bool:
            return "database away, trying again" in caplog.messages

        await eventually(has_failed_once)
        await asyncio.to_thread(server.start)
        assert await call == [{"one": 1}]


async def test_a_server_that_stays_away_is_named_without_its_password() -> None:
    async with run_own_postgres() as server:
        url = server.url.replace("postgres:@", f"postgres:{SECRET}@")
        async with Database(url, patience_seconds=0.5) as database:
            await asyncio.to_thread(server.stop)
            with pytest.raises(DatabaseError, match="stayed away") as caught:
                await database.fetch_dicts(b"SELECT 1 AS one")
    assert SECRET in url
    assert SECRET not in str(caught.value)


async def test_a_server_that_never_was_is_said_with_advice() -> None:
    database = Database(f"postgresql://nightbake:{SECRET}@127.0.0.1:{find_free_port()}/nightbake", patience_seconds=1)
    with pytest.raises(DatabaseError, match="is it running, and is DATABASE_URL right") as caught:
        await database.open()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://nightbake:hunter2@db:5432/nightbake", "db:5432/nightbake"),
        ("postgresql://db/nightbake", "db/nightbake"),
        ("postgresql://nightbake:hun@ter2@db/nightbake", "db/nightbake"),
        ("postgresql://db/nightbake?user=n&password=hunter2", "db/nightbake"),
        ("postgresql://postgres:@/postgres?host=/run/pg", "/postgres?host=/run/pg"),
    ],
)
def test_an_address_is_shown_without_user_and_password(url: str, shown: str) -> None:
    assert safe_url(url) == shown
