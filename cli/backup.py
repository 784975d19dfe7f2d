"""`nightbake backup` and `nightbake restore`: one moment kept whole, or every moment from now on."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from cli.output import command, emit, escape, json_option, read_settings, say
from core.backup import restore_backup, write_backup
from core.database import Database
from core.embedded_database import EmbeddedDatabase
from core.errors import InvalidInputError
from core.migrate import migrate
from core.point_in_time import begin_archive, is_archive, restore_to
from core.settings import Settings


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--continuous", is_flag=True, help="Keep every moment from now on (embedded database only).")
@json_option
@command
async def backup(folder: Path, continuous: bool, as_json: bool) -> None:
    """Write database and adapters to a new FOLDER, while everything goes on.

    The folder holds a dump of one moment, every adapter that it names, and a manifest with the hash of each file. With
    --continuous it is a base backup and an archive into which the database goes on writing, for `restore --at`.
    """
    settings, folder = read_settings(), folder.resolve()
    async with _open_server(settings) as (server, database):
        await migrate(database)
        if continuous:
            if server is None:
                raise InvalidInputError("expected the embedded database; one of your own has its own tools")
            at = await begin_archive(server, database, folder)
            if as_json:
                emit({"folder": str(folder), "at": at, "continuous": True})
            say(f"every moment from {at:%Y-%m-%d %H:%M:%S %Z} on is kept in {escape(str(folder))}", quiet=as_json)
            return
        made = await write_backup(database, folder)
    if as_json:
        emit({"folder": str(folder), **asdict(made), "files": len(made.files)})
    say(
        f"backup of {made.at:%Y-%m-%d %H:%M:%S %Z} in {escape(str(folder))}: database of {made.size}, "
        f"{len(made.adapters)} adapters",
        quiet=as_json,
    )
    if made.missing:
        say(f"without weights, because they are gone: {escape(', '.join(made.missing))}", quiet=as_json)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"]),
    help="The moment, with its offset from UTC, such as 2026-11-20T09:00:00+0900; for a continuous backup.",
)
@click.option("--moved", nargs=2, multiple=True, metavar="OLD NEW", help="A document folder that lies elsewhere now.")
@json_option
@command
async def restore(folder: Path, at: datetime | None, moved: tuple[tuple[str, str], ...], as_json: bool) -> None:
    """Bring a backup back, into an empty database and this state folder.

    Every file is checked before anything is written. Folders of adapters are found where they lie now; who was served
    an adapter whose weights are gone is served the base model. Migrations that came since are applied.
    """
    settings, folder = read_settings(), folder.resolve()
    places, home = dict(moved), settings.nightbake_home.resolve()
    if is_archive(folder) != (at is not None):
        raise InvalidInputError("--at belongs to a backup that was made with --continuous, and such a one needs it")
    if at is not None:
        if settings.database_url:
            raise InvalidInputError("expected the embedded database for --at; unset DATABASE_URL")
        done = await restore_to(folder, home, at, moved=places)
    else:
        async with _open_server(settings) as (_, database):
            done = await restore_backup(database, folder, home, moved=places)
    if as_json:
        emit(asdict(done))
    say(f"restored as of {done.at:%Y-%m-%d %H:%M:%S %Z}: {len(done.adapters)} adapters", quiet=as_json)
    if done.missing:
        say(f"without weights, so the base model answers: {escape(', '.join(done.missing))}", quiet=as_json)


@asynccontextmanager
async def _open_server(settings: Settings) -> AsyncGenerator[tuple[EmbeddedDatabase | None, Database]]:
    """The configured server, or the embedded one."""
    if settings.database_url:
        async with Database(settings.database_url.get_secret_value()) as database:
            yield None, database
        return
    server = EmbeddedDatabase(settings.nightbake_home.resolve() / "postgres")
    async with server, Database(server.url) as database:
        yield server, database
