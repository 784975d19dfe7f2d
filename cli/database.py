"""`nightbake migrate`: bring the database up to date; every other command does so too before it works."""

import click

from cli.output import command, emit, json_option, read_settings, say
from core.database import Database
from core.embedded_database import EmbeddedDatabase
from core.migrate import find_migrations
from core.migrate import migrate as apply_migrations


@click.command()
@json_option
@command
async def migrate(as_json: bool) -> None:
    """Apply the migrations that are missing; safe to run at any time and from several machines.

    Every other command does so too before it works; this one is for a rollout that migrates first.
    """
    settings = read_settings()
    if settings.database_url:
        applied = await _migrate(settings.database_url.get_secret_value())
    else:
        async with EmbeddedDatabase(settings.nightbake_home.resolve() / "postgres") as server:
            applied = await _migrate(server.url)
    if as_json:
        emit({"applied": applied, "version": len(find_migrations())})
    say("\n".join(applied) if applied else "nothing to apply: the database is up to date", quiet=as_json)


async def _migrate(url: str) -> list[str]:
    async with Database(url) as database:
        return await apply_migrations(database)
