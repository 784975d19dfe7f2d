"""`nightbake people`: which groups a person belongs to, and so what they may read; and to forget a person."""

from dataclasses import asdict

import click
from rich.table import Table

from bot.forget import erase
from cli.house import open_house
from cli.output import command, console, emit, escape, json_option, read_settings, say
from core.sql import load_queries

QUERIES = load_queries(__file__)


@click.group()
def people() -> None:
    """Say which groups a person belongs to; documents name groups in .access.json.

    Nothing else grants access: a person reads what everyone, the person or one of the person's groups may read.
    """


@people.command(name="list")
@json_option
@command
async def list_people(as_json: bool) -> None:
    """List people with their groups; everyone else reads what everyone may read.

    `nightbake people set` changes a person's groups.
    """
    async with open_house(read_settings()) as house:
        found = await house.database.fetch_dicts(QUERIES["find_memberships"])
    if as_json:
        emit({"people": found})
        return
    table = Table("person", "groups", box=None, header_style="dim")
    for row in found:
        table.add_row(escape(row["person"]), escape(", ".join(row["groups"])))
    console.print(table if found else "nobody belongs to a group yet; `nightbake people set PERSON GROUP` changes that")


@people.command(name="set")
@click.argument("person")
@click.argument("groups", nargs=-1)
@json_option
@command
async def set_groups(person: str, groups: tuple[str, ...], as_json: bool) -> None:
    """Make PERSON a member of exactly these GROUPS; none takes them all away. Effective with the next question.

    PERSON is what the console shows beside a question: user:NAME, slack:TEAM:USER or teams:TENANT:ID.
    """
    principals = [group if ":" in group else f"group:{group}" for group in groups]
    async with open_house(read_settings()) as house:
        await house.access.set_memberships(person, principals)
    if as_json:
        emit({"person": person, "groups": principals})
    say(f"{escape(person)}: {', '.join(principals) or 'no groups'}", quiet=as_json)


@people.command()
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@json_option
@command
async def forget(person: str, yes: bool, as_json: bool) -> None:
    """Erase what PERSON asked, was answered and judged, for good. Adapters trained on it are named.

    Groups stay, and so do messages in the chat itself, reports of past nights and the audit.
    """
    if not yes:
        click.confirm(f"Erase everything that {person} asked and judged?", abort=True, err=True)
    async with open_house(read_settings()) as house:
        erased = await erase(house.database, person, by="terminal")
    if as_json:
        emit({"person": person, **asdict(erased)})
    counts = f"{erased.questions} questions with answers, {erased.votes} votes, {erased.pairs} pairs"
    say(f"{escape(person)}: {counts} erased", quiet=as_json)
    if erased.adapters:
        say(f"trained on them: {escape(', '.join(erased.adapters))}; the next night learns without them", quiet=as_json)
