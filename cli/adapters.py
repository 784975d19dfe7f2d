"""`nightbake adapters`: what was trained, what is served, and the way back."""

from dataclasses import asdict

import click
from rich.table import Table

from cli.ask import local_person
from cli.house import open_house
from cli.output import command, console, emit, escape, json_option, read_settings, say
from core.adapters import Adapter
from core.errors import ModelServerError
from core.forgetting import BASE
from learning.audiences import Audiences


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def adapters(context: click.Context, as_json: bool) -> None:
    """List adapters; `promote` one, or `rollback` to what was served before.

    With each stand its state and why it has it; the one in service is active.
    """
    if context.invoked_subcommand is None:
        show(as_json)


@command
async def show(as_json: bool) -> None:
    """Every adapter, newest first, with its state."""
    async with open_house(read_settings()) as house:
        found = await house.adapters.find_all()
        switches = await house.adapters.find_switches(limit=10)
    if as_json:
        emit({"adapters": [asdict(adapter) for adapter in found], "switches": switches})
        return
    table = Table("adapter", "state", "trained", "why", box=None, header_style="dim")
    for adapter in found:
        table.add_row(
            adapter.name, _state(adapter), f"{adapter.created_at:%Y-%m-%d %H:%M}", escape(adapter.reason or "")
        )
    console.print(table if found else "no adapter yet: the base model answers; `nightbake night` trains one from votes")
    if found and not any(adapter.state == "active" for adapter in found):
        console.print("the base model answers")


@adapters.command()
@click.argument("name")
@click.option(
    "--share", type=click.FloatRange(0, 1, True, True), help="Only this share of the conversations, on trial."
)
@click.option("--reason", default="promoted by hand", show_default=True, help="For the history.")
@json_option
@command
async def promote(name: str, share: float | None, reason: str, as_json: bool) -> None:
    """Serve the adapter NAME from the next question on; `base` is the model without an adapter.

    With --share only that part of the conversations gets it, beside what is served: the votes on its answers take it
    back where they are bad, and after NIGHT_TRIAL_HOURS it serves everybody.

    It is loaded first: where the model server refuses it, nothing is switched. Answers under way end as they began.
    """
    async with open_house(read_settings()) as house:
        if name != BASE and not await house.model_server.is_healthy():
            raise ModelServerError(
                "the model server is away, so the adapter cannot be loaded; start `nightbake up` first"
            )
        chosen = None if name == BASE else name
        if chosen and share:
            await house.serving.try_out(chosen, share=share, by=local_person(), reason=reason)
            active = await house.adapters.find_active()
            _say_serving(
                active.name if active else None, as_json=as_json, trial=f"{chosen} for {share:.0%} of the conversations"
            )
            return
        await house.serving.promote(chosen, by=local_person(), reason=reason)
    _say_serving(chosen, as_json=as_json)


@adapters.command()
@click.option("--audience", default="night", help="Of this audience only.  [default: everyone]", show_default=False)
@json_option
@command
async def rollback(audience: str, as_json: bool) -> None:
    """Serve again what was served before the last switch.

    A second rollback takes back the first: it is a switch like any other.
    """
    async with open_house(read_settings()) as house:
        chosen = await Audiences(house.database).get(audience)
        previous = await house.serving.roll_back(by=local_person(), audience=chosen.principal)
    _say_serving(previous, as_json=as_json)


@adapters.group(invoke_without_command=True)
@json_option
@click.pass_context
def audiences(context: click.Context, as_json: bool) -> None:
    """List who has an adapter of their own; `add` an audience, or `remove` one.

    An audience is a group. Its nights also learn from what only the group may read, and its adapter answers only where
    everyone who sees the answer belongs to the group.
    """
    if context.invoked_subcommand is None:
        show_audiences(as_json)


@command
async def show_audiences(as_json: bool) -> None:
    """Everyone first, then the others by name, each with what answers it."""
    async with open_house(read_settings()) as house:
        found = await Audiences(house.database).find_all()
        active = [await house.adapters.find_active(audience.principal) for audience in found]
    names = [adapter.name if adapter else None for adapter in active]
    if as_json:
        emit({"audiences": [asdict(one) | {"adapter": name} for one, name in zip(found, names, strict=True)]})
        return
    table = Table("audience", "who", "answered by", box=None, header_style="dim")
    for one, name in zip(found, names, strict=True):
        table.add_row(one.name, escape(one.principal), name or "the base model")
    console.print(table)


@audiences.command()
@click.argument("name")
@click.argument("principal")
@json_option
@command
async def add(name: str, principal: str, as_json: bool) -> None:
    """Give the group PRINCIPAL, such as group:hr, an adapter of its own from the next night on.

    Its adapters are called NAME, a date and a hash. The model server holds one adapter more for it at any time.
    """
    async with open_house(read_settings()) as house:
        await Audiences(house.database).add(name, principal)
    if as_json:
        emit({"name": name, "principal": principal})
    say(f"nights train an adapter for {escape(principal)} too", quiet=as_json)


@audiences.command()
@click.argument("name")
@json_option
@command
async def remove(name: str, as_json: bool) -> None:
    """Let everyone's adapter answer the audience NAME from the next question on.

    Its adapters stay in the list, and `add` gives the group one again with the next night.
    """
    async with open_house(read_settings()) as house:
        await Audiences(house.database).remove(name)
    if as_json:
        emit({"removed": name})
    say(f"everyone's adapter answers {escape(name)}", quiet=as_json)


def _say_serving(name: str | None, *, as_json: bool, trial: str | None = None) -> None:
    if as_json:
        emit({"serving": name} | ({"trial": trial} if trial else {}))
    say(f"serving {name or 'the base model'}{f', on trial {trial}' if trial else ''}", quiet=as_json)


def _state(adapter: Adapter) -> str:
    return f"[green]{adapter.state}[/]" if adapter.state == "active" else adapter.state
