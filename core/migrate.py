"""Numbered SQL files, applied once each, in order, under a lock, and never changed afterwards."""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection, OperationalError
from psycopg.errors import InsufficientPrivilege, LockNotAvailable, RaiseException

from core.advisory_lock import hold_lock
from core.database import Database
from core.errors import DatabaseError, MigrationError
from core.locks import Lock

FOLDER = Path(__file__).parent.parent / "migrations"
_FILE_NAME = re.compile(r"(\d{4})_[a-z_]+\.sql")

MOST_ATTEMPTS, PAUSE_SECONDS = 60, 1.0
_WAIT_SHORTLY = b"SET LOCAL lock_timeout = '1s'"

# In the schema that tables are created in: another one of the search path may have its own.
_FIND_LEDGER = b"SELECT to_regclass(quote_ident(current_schema()) || '.migrations') IS NOT NULL"
_CREATE_LEDGER = b"""
CREATE TABLE IF NOT EXISTS migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, name, content and checksum."""

    number: int
    name: str
    source: bytes
    sha256: str


def find_migrations(folder: Path = FOLDER) -> list[Migration]:
    """Every migration file in order.

    Raises:
        MigrationError: a file name does not fit, or numbers repeat or leave a gap.
    """
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if not match:
            raise MigrationError(f"expected a name like 0001_first_step.sql, got {path.name!r}")
        source = path.read_bytes()
        found.append(Migration(int(match[1]), path.stem, source, hashlib.sha256(source).hexdigest()))
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationError(f"expected numbers from 0001 without gaps, got {[m.name for m in found]}")
    return found


async def migrate(database: Database, folder: Path = FOLDER) -> list[str]:
    """Apply what is missing, each file in its own transaction; names of those applied now.

    Several processes may call this at once: the advisory lock lets one of them work.

    Raises:
        MigrationError: an applied file was changed, the database is newer than this code, or its tables stayed in use.
        DatabaseError: the database is away.
    """
    wanted = find_migrations(folder)
    for attempt in count(1):
        try:
            async with hold_lock(database, Lock.MIGRATE, wait=True) as connection:
                assert connection, "it was waited for"
                return await _apply_missing(connection, wanted)
        except OperationalError as error:
            # It restarts, as it may while this process starts.
            if attempt == MOST_ATTEMPTS:
                raise DatabaseError(f"the database went away {attempt} times: {error}") from error
            await asyncio.sleep(PAUSE_SECONDS)
    raise AssertionError


async def _apply_missing(connection: AsyncConnection[Any], wanted: list[Migration]) -> list[str]:
    # A login that may not create tables may still serve from a database that is up to date.
    known = await (await connection.execute(_FIND_LEDGER)).fetchone()
    if known == (False,):
        await connection.execute(_CREATE_LEDGER)
    cursor = await connection.execute("SELECT number, sha256 FROM migrations ORDER BY number")
    applied: dict[int, str] = dict(await cursor.fetchall())
    _check_applied(applied, wanted)
    missing = [migration for migration in wanted if migration.number not in applied]
    for migration in missing:
        try:
            await _apply(connection, migration)
        except InsufficientPrivilege as error:
            raise MigrationError(
                f"the login may not apply {migration.name} ({error.diag.message_primary}); "
                "let the owner of the database run `nightbake migrate`"
            ) from error
        except RaiseException as error:
            raise MigrationError(f"{migration.name}: {error.diag.message_primary}") from error
    return [migration.name for migration in missing]


async def _apply(connection: AsyncConnection[Any], migration: Migration) -> None:
    """One file, while other processes go on working.

    What waits for a table's lock holds up everybody who comes after it, so it gives up soon and tries again.
    """
    for attempt in count(1):
        try:
            async with connection.transaction():
                await connection.execute(_WAIT_SHORTLY)
                await connection.execute(migration.source)
                await connection.execute(
                    "INSERT INTO migrations (number, name, sha256) VALUES (%s, %s, %s)",
                    [migration.number, migration.name, migration.sha256],
                )
            return
        except LockNotAvailable as error:
            if attempt == MOST_ATTEMPTS:
                raise MigrationError(
                    f"{migration.name}.sql found its tables in use {attempt} times; end long transactions"
                ) from error
            await asyncio.sleep(PAUSE_SECONDS)


def _check_applied(applied: dict[int, str], wanted: list[Migration]) -> None:
    by_number = {migration.number: migration for migration in wanted}
    for number, sha256 in applied.items():
        if number not in by_number:
            raise MigrationError(f"the database has migration {number}, this version ends at {len(wanted)}; upgrade it")
        if by_number[number].sha256 != sha256:
            raise MigrationError(f"{by_number[number].name}.sql was changed after it was applied; add a new file")
