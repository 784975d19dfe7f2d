"""A backup: one moment of the database and every adapter that it names, with a manifest that vouches for each file.

A restore checks all of it before it writes anything, and mends the paths that the rows hold.
"""

import asyncio
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row

from core.adapters import Adapters
from core.database import Database
from core.errors import InvalidInputError
from core.migrate import find_migrations, migrate
from core.postgres_tools import run_tool
from core.sql import load_queries
from core.weights import WEIGHTS, hash_file

QUERIES = load_queries(__file__)
MANIFEST, DUMP, ADAPTERS = "manifest.json", "database.dump", "adapters"
ACTOR = "nightbake restore"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds.

    Attributes:
        at: the moment of the database.
        files: SHA-256 of each, by its path below the folder.
        adapters: those whose weights are in it; `missing` are named by the database, and their weights are gone.
        migrations: how many the database had.
        roles: of the server, to which the database gives rights.
        server_version: PostgreSQL's, which a restore must have or exceed.
    """

    at: datetime
    migrations: int
    server_version: int
    size: str
    files: dict[str, str] = field(default_factory=dict[str, str])
    adapters: list[str] = field(default_factory=list[str])
    missing: list[str] = field(default_factory=list[str])
    roles: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought.

    Attributes:
        missing: adapters without weights; who was served one is served the base model.
        applied: migrations that were newer than the backup.
    """

    at: datetime
    adapters: list[str]
    missing: list[str]
    applied: list[str]


async def write_backup(database: Database, folder: Path) -> Backup:
    """Write one, while everything goes on; the manifest comes last.

    Raises:
        InvalidInputError: the folder holds something, or cannot be written to.
        ProcessError: pg_dump failed, or there is none for this server.
    """
    await asyncio.to_thread(make_empty, folder)
    async with database.connection() as connection, connection.transaction():
        # The dump and the list of adapters see the same moment.
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        (moment,) = await _fetch(connection, "export_snapshot")
        (counted,) = await _fetch(connection, "count_migrations")
        named = await _fetch(connection, "find_adapters")
        roles = [row["role"] for row in await _fetch(connection, "find_roles")]
        # Before the dump: a night deletes old ones, and nobody an adapter that was just made.
        kept, missing = await asyncio.to_thread(copy_adapters, named, folder / ADAPTERS)
        options = ("--format=custom", f"--snapshot={moment['snapshot']}", f"--file={folder / DUMP}")
        await run_tool("pg_dump", *options, url=database.url, server_version=moment["version"])
    files = await asyncio.to_thread(hash_files, folder)
    backup = Backup(
        at=moment["at"],
        migrations=counted["migrations"],
        server_version=moment["version"],
        size=moment["size"],
        files=files,
        adapters=kept,
        missing=missing,
        roles=roles,
    )
    content = json.dumps(asdict(backup), indent=1, default=str)
    await asyncio.to_thread((folder / MANIFEST).write_text, content)
    return backup


async def restore_backup(database: Database, folder: Path, home: Path, *, moved: Mapping[str, str]) -> Restored:
    """Bring a backup back into an empty database and this state folder.

    Args:
        moved: document folders that lie elsewhere now, by where they lay.

    Raises:
        InvalidInputError: the backup is not whole, is newer than this version, or the database is not empty.
        ProcessError: pg_restore failed; the database stays empty.
    """
    backup = await asyncio.to_thread(read_backup, folder)
    if await _fetch_count(database, "count_tables"):
        raise InvalidInputError("expected an empty database, got one with tables; name another, or drop and create it")
    await _make_roles(database, backup.roles)
    options = ("--exit-on-error", "--single-transaction", "--no-owner", str(folder / DUMP))
    await run_tool("pg_restore", *options, url=database.url, server_version=backup.server_version)
    for name in backup.adapters:
        await asyncio.to_thread(bring_adapter, folder / ADAPTERS / name, home / ADAPTERS / name)
    missing = await mend(database, home, moved=moved)
    return Restored(backup.at, backup.adapters, missing, await migrate(database))


async def _make_roles(database: Database, roles: Sequence[str]) -> None:
    """Those that this server lacks, as migration 0029 makes them."""
    known = {row["role"] for row in await database.fetch_dicts(QUERIES["find_roles"])}
    async with database.connection() as connection:
        for role in (sql.Identifier(name) for name in roles if name not in known):
            await connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
            await connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))


async def mend(database: Database, home: Path, *, moved: Mapping[str, str]) -> list[str]:
    """Let the rows name folders as they are here; adapters whose weights are not, and which serve nobody any more."""
    adapters, missing = Adapters(database), list[str]()
    for row in await database.fetch_dicts(QUERIES["find_adapters"]):
        place = (home / ADAPTERS / row["name"]).absolute()
        await database.execute(QUERIES["move_adapter"], {"name": row["name"], "folder": str(place)})
        if not (place / WEIGHTS).exists():
            missing.append(row["name"])
    for row in await database.fetch_dicts(QUERIES["find_unserved"], {"names": missing}):
        await adapters.switch(None, by=ACTOR, reason="its weights are not in the backup", audience=row["audience"])
    for name in missing:
        await adapters.mark_deleted(name)
    for old, new in moved.items():
        await database.execute(QUERIES["move_source"], {"old": old, "new": new})
    return missing


def read_backup(folder: Path) -> Backup:
    """A backup that is whole.

    Raises:
        InvalidInputError: it is none, a file is missing or another one, or this version is older than it.
    """
    try:
        told: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        told["at"] = datetime.fromisoformat(told["at"])
        backup = Backup(**told)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InvalidInputError(f"expected a backup in {str(folder)!r}, got none that was finished") from error
    found = hash_files(folder)
    if wrong := sorted(path for path, sha256 in backup.files.items() if found.get(path) != sha256):
        raise InvalidInputError(f"the backup is damaged: {wrong[0]!r} is missing or was changed ({len(wrong)} in all)")
    if backup.migrations > (known := len(find_migrations())):
        raise InvalidInputError(f"the backup has {backup.migrations} migrations, this version {known}; upgrade it")
    return backup


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder but the manifest."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / MANIFEST)
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in files}


def make_empty(folder: Path) -> None:
    """A folder for a backup, which its owner alone may read.

    Raises:
        InvalidInputError: it holds something, or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise InvalidInputError(f"expected a new folder, got {str(folder)!r}, which holds something")
    except OSError as error:
        raise InvalidInputError(f"expected a folder to write to, got {str(folder)!r}: {error.strerror}") from error


def copy_adapters(rows: Sequence[Mapping[str, Any]], target: Path) -> tuple[list[str], list[str]]:
    """Copy what rows of adapters name; the names of those that are there and of those that are not."""
    kept, missing = list[str](), list[str]()
    for row in rows:
        copy = target / row["name"]
        if _copy_adapter(Path(row["folder"]), copy, row["sha256"]):
            kept.append(row["name"])
        else:
            shutil.rmtree(copy, ignore_errors=True)
            missing.append(row["name"])
    return kept, missing


def _copy_adapter(source: Path, copy: Path, sha256: str) -> bool:
    """False where it was deleted, by a night or with a person, or holds other weights than were trained."""
    try:
        shutil.copytree(source, copy)
        return hash_file(copy / WEIGHTS) == sha256
    except (OSError, shutil.Error):
        return False


def bring_adapter(source: Path, target: Path) -> None:
    """Copy one that is not there yet, as a whole or not at all."""
    if not target.exists():
        half = target.with_name(f".{target.name}")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(source, half)
        half.rename(target)


async def _fetch(connection: AsyncConnection[Any], query: str) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(QUERIES[query])
        return await cursor.fetchall()


async def _fetch_count(database: Database, query: str) -> int:
    (row,) = await database.fetch_dicts(QUERIES[query])
    return next(iter(row.values()))
