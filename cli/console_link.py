"""`nightbake console-link`: a link that opens the console once."""

from typing import cast

import click

from bot.web.sessions import Role, make_link
from cli.house import open_house
from cli.output import command, console, emit, json_option, read_settings


@click.command()
@click.option(
    "--role", type=click.Choice(["admin", "reviewer"]), default="admin", help="Of whoever opens it; else admin."
)
@json_option
@command
async def console_link(role: str, as_json: bool) -> None:
    """Print a link that opens the console once, within an hour.

    Whoever opens it is signed in as an admin, or as a reviewer of pairs, exercises and disagreements. The link is void
    then, and the browser keeps a session that `Sign out` ends.
    """
    async with open_house(read_settings()) as house:
        path = "/console" if role == "admin" else "/console/pairs"
        address = await make_link(house.database, house.settings.base_url, path=path, role=cast(Role, role))
    if as_json:
        emit({"address": address, "role": role})
        return
    console.print(address, soft_wrap=True)
