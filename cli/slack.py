"""`nightbake slack`: what Slack needs from us before it needs anything else."""

import json

import click
from cryptography.fernet import Fernet

from bot.slack.manifest import build_link, build_manifest
from cli.output import emit, json_option, notes


@click.group()
def slack() -> None:
    """Set up the Slack app.

    docs/slack.md walks through it; `nightbake doctor` says what is missing.
    """


def _check_url(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.startswith("https://"):
        raise click.BadParameter(f"expected https://…, got {value!r}; Slack calls nothing else")
    return value


@slack.command()
@click.option("--http", "http_url", callback=_check_url, help="Where Slack reaches us; left out it is Socket Mode.")
@click.option("--oauth", "oauth_url", callback=_check_url, help="For several workspaces: where browsers reach us.")
@json_option
def manifest(http_url: str | None, oauth_url: str | None, as_json: bool) -> None:
    """Print the app manifest, with every scope, event and command that is used.

    Paste it under "From a manifest", or open the link that stands below it. Run it again after an update of Nightbake,
    and paste it into "App Manifest" of the app you have.
    """
    made = build_manifest(http_url=http_url, oauth_url=oauth_url)
    if as_json:
        emit(made)
        return
    click.echo(json.dumps(made, indent=2, ensure_ascii=False))
    notes.print(f"\nnew app: [link={build_link(made)}]{build_link(made)}[/]")


@slack.command()
@json_option
def key(as_json: bool) -> None:
    """Print a new key for SLACK_TOKEN_KEY.

    To change the key put the new one before the old, start once, and take the old one out.
    """
    made = Fernet.generate_key().decode()
    if as_json:
        emit({"key": made})
    else:
        click.echo(made)
