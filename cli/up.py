"""`nightbake up`: everything started in the right order, shown step by step, and stopped together."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from typing import Protocol, TypeVar

import click

from bot.app import Bot
from bot.golden import choose_suggestions, load_golden
from bot.web.sessions import make_link
from bot.web.wording import SUGGESTIONS
from cli.embedding import describe_change
from cli.house import SAMPLE, House, open_house
from cli.ingest import ingest_with_progress
from cli.night import run_here
from cli.output import command, emit, escape, json_option, log_file, notes, read_settings, say
from cli.sources import build_sources
from core.adapters import Adapters
from core.errors import NightbakeError, ProcessError
from core.garbage import keep_what_is_built
from core.serving import Serving
from core.tracing import start_tracing, stop_tracing
from learning.night import read_figures
from learning.remember import Remembering
from learning.room import Room, wake_abandoned
from learning.runs import Runs
from learning.schedule import NightSchedule
from learning.trial import TrialWatch
from retrieval.documents import Documents
from retrieval.examples import Teaching
from retrieval.keep_up import KeepUp
from retrieval.memory import MemoryFilling
from retrieval.model_change import ModelChange
from retrieval.sources.folder import open_path
from retrieval.sources.source import Source

log = logging.getLogger(__name__)


class Service(Protocol):
    """What goes on until it is stopped."""

    async def start(self) -> None:
        """Begin."""
        ...

    async def stop(self) -> None:
        """End."""
        ...


AnyService = TypeVar("AnyService", bound=Service)


@click.command()
@click.option(
    "--only",
    type=click.Choice(["bot", "night"]),
    help="Only what people talk to, or only what reads sources, learns and runs the nights.",
)
@json_option
@command
async def up(only: str | None, as_json: bool) -> None:
    """Start everything and serve until Ctrl-C.

    Without settings it starts its own PostgreSQL, its own language model and a sample handbook, all in the state
    folder. With DATABASE_URL, MODEL_URL, SLACK_… and TEAMS_… it runs on real servers. While the model server
    starts, answers are quoted from the documents.

    Any number of processes may share a database: several with --only bot, and at least one with --only night. The
    embedded model server belongs to the one that people talk to.
    """
    settings = read_settings()
    configured = build_sources(settings)
    began = time.monotonic()
    stopped = _stop_on_signals()
    say(f"state in {escape(str(settings.nightbake_home))}, log in {escape(str(log_file(settings)))}", quiet=as_json)
    async with AsyncExitStack() as stack:
        if start_tracing():
            stack.push_async_callback(asyncio.to_thread, stop_tracing)
        async with _given_up_when(stopped):
            with _step("starting the database", quiet=as_json):
                house = await stack.enter_async_context(open_house(settings, wait_seconds=60))
            model = asyncio.create_task(_start_model(house, stack, is_ours=only != "night", quiet=as_json))
            stack.push_async_callback(_cancel, model)
            with _step("loading the embedding model", quiet=as_json):
                await house.search.warm_up()
            bot = None if only == "night" else await stack.enter_async_context(await _build_bot(house))
            schedule = None if only == "bot" else await _begin_nights(house, configured, stack, quiet=as_json)
            keep_what_is_built()
            await _announce(house, bot, schedule, seconds=time.monotonic() - began, as_json=as_json)
        await _wait(stopped, model)
        say("stopping…", quiet=as_json)


async def _begin_nights(house: House, configured: list[Source], stack: AsyncExitStack, *, quiet: bool) -> NightSchedule:
    """What goes on beside the answers: reading documents, learning, nights. Of several processes each does its part."""
    if folders := house.get_document_folders():
        await ingest_with_progress(house, folders, quiet=quiet)
    await _begin(_build_keep_up(house, configured), stack)
    change = await _begin(ModelChange(house.pools.index, house.search.active), stack)
    if change.is_running:
        say(f"{escape(await describe_change(house))}; `nightbake doctor` shows how far it is", quiet=quiet)
    await _begin(Teaching(house.pools.index), stack)
    await _begin(Remembering(house.pools.night), stack)
    await _begin(MemoryFilling(house.memory), stack)
    await _begin(_build_trial_watch(house), stack)
    return await _begin(_build_schedule(house), stack)


def _stop_on_signals() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


@asynccontextmanager
async def _given_up_when(stopped: asyncio.Event) -> AsyncGenerator[None]:
    """A start that nobody waits for any more is cancelled: it may wait a minute for a database."""
    starting = asyncio.current_task()
    assert starting

    async def give_up() -> None:
        await stopped.wait()
        starting.cancel()

    waiting = asyncio.create_task(give_up())
    try:
        yield
    finally:
        waiting.cancel()


@contextlib.contextmanager
def _step(what: str, *, quiet: bool):
    """Say what is being done, and how long it took."""
    began = time.monotonic()
    with notes.status(f"{what}…") if not quiet else contextlib.nullcontext():
        yield
    say(f"{what}: {time.monotonic() - began:.1f} s", quiet=quiet)


async def _start_model(house: House, stack: AsyncExitStack, *, is_ours: bool, quiet: bool) -> None:
    """The embedded model server, beside everything else; a server of one's own is only looked at.

    Args:
        is_ours: whether the embedded one is this process's to start.
    """
    began = time.monotonic()
    if house.is_embedded_model and not is_ours:
        return
    if not house.is_embedded_model:
        await _wake_abandoned(house)
        healthy = await house.model_server.is_healthy()
        say(f"model server at {house.model_server.url}: {'ready' if healthy else '[yellow]away[/]'}", quiet=quiet)
        if healthy:
            await house.serving.restore()
        return
    if await house.prepare_model():
        say(f"made the language model: {time.monotonic() - began:.1f} s", quiet=quiet)
    supervisor = house.build_supervisor()
    stack.push_async_callback(supervisor.stop)
    say("starting the model server (about a minute; answers are quoted until it is ready)", quiet=quiet)
    await supervisor.start()
    say(f"model server ready: {time.monotonic() - began:.1f} s", quiet=quiet)


async def _wake_abandoned(house: House) -> None:
    """A model that a killed night left at rest; where it does not come back, answers are quoted."""
    night = house.pools.night
    room = Room(night, house.serving, house.model_server, house.read_night_settings().room)
    try:
        await wake_abandoned(night, room)
    except NightbakeError as error:
        log.error("the model rests and cannot be woken", extra={"error": str(error)})


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _build_bot(house: House) -> Bot:
    async def run_night_now() -> None:
        await run_here(house, requested_by="console", quiet=True)

    return Bot(
        settings=house.settings,
        database=house.pools.bot,
        console=house.pools.console,
        interactions=house.interactions,
        feedback=house.feedback,
        adapters=house.adapters,
        serving=house.serving,
        answerer=house.answerer,
        places=Documents(house.pools.bot),
        find_principals=house.access.find_principals,
        run_night=run_night_now,
        model_server=house.model_server,
        forgetting=house.forgetting,
        suggestions=choose_suggestions(load_golden(SAMPLE / "golden.jsonl")) if house.has_sample else SUGGESTIONS,
    )


async def _begin(service: AnyService, stack: AsyncExitStack) -> AnyService:
    """Start a service, to be stopped with the rest."""
    await service.start()
    stack.push_async_callback(service.stop)
    return service


def _build_keep_up(house: House, configured: list[Source]) -> KeepUp:
    """Configured sources are read from now on, beside the answers; folders again after the interval."""
    folders = [open_path(folder) for folder in house.get_document_folders()]
    return KeepUp(
        house.pools.index,
        house.search.active,
        [*configured, *folders],
        at_once=configured,
        interval_seconds=house.settings.sources_interval_seconds,
    )


def _build_trial_watch(house: House) -> TrialWatch:
    settings = house.settings
    hours, figures = settings.night_trial_hours, read_figures(settings)
    serving = Serving(adapters=Adapters(house.pools.night), model_server=house.model_server)
    return TrialWatch(house.pools.night, serving, hours=hours, figures=figures)


def _build_schedule(house: House) -> NightSchedule:
    runs = Runs(house.pools.night)

    async def begin(night: date) -> None:
        await run_here(house, requested_by="schedule", night=night, quiet=True)

    async def has_night(night: date) -> bool:
        """A night before the first question has nothing to make up for."""
        return await runs.has_night(night) or not await house.interactions.exist()

    settings = house.settings
    return NightSchedule(
        night_time=settings.night_time, time_zone=settings.night_time_zone, begin=begin, has_night=has_night
    )


async def _announce(
    house: House, bot: Bot | None, schedule: NightSchedule | None, *, seconds: float, as_json: bool
) -> None:
    address = house.settings.base_url
    console_address = await make_link(house.database, address) if bot else None
    night = schedule.find_next() if schedule else None
    if as_json:
        told = {"chat": address, "console": console_address} if bot else {}
        emit({**told, "next_night": night, "seconds": round(seconds, 1)})
    pages = (
        f"  chat page      [link={address}]{address}[/]\n"
        f"  admin console  {console_address}\n"
        "                 opens once, within an hour; `nightbake console-link` prints another\n"
        f"  platforms      {', '.join(bot.platforms)}\n"
        if bot
        else ""
    )
    next_night = f"  next night     {night:%Y-%m-%d %H:%M %Z}\n" if night else ""
    say(
        f"\n[bold green]Nightbake is up[/] after {seconds:.0f} s\n{pages}{next_night}Ctrl-C stops it.\n",
        quiet=as_json,
    )


async def _wait(stopped: asyncio.Event, model: asyncio.Task[None]) -> None:
    """Until a signal comes; a model server that cannot start is said, and quotation goes on."""
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({waiting, model}, return_when=asyncio.FIRST_COMPLETED)
    if not stopped.is_set() and (error := model.exception()):
        log.error("the model server did not start", exc_info=error)
        advice = str(error) if isinstance(error, ProcessError) else f"{type(error).__name__}: {error}"
        say(f"[red]the model server did not start[/]; answers are quoted from the documents\n{escape(advice)}")
    await waiting
