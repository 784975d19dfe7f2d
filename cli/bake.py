"""`nightbake bake`: the standing prompt into the weights, so that no answer pays for reading it."""

from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from cli.ask import local_person
from cli.house import open_house
from cli.night import bake_here
from cli.output import EXIT_FAILED, command, console, emit, json_option, read_settings, say
from core.durations import say_duration
from learning.baking import BakeResult


@click.command()
@click.option("--promote", is_flag=True, help="Serve it where the gate lets it.  [default: it waits as a candidate]")
@click.option("--again", is_flag=True, help="Also where what is served has today's prompt baked in already.")
@json_option
@command
async def bake(promote: bool, again: bool, as_json: bool) -> None:
    """Bake the standing prompt and its style rules into an adapter, on top of what is served.

    Questions and passages are the exercises that may be trained on. The security rules stay in the prompt. Where the
    standing prompt changes with a new version, the bot sends it in full again until it is baked anew. Exit code 1
    means that the gate refused.
    """
    async with open_house(read_settings()) as house:
        active = await house.adapters.find_active()
        if active and active.is_baked and not again:
            if as_json:
                emit({"adapter": active.name, "verdict": None, "reason": "baked_already", "promoted": False})
            say(f"{active.name} is served and has today's prompt baked in; --again bakes anew", quiet=as_json)
            return
        async with house.model_running(quiet=as_json):
            result = await bake_here(house, by=local_person(), promote=promote, quiet=as_json)
    if as_json:
        emit(asdict(result))
    else:
        _say_result(result)
    if result.verdict == "refuse":
        raise SystemExit(EXIT_FAILED)


def _say_result(result: BakeResult) -> None:
    table = Table("check", "found", "limit", box=None, header_style="dim")
    for check in result.checks:
        table.add_row(check["name"], _say_number(check["value"]), _say_number(check["limit"]))
    console.print(table)
    kept = "served now" if result.promoted else "not served"
    console.print(
        f"{result.adapter}: [bold]{result.verdict}[/] ({result.reason}), {kept}\n"
        f"  baked on {result.questions} questions, measured on {result.held_out} of other documents, in "
        f"{say_duration(sum(result.seconds.values()), 'en')}\n"
        f"  {result.baked['tokens_saved']:.0f} tokens of each prompt saved"
    )
    if result.verdict != "refuse" and not result.promoted:
        console.print(f"  to serve it: nightbake adapters promote {result.adapter}")


def _say_number(value: Any) -> str:
    return "-" if value is None else f"{value:.3g}"
