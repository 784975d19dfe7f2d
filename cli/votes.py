"""`nightbake feedback`: vote from the terminal, look at votes, export them as training data."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any, get_args

import click
from rich.table import Table

from cli.ask import local_person
from cli.house import open_house
from cli.output import (
    AT_MOST,
    ROW_ID,
    command,
    console,
    emit,
    escape,
    json_option,
    open_for_writing,
    read_settings,
    say,
)
from core.records import Feedback, Vote
from core.sql import load_queries
from learning.export import Form, export_feedback
from learning.remember import remember
from retrieval.examples import teach

QUERIES = load_queries(__file__)
FORMS: tuple[Form, ...] = get_args(Form)
VALUES: dict[str, Vote] = {"up": 1, "down": -1, "withdraw": 0}


@click.group()
def feedback() -> None:
    """Vote on answers; list and export votes.

    An answer's number stands below it in the terminal, and in the console.
    """


@feedback.command()
@click.argument("interaction_id", type=ROW_ID)
@click.argument("value", type=click.Choice(list(VALUES)))
@click.option("--correction", help="What the answer should have been.")
@click.option("--reason", help="Why, in a few words.")
@click.option("--as", "person", help="Vote as this person.  [default: you, on this machine]")
@json_option
@command
async def give(
    interaction_id: int, value: str, correction: str | None, reason: str | None, person: str | None, as_json: bool
) -> None:
    """Vote on an answer by its number; a second vote of the same person replaces the first.

    Search and prompt learn from it at once. `withdraw` takes a vote back. A correction says what the answer should have
    been; the night learns most from those.
    """
    vote = Feedback(interaction_id, person or local_person(), VALUES[value], "cli", correction, reason)
    async with open_house(read_settings()) as house:
        await house.feedback.record(vote)
        await teach(house.database)
        await remember(house.database)
        await house.memory.fill()
    if as_json:
        emit({"interaction_id": interaction_id, "value": VALUES[value], "person": vote.person})
    say("noted, thank you" if vote.value else "taken back", quiet=as_json)


@feedback.command(name="list")
@click.option("--limit", default=20, show_default=True, type=AT_MOST, help="How many, newest first.")
@json_option
@command
async def list_votes(limit: int, as_json: bool) -> None:
    """List the standing votes, newest first.

    Votes that were taken back or replaced are kept in the database and not shown here.
    """
    async with open_house(read_settings()) as house:
        votes = await house.database.fetch_dicts(QUERIES["find_votes"], {"limit": limit})
    if as_json:
        emit({"votes": votes})
        return
    table = Table("answer", "vote", "person", "question", "correction", box=None, header_style="dim")
    for vote in votes:
        sign = "👍" if vote["value"] > 0 else "👎"
        texts = (escape(vote["question"]), escape(vote["correction"] or ""))
        table.add_row(str(vote["interaction_id"]), sign, escape(vote["person"]), *texts)
    console.print(table if votes else "no votes yet")


@feedback.command()
@json_option
@command
async def stats(as_json: bool) -> None:
    """Count answers, votes and corrections, and say what became of every vote.

    Only standing votes count: one a person and answer, the last. Hints are what people let slip. The fates are those of
    the last night or `nightbake pairs build`; votes since then are unseen.
    """
    async with open_house(read_settings()) as house:
        database = house.database
        counts = (await database.fetch_dicts(QUERIES["count_votes"]))[0]
        hints, fates = [await database.fetch_dicts(QUERIES[name]) for name in ("count_hints", "count_fates")]
        counts |= {"unseen": (await database.fetch_dicts(QUERIES["count_unseen"]))[0]["count"]}
    if as_json:
        emit(counts | {"hints": _to_counts(hints), "fates": _to_counts(fates)})
        return
    for name, count in counts.items():
        console.print(f"{name.replace('_', ' '):<28}{count}")
    for one in [*hints, *fates]:
        console.print(f"  {one['name'].replace('_', ' ').replace(':', ': '):<26}{one['count']}")


def _to_counts(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {row["name"]: row["count"] for row in rows}


@feedback.command()
@click.option("--format", "form", type=click.Choice(FORMS), default=FORMS[0], show_default=True, help="TRL's form.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.  [default: standard output]"
)
@json_option
@command
async def export(form: Form, out: Path | None, as_json: bool) -> None:
    """Write the log as JSON Lines that TRL trains on, one example a line.

    What was answered from documents that not everyone may read is left out; personal data become placeholders.
    """
    count = 0
    async with open_house(read_settings()) as house:
        with open_for_writing(out) if out else nullcontext(sys.stdout) as file:
            async for line in export_feedback(house.database, form):
                file.write(line + "\n")
                count += 1
    if as_json and out:
        emit({"format": form, "rows": count, "out": str(out)})
    say(f"{count} rows in the {form} format", quiet=as_json)
