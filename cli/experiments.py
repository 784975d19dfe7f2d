"""`nightbake experiments`: what was tried, and whether it helped."""

from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from cli.ask import local_person
from cli.house import open_house
from cli.output import AT_MOST, ROW_ID, command, console, emit, escape, json_option, read_settings
from core.audit import record_act
from core.text import clean_text
from learning.advice.experiments import Experiment, Experiments

LONGEST = 500


@click.group()
def experiments() -> None:
    """Open, list and end experiments: a change, questions before and after it, and what it cost.

    Each is measured again by the next exam of golden questions and the next `nightbake advice`, and told in the
    night's report until it is closed or dropped.
    """


@experiments.command(name="open")
@click.argument("hypothesis")
@click.option("--change", required=True, help="What is changed.")
@click.option("--cost", type=click.FloatRange(0), default=0.0, show_default=True, help="In the figures' currency.")
@json_option
@command
async def open_experiment(hypothesis: str, change: str, cost: float, as_json: bool) -> None:
    """Open one of your own, against all questions that failed in the last `nightbake advice`.

    `nightbake advice --adopt` opens the recommended one.
    """
    settings = read_settings()
    words = [clean_text(text).strip()[:LONGEST] for text in (hypothesis, change)]
    if not all(words):
        raise click.UsageError("expected a hypothesis and a change, got an empty one")
    async with open_house(settings) as house:
        opened = await Experiments(house.database).open(
            hypothesis=dict.fromkeys(("en", "ko"), words[0]),
            change=dict.fromkeys(("en", "ko"), words[1]),
            by=local_person(),
            cost={"price": cost, "currency": settings.currency},
        )
    if as_json:
        emit({"experiment": opened})
    else:
        console.print(f"experiment {opened} is open")


@experiments.command(name="list")
@click.option("--limit", default=20, show_default=True, type=AT_MOST, help="How many, newest first.")
@json_option
@command
async def list_experiments(limit: int, as_json: bool) -> None:
    """List experiments, newest first.

    Open ones are measured by what was asked since: exams of what is served, and rounds of `nightbake advice`.
    """
    async with open_house(read_settings()) as house:
        await Experiments(house.database).measure(adapter=await house.choose_adapter(None))
        found = await Experiments(house.database).find_all(limit=limit)
    if as_json:
        emit({"experiments": [asdict(one) for one in found]})
        return
    table = Table("experiment", "state", "change", "before", "after", box=None, header_style="dim")
    for one in found:
        table.add_row(str(one.id), one.state, escape(one.change["en"]), _say_before(one), _say_after(one))
    console.print(table if found else "no experiments yet; `nightbake advice --adopt` opens one")


@experiments.command()
@click.argument("experiment_id", type=ROW_ID)
@json_option
@command
async def close(experiment_id: int, as_json: bool) -> None:
    """Close one, whose change stays.

    It is measured once more, and the next report tells it for the last time.
    """
    await _end(experiment_id, "closed", as_json=as_json)


@experiments.command()
@click.argument("experiment_id", type=ROW_ID)
@json_option
@command
async def drop(experiment_id: int, as_json: bool) -> None:
    """Drop one, whose change was taken back or never made.

    What was measured stays: that something did not help is a result too.
    """
    await _end(experiment_id, "dropped", as_json=as_json)


async def _end(experiment_id: int, state: Any, *, as_json: bool) -> None:
    async with open_house(read_settings()) as house:
        await Experiments(house.database).measure(adapter=await house.choose_adapter(None))
        await Experiments(house.database).end(experiment_id, state)
        await record_act(house.database, actor=local_person(), act=f"{state} experiment", subject=str(experiment_id))
    if as_json:
        emit({"experiment": experiment_id, "state": state})
    else:
        console.print(f"experiment {experiment_id} is {state}")


def _say_before(one: Experiment) -> str:
    return f"{one.before['right']} of {one.before['asked']} right"


def _say_after(one: Experiment) -> str:
    if not one.after:
        return "not measured yet"
    after = one.after
    mended = f"mended {after['mended']} of {after['targets']}, broke {after['broken']}"
    return f"{after['right']} of {after['asked']} right; {mended}"
