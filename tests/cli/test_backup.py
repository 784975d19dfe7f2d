"""`nightbake backup` and `nightbake restore`: what comes back is what was there, whole, where it lies now."""

import asyncio
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.adapters import Adapters
from core.database import Database
from core.embedded_database import EmbeddedDatabase
from core.interactions import Interactions
from core.migrate import migrate
from core.records import Outcome, Question
from tests.cli.running import run_nightbake

WEIGHTS = b"a few numbers"
COUNT = "SELECT count(*) FROM interactions WHERE answer = 'Never.'"


@pytest.fixture
def empty_url(postgres: str) -> Iterator[str]:
    """Address of a database that nothing was ever made in."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored TEMPLATE template0")
        yield postgres.replace("/postgres?", "/restored?")
        connection.execute("DROP DATABASE restored WITH (FORCE)")


async def say_never(database: Database) -> None:
    interactions = Interactions(database)
    begun = await interactions.begin(Question("cli", "c", "user:ann", ["everyone"], "When?", "en"))
    await interactions.finish(Outcome(begun.id, "Never.", "generated"))


async def serve_adapter(database: Database, home: Path, name: str = "night-1") -> Path:
    """An adapter that answers everybody."""
    folder, sha256 = home / "adapters" / name, hashlib.sha256(WEIGHTS).hexdigest()
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(WEIGHTS)
    (folder / "manifest.json").write_text(json.dumps({"sha256": sha256}))
    adapters = Adapters(database)
    await adapters.register(name=name, folder=str(folder), base_model="base", sha256=sha256, manifest={})
    await adapters.switch(name, by="user:ann", reason="test")
    return folder


def back_up(folder: Path, url: str) -> dict[str, Any]:
    ran = run_nightbake("backup", str(folder), "--json", DATABASE_URL=url)
    assert ran.code == 0, ran.err + ran.out
    return ran.json


def restore(folder: Path, url: str, home: Path, *options: str) -> Any:
    return run_nightbake("restore", str(folder), "--json", *options, DATABASE_URL=url, NIGHTBAKE_HOME=str(home))


def fetch(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


async def test_what_was_there_comes_back_where_it_lies_now(
    database: Database, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    await say_never(database)
    await serve_adapter(database, tmp_path / "old")
    await database.execute(
        b"INSERT INTO documents (source, path, title, format, language, sha256, recipe, allow, deny) "
        b"VALUES ('/old/handbook', 'leave.md', 'Leave', 'md', 'en', '', '', '{everyone}', '{}')"
    )
    told = await asyncio.to_thread(back_up, tmp_path / "backup", database_url)
    assert (told["adapters"], told["missing"], told["files"]) == (["night-1"], [], 3)
    shutil.rmtree(tmp_path / "old")
    moved = ("--moved", "/old/handbook", "/new/handbook")
    ran = await asyncio.to_thread(restore, tmp_path / "backup", empty_url, tmp_path / "new", *moved)
    assert (ran.code, ran.json["adapters"], ran.json["missing"], ran.json["applied"]) == (0, ["night-1"], [], []), (
        ran.err
    )
    folder = tmp_path / "new" / "adapters" / "night-1"
    assert fetch(empty_url, COUNT) == [(1,)]
    assert fetch(empty_url, "SELECT name, folder, state FROM adapter_states") == [("night-1", str(folder), "active")]
    assert fetch(empty_url, "SELECT source FROM documents") == [("/new/handbook",)]
    assert (folder / "adapter_model.safetensors").read_bytes() == WEIGHTS
    assert fetch(empty_url, "SELECT has_table_privilege('nightbake_bot', 'inbox', 'INSERT')") == [(True,)]
    again = await asyncio.to_thread(restore, tmp_path / "backup", empty_url, tmp_path / "new")
    assert (again.code, "expected an empty database" in again.json["error"]) == (2, True)


async def test_who_was_served_what_is_gone_is_served_the_base_model(
    database: Database, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    folder = await serve_adapter(database, tmp_path / "old")
    (folder / "adapter_model.safetensors").write_bytes(b"other numbers")
    told = await asyncio.to_thread(back_up, tmp_path / "backup", database_url)
    assert (told["adapters"], told["missing"]) == ([], ["night-1"])
    ran = await asyncio.to_thread(restore, tmp_path / "backup", empty_url, tmp_path / "new")
    assert (ran.code, ran.json["missing"]) == (0, ["night-1"])
    assert fetch(empty_url, "SELECT name FROM serving") == [(None,)]
    assert fetch(empty_url, "SELECT deleted_at IS NOT NULL FROM adapters") == [(True,)]


def spoil(folder: Path, how: str) -> None:
    weights, manifest = folder / "adapters" / "night-1" / "adapter_model.safetensors", folder / "manifest.json"
    match how:
        case "changed":
            weights.write_bytes(b"a few numbexs")
        case "gone":
            weights.unlink()
        case "unfinished":
            manifest.unlink()
        case _:
            manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"migrations": 9999}))


async def test_a_backup_that_is_not_whole_is_refused_before_anything_is_written(
    database: Database, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    await serve_adapter(database, tmp_path / "old")
    await asyncio.to_thread(back_up, tmp_path / "backup", database_url)
    for how in ("changed", "gone", "unfinished", "newer"):
        shutil.copytree(tmp_path / "backup", tmp_path / how)
        spoil(tmp_path / how, how)
        ran = await asyncio.to_thread(restore, tmp_path / how, empty_url, tmp_path / "new")
        assert (ran.code, "backup" in ran.json["error"]) == (2, True), ran.json
    assert fetch(empty_url, "SELECT count(*) FROM pg_class WHERE relname = 'inbox'") == [(0,)]
    assert not (tmp_path / "new" / "adapters").exists()


async def test_a_folder_that_holds_something_is_not_written_to(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear Ann")
    ran = await asyncio.to_thread(run_nightbake, "backup", str(tmp_path), DATABASE_URL=database_url)
    assert (ran.code, "which holds something" in ran.err) == (2, True)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Not in pytest's own folder: that is closed to the user that PostgreSQL runs as when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="nightbake-backup-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def test_the_embedded_database_comes_back_as_it_was_before_a_deletion(open_folder: Path) -> None:
    home, kept, again = open_folder / "home", open_folder / "kept", open_folder / "again"
    began = await asyncio.to_thread(
        run_nightbake, "backup", str(kept), "--continuous", "--json", NIGHTBAKE_HOME=str(home)
    )
    assert began.code == 0, began.err + began.out
    async with EmbeddedDatabase(home / "postgres") as server, Database(server.url) as database:
        await say_never(database)
        (before,) = await database.fetch_dicts(b"SELECT clock_timestamp() AS at")
        await database.execute(b"DELETE FROM interactions")
        await database.fetch_dicts(b"SELECT pg_switch_wal()")
        await wait_for_archive(database)
    at = before["at"].strftime("%Y-%m-%dT%H:%M:%S.%f%z")
    ran = await asyncio.to_thread(run_nightbake, "restore", str(kept), "--at", at, "--json", NIGHTBAKE_HOME=str(again))
    assert ran.code == 0, ran.err + ran.out
    async with EmbeddedDatabase(again / "postgres") as server, Database(server.url) as database:
        assert (await database.fetch_dicts(COUNT.encode()))[0]["count"] == 1
        assert await migrate(database) == []
        # It goes on by itself, and writes into the old one's archive no more.
        await say_never(database)
        (mode,) = await database.fetch_dicts(b"SELECT current_setting('archive_mode') AS mode")
    assert mode["mode"] == "off" and datetime.fromisoformat(ran.json["at"]) <= before["at"]


async def wait_for_archive(database: Database) -> None:
    """Until the log of the deletion is kept."""
    deadline = time.monotonic() + 30
    while True:
        (row,) = await database.fetch_dicts(b"SELECT archived_count, failed_count FROM pg_stat_archiver")
        if row["archived_count"] >= 2:
            return
        assert time.monotonic() < deadline and row["failed_count"] < 5, row
        await asyncio.sleep(0.1)
