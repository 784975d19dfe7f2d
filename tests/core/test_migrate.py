"""Migrations are applied once, in order, by one process at a time, and never changed afterwards."""

import asyncio
import time
from pathlib import Path

import psycopg
import pytest

from core.database import Database
from core.errors import MigrationError
from core.migrate import find_migrations, migrate

FIRST = "CREATE TABLE shelf (id integer PRIMARY KEY);"
SECOND = "INSERT INTO shelf VALUES (1);"


@pytest.fixture
async def empty(database_url: str) -> Database:
    """A database without any migration, beside the others of the test's server."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return Database(database_url, patience_seconds=5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text(FIRST)
    (tmp_path / "0002_second.sql").write_text(SECOND)
    return tmp_path


async def test_every_file_is_applied_once_and_in_order(empty: Database, folder: Path) -> None:
    async with empty as database:
        first, second = await migrate(database, folder), await migrate(database, folder)
    assert (first, second) == (["0001_first", "0002_second"], [])


async def test_a_new_file_is_applied_alone(empty: Database, folder: Path) -> None:
    async with empty as database:
        await migrate(database, folder)
        (folder / "0003_third.sql").write_text("INSERT INTO shelf VALUES (3);")
        assert await migrate(database, folder) == ["0003_third"]


async def test_of_two_processes_one_applies(empty: Database, folder: Path) -> None:
    async with empty as database, Database(database.url) as other:
        applied = await asyncio.gather(migrate(database, folder), migrate(other, folder))
        rows = await database.fetch_dicts(b"SELECT id FROM shelf")
    assert sorted(applied) == [[], ["0001_first", "0002_second"]]
    assert rows == [{"id": 1}]


async def test_a_file_that_fails_leaves_nothing_of_itself(empty: Database, folder: Path) -> None:
    (folder / "0002_second.sql").write_text("INSERT INTO shelf VALUES (1); INSERT INTO no_such_table VALUES (1);")
    async with empty as database:
        with pytest.raises(psycopg.errors.UndefinedTable):
            await migrate(database, folder)
        assert await database.fetch_dicts(b"SELECT id FROM shelf") == []
        (folder / "0002_second.sql").write_text(SECOND)
        assert await migrate(database, folder) == ["0002_second"]


async def test_a_changed_file_is_refused(empty: Database, folder: Path) -> None:
    async with empty as database:
        await migrate(database, folder)
        (folder / "0001_first.sql").write_text(FIRST + " -- tidier")
        with pytest.raises(MigrationError, match=r"0001_first\.sql was changed after it was applied; add a new file"):
            await migrate(database, folder)


async def test_a_newer_database_is_refused(empty: Database, folder: Path) -> None:
    async with empty as database:
        await migrate(database, folder)
        (folder / "0002_second.sql").unlink()
        with pytest.raises(MigrationError, match="the database has migration 2, this version ends at 1"):
            await migrate(database, folder)


async def test_a_refusal_lets_the_next_process_in(empty: Database, folder: Path) -> None:
    async with empty as database, Database(database.url) as other:
        await migrate(database, folder)
        (folder / "0001_first.sql").write_text("SELECT 1;")
        with pytest.raises(MigrationError):
            await migrate(database, folder)
        (folder / "0001_first.sql").write_text(FIRST)
        assert await asyncio.wait_for(migrate(other, folder), 10) == []


async def test_a_file_whose_table_is_in_use_holds_nobody_up(
    empty: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it waited in line for the table's lock, every statement after it would wait too."""
    monkeypatch.setattr("core.migrate.PAUSE_SECONDS", 0.1)
    async with empty as database, Database(database.url) as other:
        await migrate(database, folder)
        (folder / "0003_wider.sql").write_text("ALTER TABLE shelf ADD COLUMN width integer;")
        async with other.transaction() as reader:
            await reader.execute("SELECT id FROM shelf")
            migrating = asyncio.create_task(migrate(database, folder))
            for _ in range(25):
                began = time.monotonic()
                await other.fetch_dicts(b"SELECT id FROM shelf")
                assert time.monotonic() - began < 10
                await asyncio.sleep(0.1)
            assert not migrating.done()
        assert await asyncio.wait_for(migrating, 20) == ["0003_wider"]


async def test_a_table_that_stays_in_use_is_said(
    empty: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.migrate.MOST_ATTEMPTS", 1)
    async with empty as database, Database(database.url) as other:
        await migrate(database, folder)
        (folder / "0003_wider.sql").write_text("ALTER TABLE shelf ADD COLUMN width integer;")
        async with other.transaction() as reader:
            await reader.execute("SELECT id FROM shelf")
            with pytest.raises(MigrationError, match=r"0003_wider\.sql found its tables in use 1 times"):
                await migrate(database, folder)


@pytest.mark.parametrize("name", ["0004_later.sql", "0002_again.sql"])
def test_a_gap_or_a_number_twice_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("SELECT 1;")
    with pytest.raises(MigrationError, match="expected numbers from 0001 without gaps"):
        find_migrations(folder)


def test_a_file_without_a_number_is_refused(folder: Path) -> None:
    (folder / "third.sql").write_text("SELECT 1;")
    with pytest.raises(MigrationError, match=r"expected a name like 0001_first_step.sql, got 'third.sql'"):
        find_migrations(folder)
