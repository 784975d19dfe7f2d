"""`nightbake people`: which groups a person belongs to, and so what they may read; and to forget a person."""

from dataclasses import asdict

import click
from rich.table import Table

from bot.web.sessions import end_person
from cli.house import open_house
from cli.output import command, console, emit, escape, json_option, read_settings, say
from core.audit import record_act
from core.forgetting import BASE, Receipt
from core.sql import load_queries

QUERIES = load_queries(__file__)

# Who forgets, for the audit: a name could be the person's own.
TERMINAL = "terminal"


@click.group()
def people() -> None:
    """Say which groups a person belongs to, sign out or forget one; documents name groups in .access.json.

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


@people.command(name="sign-out")
@click.argument("person")
@json_option
@command
async def sign_out(person: str, as_json: bool) -> None:
    """End every session of PERSON on the web, at once.

    PERSON is an e-mail address or user:oidc-…, as the console shows it. The sign-in service decides who comes back.
    """
    async with open_house(read_settings()) as house:
        ended = await end_person(house.database, person)
        await record_act(house.database, actor=TERMINAL, act="sign out", subject=person)
    if as_json:
        emit({"person": person, "sessions": ended})
    say(f"{escape(person)}: {ended} sessions ended", quiet=as_json)


@people.command(name="forget")
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@command
async def forget_person(person: str, yes: bool, as_json: bool) -> None:
    """Erase what PERSON asked, was answered and judged, and every adapter that was trained on it.

    The receipt says what went. Adapters are retired at once and their weights deleted; the next night trains without
    the person. What left the house stays out there: exported files, messages in a chat, reports that were sent.
    """
    if not yes:
        click.confirm(f"Erase everything that {person} asked and judged?", abort=True, err=True)
    async with open_house(read_settings()) as house:
        receipt = await house.forgetting.forget(person, by=TERMINAL)
    if as_json:
        emit(asdict(receipt))
    say(describe_receipt(receipt), quiet=as_json)


def describe_receipt(receipt: Receipt) -> str:
    """The receipt in words, a line a fact."""
    if receipt.number is None and not receipt.folders_left:
        return "nothing to forget"
    gone = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in receipt.log.items() if count)
    lines = [
        f"receipt {receipt.number}: {gone or 'nothing in the log'}, {receipt.pairs} pairs, {receipt.reports} reports"
    ]
    if receipt.adapters:
        lines.append(f"retired: {', '.join(receipt.adapters)}")
    if receipt.serving:
        now = "the base model" if receipt.serving == BASE else receipt.serving
        lines.append(f"serving {now} now")
    if receipt.folders_left:
        left = ", ".join(receipt.folders_left)
        lines.append(f"the model server could not let go of {left}: stop it and forget again")
    if receipt.rebuild:
        lines.append("the next night trains anew without it; `nightbake night` begins one now")
    return escape("\n".join(lines))
