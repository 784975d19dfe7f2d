"""`nightbake night` and `nightbake report`: run the night now, and read what a night did and why."""

import logging
from dataclasses import asdict, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cli.ask import local_person
from cli.exam import count_right, examine_for_report, find_known
from cli.house import House, open_house
from cli.output import (
    EXIT_FAILED,
    ROW_ID,
    command,
    console,
    emit,
    escape,
    json_option,
    notes,
    open_for_writing,
    read_settings,
    say,
)
from cli.progress import LINE_SECONDS, ProgressLines
from core.durations import say_duration
from core.errors import NightbakeError, NotFoundError
from core.pauses import Pauses
from learning.baking import BakeResult, Baking
from learning.exercise_night import find_lessons_for
from learning.night import NightResult, NightSettings
from learning.nightly import run_night
from learning.permission import EVERYONE
from learning.runs import Kind, Runs
from retrieval.learned_order import train_order

log = logging.getLogger(__name__)

STAGES = {
    "collect": "collecting votes and building pairs",
    "train": "training an adapter",
    "serve": "loading the candidate and proving what is served",
    "evaluate": "answering held-out questions with base, live and candidate",
    "gate": "deciding",
    "switch": "switching",
    "report": "writing the report",
}


@click.command()
@click.option("--force", is_flag=True, help="Train on fewer pairs than NIGHT_MIN_PAIRS; the gate stays as strict.")
@click.option("--pause/--resume", "paused", default=None, help="Run none now; stop, or let nights run by schedule.")
@json_option
@command
async def night(force: bool, paused: bool | None, as_json: bool) -> None:
    """Turn the votes so far into an adapter now, instead of waiting for tonight.

    Exit code 1 means that the night failed; a night that was skipped or refused is a report, not an error. While
    nights are paused one that is run by hand switches nothing by itself.
    """
    if paused is not None:
        await _set_paused(paused, as_json=as_json)
        return
    async with open_house(read_settings()) as house, house.model_running(quiet=as_json):
        result = await run_here(house, requested_by=local_person(), force=force, quiet=as_json)
    if as_json:
        emit(asdict(result))
    else:
        say_result(result)
    if result.state == "failed":
        raise SystemExit(EXIT_FAILED)


async def _set_paused(paused: bool, *, as_json: bool) -> None:
    async with open_house(read_settings()) as house:
        changed = await Pauses(house.database).set(paused, by=local_person())
    if as_json:
        emit({"paused": paused, "changed": changed})
    word = "paused" if paused else "running by schedule"
    say(f"nights are {word}{'' if changed else ' already'}", quiet=as_json)


async def run_here(
    house: House,
    *,
    requested_by: str,
    night: date | None = None,
    kind: Kind = "night",
    force: bool = False,
    quiet: bool = False,
) -> NightResult:
    """One night in this process, with its progress shown."""
    await prepare_base(house)
    with NightProgress(quiet=quiet) as shown:
        result = await run_night(
            database=house.pools.night,
            model_server=house.model_server,
            home=house.home,
            settings=await read_night(house),
            progress=shown.show,
            requested_by=requested_by,
            night=night,
            kind=kind,
            force=force,
            examine=partial(examine_for_report, house),
            ask_golden=partial(count_right, house),
        )
    await _bake_again(house, quiet=quiet)
    await _learn_order(house)
    return result


async def bake_here(house: House, *, by: str, promote: bool, quiet: bool = False) -> BakeResult:
    """One bake in this process, with its progress shown; the model server runs.

    Raises:
        InvalidInputError: too few exercises with passages.
    """
    await prepare_base(house)
    settings = await read_night(house)
    found = await find_lessons_for(house.pools.night, settings.exercises, EVERYONE)
    parts: dict[str, Any] = {"database": house.pools.night, "model_server": house.model_server, "home": house.home}
    with NightProgress(quiet=quiet) as shown:
        baking = Baking(**parts, settings=settings, progress=shown.show)
        return await baking.bake(found.lessons, by=by, promote=promote)


async def _bake_again(house: House, *, quiet: bool) -> None:
    """Bake what is served, where settings want it and it lacks today's prompt; that it fails is no night's fault."""
    active = await house.adapters.find_active()
    if not house.settings.night_bake or active is None or active.is_baked:
        return
    promote = house.settings.night_promote == "auto" and not await Pauses(house.pools.night).is_paused()
    try:
        await bake_here(house, by="nightbake", promote=promote, quiet=quiet)
    except NightbakeError as error:
        log.warning("the standing prompt was not baked in", extra={"error": str(error)})


async def _learn_order(house: House) -> None:
    """The search's light reranker, trained on the votes so far; that it fails is no fault of the night."""
    try:
        await train_order(house.pools.index, await house.search.active.find_embedder())
    except Exception:
        log.exception("the order of passages could not be learnt")


async def read_night(house: House) -> NightSettings:
    """The night's settings, with the golden questions that nothing near is trained on."""
    settings, known = house.read_night_settings(), await find_known(house, with_sample=True)
    held = tuple((one.question, one.answer) for one in known)
    return replace(settings, exercises=replace(settings.exercises, held=held))


async def prepare_base(house: House) -> None:
    """The embedded model's folder, where that is what is trained."""
    if house.is_embedded_model:
        await house.prepare_model()


class NightProgress:
    """A line a stage, and while something is counted a bar, or lines where there is no terminal."""

    def __init__(self, *, quiet: bool, line_seconds: float = LINE_SECONDS) -> None:
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=notes, disable=quiet or not notes.is_terminal, transient=True)
        self._task = self._bar.add_task("", total=None, visible=False, note="")
        self._lines = ProgressLines(quiet=quiet, line_seconds=line_seconds)
        self._quiet = quiet

    def __enter__(self) -> "NightProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    async def show(self, event: dict[str, Any]) -> None:
        """One event of the night."""
        match event["event"]:
            case "stage":
                self._bar.update(self._task, visible=False)
                say(f"• {STAGES[event['stage']]}", quiet=self._quiet)
            case "collected":
                say(f"  {event.get('votes', 0)} votes, {event.get('pairs', 0)} pairs", quiet=self._quiet)
            case "step":
                self._count("training", event["step"], event["steps"], f"loss {event['loss']:.3f}")
            case "taught":
                self._count("answering with the standing prompt", event["question"], event["questions"], "")
            case "scored":
                self._count("scoring held-out pairs", event["pair"], event["pairs"], "")
            case "answered":
                self._count("answering again", event["prompt"], event["prompts"], "")
            case "decided":
                say(f"  gate: {event['verdict']} ({event['reason']})", quiet=self._quiet)
            case _:
                return

    def _count(self, what: str, done: int, total: int, note: str) -> None:
        self._bar.update(self._task, description=what, completed=done, total=total, note=note, visible=True)
        self._lines.tell(f"  {what}", done, total)


def say_result(result: NightResult) -> None:
    """What a night brought, in words."""
    console.print(
        f"night of {result.night}: [bold]{result.state}[/] ({result.reason})\n"
        f"  votes {result.votes}, pairs {result.pairs}, trained {result.trained}, held out {result.held_out}\n"
        f"  gate {result.verdict or '-'}, adapter {result.adapter or '-'}, "
        f"served now: {'yes' if result.switched else 'no'}\n"
        f"  {say_duration(result.seconds, 'en')}; `nightbake report` shows why"
    )
    if result.adapter and result.verdict == "abstain":
        console.print(f"  to serve it all the same: nightbake adapters promote {result.adapter}")


@click.command()
@click.argument("run_id", type=ROW_ID, required=False)
@click.option(
    "--language", type=click.Choice(["en", "ko"]), default="en", show_default=True, help="Language of the report."
)
@click.option(
    "--html", "html_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the page to this file."
)
@json_option
@command
async def report(run_id: int | None, language: str, html_file: Path | None, as_json: bool) -> None:
    """Show the report of a night, the latest where RUN_ID is left out.

    --html writes the page with its plots to a file; the page needs nothing else and asks nothing of the network.
    """
    async with open_house(read_settings()) as house:
        runs = Runs(house.database)
        run = await runs.get(run_id or await _latest(runs))
        found = await runs.get_report(run.id, language)
    if html_file:
        with open_for_writing(html_file) as page:
            page.write(found.html)
        say(f"written to {escape(str(html_file))}", quiet=as_json)
    if as_json:
        emit({**asdict(run), "markdown": found.markdown, "html": str(html_file) if html_file else None})
    elif not html_file:
        Console().print(Markdown(found.markdown))


async def _latest(runs: Runs) -> int:
    latest = await runs.find_latest(1)
    if not latest:
        raise NotFoundError("no night has been run yet; `nightbake night` runs one now")
    return latest[0].id
