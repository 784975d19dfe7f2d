"""`nightbake teams`: what Teams needs from us before it needs anything else."""

from pathlib import Path

import click

from bot.teams.package import SCHEMA_VERSION, VERSION, build_package
from cli.output import command, console, emit, escape, json_option, read_settings


@click.group()
def teams() -> None:
    """Set up the Teams app.

    docs/teams.md walks through it; `nightbake doctor` says what is missing.
    """


def _check_version(_: click.Context, parameter: click.Parameter, value: str) -> str:
    if len(parts := value.split(".")) != 3 or not all(part.isdecimal() for part in parts):
        raise click.BadParameter(f"expected three numbers such as 1.0.1, got {value!r}")
    return value


@teams.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("nightbake-teams.zip"),
    show_default=True,
    help="Where the package goes.",
)
@click.option("--version", default=VERSION, show_default=True, callback=_check_version, help="Higher for an update.")
@json_option
@command
async def manifest(output: Path, version: str, as_json: bool) -> None:
    """Write the app package: a zip with manifest, Korean words and icons.

    An admin uploads it in the Teams admin center. Run it again after an update of Nightbake, with a higher version.
    """
    settings = read_settings()
    output.write_bytes(build_package(settings.teams_app_id, settings.base_url, version=version))
    if as_json:
        emit({"path": str(output), "version": version, "schema": SCHEMA_VERSION})
    else:
        console.print(f"wrote {escape(str(output))}; upload it under Teams apps, Manage apps, in the admin center")
