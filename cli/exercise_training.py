"""`nightbake exercises train`: a first adapter of exercises, by the same stages as a night's."""

from dataclasses import asdict

import click

from cli.ask import local_person
from cli.house import open_house
from cli.night import run_here, say_result
from cli.output import EXIT_FAILED, command, emit, json_option, read_settings


@click.command()
@click.option("--force", is_flag=True, help="With fewer held-out items than NIGHT_MIN_PAIRS; the gate stays strict.")
@json_option
@command
async def train(force: bool, as_json: bool) -> None:
    """Train an adapter on the exercises that people or the checks let through.

    Half of what it reads are general chats, so that it forgets nothing. What a quarter of the documents answers is held
    out. Then as in a night: the served proof, the examination, the gate, a report. Later nights go on from the adapter
    once it was served. Exit code 1 means that it failed; one that was refused is a report, not an error.
    """
    async with open_house(read_settings()) as house, house.model_running(quiet=as_json):
        result = await run_here(house, requested_by=local_person(), kind="exercises", force=force, quiet=as_json)
    if as_json:
        emit(asdict(result))
    else:
        say_result(result)
    if result.state == "failed":
        raise SystemExit(EXIT_FAILED)
