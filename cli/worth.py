"""`nightbake worth`: whether the assistant is good enough yet, and what an hour of training returns."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from rich.table import Table

from cli.house import open_house
from cli.output import command, console, emit, json_option, read_settings
from core.durations import say_duration
from learning.break_even import BreakEven, Figures
from learning.economy import Economy, find_economy
from learning.night import read_figures

SAID = {
    "good": "[green]Good enough[/]: right answers surely pay for the wrong ones.",
    "not_yet": "[red]Not yet[/]: wrong answers surely cost more than right ones save.",
    "unknown": "[yellow]Not known yet.[/]",
}
JUDGED_BY = {"golden": "golden questions", "votes": "answers that people voted on"}


@click.command()
@json_option
@command
async def worth(as_json: bool) -> None:
    """Say whether the assistant is good enough yet, and what training returns.

    The figures are yours: SAVED_PER_RIGHT_ANSWER, HUMAN_ANSWER_COST, LOST_TRUST_COST, LOST_TRUST_CHANCE,
    NIGHT_HOUR_COST. Right answers are counted by the latest golden questions, or, where none were asked, by votes.
    """
    settings = read_settings()
    async with open_house(settings) as house:
        found = await find_economy(house.database, read_figures(settings), until=datetime.now(UTC))
    if as_json:
        emit(describe(found))
        return
    console.print(SAID[found.break_even.state] + _say_more(found.break_even))
    table = Table(box=None, show_header=False)
    for what, value in list_rows(found):
        table.add_row(what, value)
    console.print(table)


def describe(found: Economy) -> dict[str, Any]:
    """Everything, as --json prints it; shares are in [0, 1], money is in `currency`."""
    figures = found.figures
    return {
        **asdict(found.break_even),
        "figures": asdict(figures) | {"wrong_answer": figures.wrong},
        "spending": asdict(found.spending) | {"days": found.days},
    }


def list_rows(found: Economy) -> list[tuple[str, str]]:
    """What is printed for people: a line each."""
    result, spent, figures = found.break_even, found.spending, found.figures
    rows = [("a wrong answer costs", _money(figures.wrong, figures)), ("break-even at", f"{result.needed:.1%} right")]
    if result.share is not None and result.value is not None and result.source:
        interval = f"95 % interval {result.low:.1%} to {result.high:.1%}"
        rows.append(("now", f"{result.share:.1%} of {result.count} {JUDGED_BY[result.source]} ({interval})"))
        rows.append(("an answer is worth", _money(result.value, figures)))
    cost = "" if spent.cost is None else f", {_money(spent.cost, figures)}"
    hours = say_duration(spent.hours * 3600, "en")
    rows.append((f"training, {found.days} days", f"{spent.nights} nights, {hours}{cost}"))
    rows.append(("improvements served", str(spent.accepted)))
    if spent.cost_each is not None:
        rows.append(("each of them cost", _money(spent.cost_each, figures)))
    if spent.returned is not None and spent.returned_low is not None and spent.returned_high is not None:
        low, high = _money(spent.returned_low, figures), _money(spent.returned_high, figures)
        rows.append(("an hour returned so far", f"{_money(spent.returned, figures)} ({low} to {high})"))
    return rows


def _say_more(result: BreakEven) -> str:
    return f" Some {result.more} more judged answers would tell." if result.more else ""


def _money(amount: float, figures: Figures) -> str:
    return f"{figures.currency} {amount:,.2f}"
