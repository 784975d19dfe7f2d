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
@json_option
@command
async def rollback(as_json: bool) -> None:
    """Serve again what was served before the last switch.

    A second rollback takes back the first: it is a switch like any other.
    """
    async with open_house(read_settings()) as house:
        previous = await house.serving.roll_back(by=local_person())
    _say_serving(previous, as_json=as_json)


def _say_serving(name: str | None, *, as_json: bool, trial: str | None = None) -> None:
    if as_json:
        emit({"serving": name} | ({"trial": trial} if trial else {}))
    say(f"serving {name or 'the base model'}{f', on trial {trial}' if trial else ''}", quiet=as_json)


def _state(adapter: Adapter) -> str:
    return f"[green]{adapter.state}[/]" if adapter.state == "active" else adapter.state
