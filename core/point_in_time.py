"""The embedded database at any moment: a base backup, and from then on an archive of everything that was written.

A server of one's own has better tools for it (pgBackRest, WAL-G, its provider's); this is PostgreSQL's own way.
"""

import asyncio
import json
import os
import shlex
import shutil
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from core.backup import ADAPTERS, MANIFEST, Restored, bring_adapter, copy_adapters, make_empty, mend
from core.backup import QUERIES as BACKUP_QUERIES
from core.database import Database
from core.embedded_database import EmbeddedDatabase
from core.errors import InvalidInputError, ProcessError
from core.migrate import migrate
from core.postgres_tools import run_tool
from core.sql import load_queries

QUERIES = load_queries(__file__)
BASE, LOG = "base", "log"
RECOVERY_SECONDS, POLL_SECONDS = 600.0, 0.2
# Of the archive and of the way back; a restored database begins without.
SETTINGS_FILE = "nightbake-archive.conf"


async def begin_archive(server: EmbeddedDatabase, database: Database, folder: Path) -> datetime:
    """Take a base backup and keep everything that is written from now on; the moment it begins at.

    Side effects: settings of the server, and a restart of it the first time.

    Raises:
        InvalidInputError: the folder holds something, or another process uses the server, which must start anew.
        ProcessError: pg_basebackup failed.
    """
    await asyncio.to_thread(make_empty, folder)
    await asyncio.to_thread(_make_writable, folder, server.system_user)
    (found,) = await database.fetch_dicts(QUERIES["find_setting"])
    await asyncio.to_thread(_set, server.folder, _build_archive_settings(folder / LOG))
    if found["archive_mode"] == "off" and not await asyncio.to_thread(server.restart):
        raise InvalidInputError("the database must start anew once to keep its log; stop `nightbake up` and try again")
    await database.fetch_dicts(QUERIES["reload"])
    options = (f"--pgdata={folder / BASE}", "--checkpoint=fast")
    user = server.system_user
    await run_tool("pg_basebackup", *options, url=database.url, server_version=found["version"], user=user)
    named = await database.fetch_dicts(BACKUP_QUERIES["find_adapters"])
    await asyncio.to_thread(copy_adapters, named, folder / ADAPTERS)
    manifest = {"at": found["at"].isoformat(), "kind": "archive", "server_version": found["version"]}
    await asyncio.to_thread((folder / MANIFEST).write_text, json.dumps(manifest))
    return found["at"]


def is_archive(folder: Path) -> bool:
    """Whether a backup is one of these."""
    try:
        return json.loads((folder / MANIFEST).read_text()).get("kind") == "archive"
    except (OSError, ValueError):
        return False


async def restore_to(folder: Path, home: Path, at: datetime, *, moved: Mapping[str, str]) -> Restored:
    """Bring the embedded database back as it was at a moment; adapters of the base backup come back where they lack.

    Raises:
        InvalidInputError: this state folder has a database.
        ProcessError: the archive does not reach that moment.
    """
    data = home / "postgres"
    if data.exists() and any(data.iterdir()):
        raise InvalidInputError(f"expected a state folder without a database, got {str(data)!r}; move it away first")
    await asyncio.to_thread(_lay_out, folder, data, at)
    server = EmbeddedDatabase(data)
    try:
        await asyncio.to_thread(server.start)
    except Exception as error:
        raise ProcessError(_explain(data, at)) from error
    try:
        async with Database(server.url) as database:
            reached = await _wait_for_the_end(database, data, at)
            await asyncio.to_thread(_set, data, {})
            await database.fetch_dicts(QUERIES["reload"])
            for kept in sorted((folder / ADAPTERS).glob("*")):
                await asyncio.to_thread(bring_adapter, kept, home / ADAPTERS / kept.name)
            missing = await mend(database, home, moved=moved)
            found = await database.fetch_dicts(BACKUP_QUERIES["find_adapters"])
            applied = await migrate(database)
            return Restored(reached, [row["name"] for row in found], missing, applied)
    finally:
        await asyncio.to_thread(server.stop)


def _make_writable(folder: Path, user: str | None) -> None:
    """For the server's own user, where it has one."""
    for path in (folder, folder / LOG):
        path.mkdir(exist_ok=True, mode=0o700)
        if user:
            shutil.chown(path, user)


def _build_archive_settings(log: Path) -> dict[str, str]:
    """Each piece of the log is there as a whole or not at all, and after a minute also on a quiet day."""
    kept, half = shlex.quote(str(log / "%f")), shlex.quote(str(log / "%f.half"))
    command = f"test ! -f {kept} && cp %p {half} && mv {half} {kept}"
    return {"archive_mode": "on", "archive_command": command, "archive_timeout": "60s"}


def _set(data: Path, settings: Mapping[str, str]) -> None:
    """Replace our own settings of a server, which reads them when it starts or is told to."""
    written = {name: value.replace("'", "''") for name, value in settings.items()}
    (data / SETTINGS_FILE).write_text("".join(f"{name} = '{value}'\n" for name, value in written.items()))
    main, include = data / "postgresql.conf", f"include_if_exists = '{SETTINGS_FILE}'\n"
    if include not in main.read_text():
        with main.open("a") as file:
            file.write(include)


def _lay_out(folder: Path, data: Path, at: datetime) -> None:
    data.parent.mkdir(parents=True, exist_ok=True)
    # What belonged to the server that ran lies among its files, and was copied with them.
    shutil.copytree(folder / BASE, data, ignore=shutil.ignore_patterns(".s.PGSQL.*", ".handle_pids.json", "log"))
    source = shlex.quote(str(folder / LOG / "%f"))
    lines = {
        "restore_command": f"cp {source} %p",
        "recovery_target_time": at.isoformat(),
        "recovery_target_action": "promote",
    }
    _set(data, lines)
    (data / "recovery.signal").touch()
    data.chmod(0o700)
    if os.geteuid() == 0:
        owner = (folder / BASE).stat()
        for path in (data, *data.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)


async def _wait_for_the_end(database: Database, data: Path, at: datetime) -> datetime:
    deadline = time.monotonic() + RECOVERY_SECONDS
    reached = at
    while time.monotonic() < deadline:
        (state,) = await database.fetch_dicts(QUERIES["find_state"])
        reached = state["at"] or reached
        if not state["is_recovering"]:
            return reached
        await asyncio.sleep(POLL_SECONDS)
    raise ProcessError(_explain(data, at))


def _explain(data: Path, at: datetime) -> str:
    log = data / "log"
    said = log.read_text(errors="replace").splitlines()[-5:] if log.is_file() else []
    return "\n".join(
        [f"the archive does not lead to {at.isoformat()}; take an earlier moment. PostgreSQL said:", *said]
    )
