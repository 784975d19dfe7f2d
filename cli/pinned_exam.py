"""`nightbake exam`: reviewed items pinned as an exam, listed, shown, and held."""

from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from cli.ask import local_person
from cli.exam_run import run
from cli.exam_tables import print_results
from cli.exam_ways import open_exercises
from cli.house import open_house
from cli.output import AT_MOST, ROW_ID, command, console, emit, escape, json_option, read_settings
from core.errors import NotFoundError
from core.exams import Exams
from learning.exams.pinned import USUAL_ITEMS, Pinned, PinnedExams, PinnedItem
from learning.exercises.four_choice import show_options

MOST_EXERCISES, MOST_RUNS = 10_000, 1000


@click.group()
def exam() -> None:
    """Pin reviewed items as an exam that never changes, and hold it.

    Items are made by `nightbake exercises make --kind four_choice --for exam` and accepted in `exercises review`.
    Nothing near a pinned item is ever trained on.
    """


@exam.command()
@click.option("--count", default=USUAL_ITEMS, show_default=True, type=AT_MOST, help="Items, as far as there are.")
@json_option
@command
async def pin(count: int, as_json: bool) -> None:
    """Pin accepted four-choice items as an exam.

    Its name is the hash of its items: the same items are the same exam. Of each document an item in turn, so that few
    documents do not stand for all. With few items the intervals of its scores are wide, and are told.
    """
    async with open_house(read_settings()) as house:
        found = await open_exercises(house).find(
            kind="four_choice", state="accepted", purpose="exam", limit=MOST_EXERCISES
        )
        pinned, is_new = await PinnedExams(house.database).pin(found, count=count, by=local_person())
        items = await PinnedExams(house.database).find_items(pinned.id)
    told = _sum_up(pinned) | {"is_new": is_new, "documents": len({one.group for one in items}), "accepted": len(found)}
    if as_json:
        emit(told)
        return
    console.print(f"{'pinned' if is_new else 'pinned before:'} {pinned.name}, {_count(pinned)}")
    console.print(f"of {told['documents']} documents; {len(found)} accepted items are there")
    console.print("next: `nightbake exam run`")


@exam.command("list")
@json_option
@command
async def list_(as_json: bool) -> None:
    """List pinned exams, the newest first.

    Items whose documents have gone or changed are counted apart: they are not asked any more.
    """
    async with open_house(read_settings()) as house:
        found = await PinnedExams(house.database).find_all()
    if as_json:
        emit({"exams": [_sum_up(one) for one in found]})
        return
    table = Table("exam", "items", "pinned", "by", box=None, header_style="dim")
    for one in found:
        table.add_row(one.name, _count(one), f"{one.pinned_at:%Y-%m-%d %H:%M}", escape(one.pinned_by))
    console.print(table if found else "no pinned exam; `nightbake exam pin` pins one")


@exam.command()
@click.argument("name", required=False)
@click.option("--as", "person", help="Only what this person may read.  [default: all]")
@json_option
@command
async def show(name: str | None, person: str | None, as_json: bool) -> None:
    """Show the items of an exam as they are asked.

    NAME is what `exam list` gives, or its beginning; the newest where it is left out. Items whose documents have gone
    or changed are not asked any more and are not shown.
    """
    async with open_house(read_settings()) as house:
        exams = PinnedExams(house.database)
        pinned = await exams.get(name)
        principals = await house.access.find_principals(person) if person else None
        items = await exams.find_items(pinned.id, principals=principals)
    if as_json:
        emit(_sum_up(pinned) | {"items": [asdict(one) for one in items]})
        return
    console.print(f"[bold]{pinned.name}[/]  {_count(pinned)}, pinned {pinned.pinned_at:%Y-%m-%d %H:%M}")
    for item in items:
        console.print(_show_item(item))


@exam.command()
@click.argument("number", required=False, type=ROW_ID)
@json_option
@command
async def results(number: int | None, as_json: bool) -> None:
    """Show again what a run measured.

    NUMBER is what `exam run` told; the newest where it is left out.
    """
    async with open_house(read_settings()) as house:
        found = await Exams(house.database).find_runs(limit=MOST_RUNS)
    chosen = next((one for one in found if number in (None, one.id)), None)
    if chosen is None:
        raise NotFoundError(f"no run {number or ''} among the last {MOST_RUNS}; `nightbake exam run` holds one")
    if as_json:
        emit({"run_id": chosen.id, "ran_at": chosen.ran_at, "ran_by": chosen.ran_by, **chosen.facts, **chosen.results})
        return
    console.print(f"[bold]run {chosen.id}[/]  {chosen.ran_at:%Y-%m-%d %H:%M}, {escape(chosen.ran_by)}")
    print_results(chosen.facts, chosen.results)


def _sum_up(pinned: Pinned) -> dict[str, Any]:
    return {"exam": pinned.name, **asdict(pinned), "gone": pinned.gone}


def _count(pinned: Pinned) -> str:
    gone = f", {pinned.gone} more left out: their documents have gone or changed" if pinned.gone else ""
    return f"{pinned.asked} items{gone}"


def _show_item(item: PinnedItem) -> str:
    titles = ", ".join(document["title"] for document in item.documents)
    options = escape(show_options(item.options))
    right = escape(item.options[item.right_option])
    return f"\n[dim]{item.place}  {escape(titles)}[/]\n{escape(item.question)}\n{options}\n[green]{right}[/]"


exam.add_command(run)
