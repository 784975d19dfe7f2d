"""`nightbake gaps`: what people asked and the documents do not hold."""

from dataclasses import asdict

import click
from rich.table import Table

from cli.house import open_house
from cli.output import AT_MOST, command, console, emit, escape, json_option, read_settings
from core.gaps import Gaps


@click.group()
def gaps() -> None:
    """Show what people asked and the documents do not hold.

    A gap is filed whenever an answer has to be that nothing was found; who asked is not kept with it.
    """


@gaps.command(name="list")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 36_500), help="How far back.")
@click.option("--limit", default=50, show_default=True, type=AT_MOST, help="How many topics.")
@json_option
@command
async def list_gaps(days: int, limit: int, as_json: bool) -> None:
    """List the topics that were asked for in vain, the most asked first.

    Questions of nearly the same words are one topic, shown by its latest. Beside each stand the documents that came
    closest.
    """
    async with open_house(read_settings()) as house:
        topics = await Gaps(house.database).find_topics(days=days, limit=limit)
    if as_json:
        emit({"gaps": [asdict(topic) for topic in topics]})
        return
    table = Table("asked", "question", "nearest documents", "last", box=None, header_style="dim")
    for topic in topics:
        nearest = escape("; ".join(topic.nearest))
        table.add_row(str(topic.asked), escape(topic.question), nearest, f"{topic.last_filed_at:%Y-%m-%d}")
    console.print(table if topics else "no gaps yet")
