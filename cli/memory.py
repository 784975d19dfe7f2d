"""`nightbake memory`: which corrections and likes stand in prompts, what that takes, and how to take one out."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import click
from rich.table import Table

from cli.ask import local_person
from cli.house import open_house
from cli.output import AT_MOST, ROW_ID, command, console, emit, escape, json_option, read_settings, say
from learning.remembered import MemoryCounts, count_memory
from retrieval.memories import Memories, State

STATES: tuple[State, ...] = get_args(State)


@click.group()
def memory() -> None:
    """Show what stands in prompts of what people corrected or liked, before a night has learnt it.

    A memory has the number of its answer. It stands in the prompt of near questions, for those who may read the
    documents of its answer, until the adapter that answers has learnt it.
    """


@memory.command(name="list")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--limit", default=20, show_default=True, type=AT_MOST, help="How many, newest answers first.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 36_500), help="To sum up the tokens of.")
@json_option
@command
async def list_memories(state: State | None, limit: int, days: int, as_json: bool) -> None:
    """List memories with their state, and the tokens that they took and that nights spared.

    standing: used; waiting: a newcomer's word; stale: a document changed, went, or is for others now; withdrawn: no
    vote stands behind it; removed: by an administrator. What the served adapter has learnt is marked.
    """
    async with open_house(read_settings()) as house:
        found = await Memories(house.database).find_all(state=state, limit=limit)
        now = datetime.now(UTC)
        adapter = await house.choose_adapter(None)
        counts = await count_memory(house.database, since=now - timedelta(days=days), until=now, adapter=adapter)
    if as_json:
        emit({"memories": found, "days": days, **asdict(counts)})
        return
    table = Table("memory", "state", "by", "used", "tokens", "question", "answer", box=None, header_style="dim")
    for one in found:
        texts = (escape(one["question"]), escape(one["answer"]))
        table.add_row(str(one["id"]), _say_state(one), one["kind"], str(one["uses"]), str(one["tokens"]), *texts)
    console.print(table if found else "nothing is remembered yet")
    console.print(_say_counts(counts, days))


@memory.command()
@click.argument("memory_id", type=ROW_ID)
@json_option
@command
async def show(memory_id: int, as_json: bool) -> None:
    """Say all that is known of one memory: its documents, and the answers that it stood in the prompt of.

    Everybody's question is shown, whoever may read its documents: it is for administrators.
    """
    async with open_house(read_settings()) as house:
        found = await Memories(house.database).get(memory_id)
    if as_json:
        emit(dict(found))
        return
    console.print(f"[bold]{escape(found['question'])}[/]\n{escape(found['answer'])}")
    console.print(f"{_say_state(found)}, {found['kind']}, {found['tokens']} tokens, used {found['uses']} times")
    for document in found["documents"]:
        named = escape(document["path"] or f"document {document['document_id']}")
        console.print(f"  {named}{'' if document['is_unchanged'] else ' [yellow]changed[/]'}")
    for used in found["used_in"]:
        console.print(f"  answer {used['id']}: {escape(used['question'])}")


@memory.command()
@click.argument("memory_id", type=ROW_ID)
@json_option
@command
async def remove(memory_id: int, as_json: bool) -> None:
    """Take a memory out of prompts, from the next question on and for good.

    Its votes stay, and nights learn from them; `nightbake pairs` and the console say what they make of them.
    """
    async with open_house(read_settings()) as house:
        await Memories(house.database).remove(memory_id, by=local_person())
    if as_json:
        emit({"removed": memory_id})
    say(f"memory {memory_id} is removed", quiet=as_json)


def _say_state(one: Any) -> str:
    if one["state"] == "standing" and one["is_learnt"]:
        return "standing, learnt"
    return one["state"]


def _say_counts(counts: MemoryCounts, days: int) -> str:
    stand = f"{counts.standing} stand, of which the served adapter has learnt {counts.learnt}"
    took = f"in {days} days they took {counts.spent_tokens:,} tokens in {counts.answers} answers"
    return f"{stand}; {took}, and adapters that had learnt them spared {counts.spared_tokens:,}"
