"""The processes that the benchmark of faults starts, kills and starts again: replicas, schedulers, a model server.

They are forked from one that has imported everything, so that a start takes a fraction of a second. A replica is
`bot.app.Bot` as `nightbake up` builds it; only its search is one made passage for each question. Leases and pauses are
a tenth of the real ones, so that a run takes seconds.
"""

import asyncio
import contextlib
import ctypes
import datetime
import os
import re
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web
from botframework.connector.auth import AppCredentials
from pydantic import SecretStr

import bot.inbox
import bot.teams.side
import bot.worker
from bot.answer import Answerer
from bot.app import Bot
from bot.compose import Composer, Limits
from bot.inbox import Event, Inbox, Receipt
from bot.slack.history import History
from bot.stops import Stops
from bot.teams.clouds import CLOUDS
from core import embedded_model
from core.adapters import Adapters
from core.database import Database
from core.feedback import FeedbackLog
from core.forgetting import Forgetting
from core.gaps import Gaps
from core.interactions import Interactions
from core.model_server import ModelServer
from core.pools import open_pools
from core.records import Passage
from core.rests import Rests
from core.serving import Serving
from core.settings_loading import load_settings
from core.telemetry import configure_logging
from learning.night import NightSettings
from learning.nightly import run_night
from learning.runs import Runs
from learning.schedule import NightSchedule
from retrieval.access import Access
from retrieval.documents import Documents
from retrieval.examples import forget_examples
from retrieval.query import Found
from tests.fakes.model_server import FakeModelServer
from tests.fakes.model_server import build_app as build_model_app
from tests.fakes.slack import BOT_TOKEN
from tests.fakes.teams import APP_ID, TENANT
from tests.fakes.vllm import FakeVllm

SLACK_SECRET = "signing-secret-of-the-benchmark"
MODEL = embedded_model.MODEL_NAME
LEASE_SECONDS, PAUSE_SECONDS, PLATFORM_PAUSE_SECONDS = 3.0, 0.2, 0.05
# Of the document that every answer is from.
DOCUMENT_ID = 7
NUMBER = re.compile(r"K\d+")
WORD_SECONDS = 0.02
CONTEXT_TOKENS = 2048
# Until an answer is given up: a real model on a CPU answers eight people at once.
PATIENT_SECONDS, HASTY_SECONDS = 120.0, 20.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process finds the others.

    Attributes:
        home: state folder, which holds adapters and logs.
        clock_seconds: by which the process's own clock is wrong.
        plant: a bug to work with, by name; None works as it should.
        base_model: folder of what nights train; None where a run has no night.
        vllm_model: folder of what a real vLLM serves; None where a stand-in is the model server.
    """

    port: int
    database_url: str
    model_url: str
    slack_url: str
    openid_url: str
    home: Path
    clock_seconds: float = 0.0
    plant: str | None = None
    base_model: Path | None = None
    vllm_model: Path | None = None


def serve_replica(place: Place) -> None:
    """A replica of the bot until it is told to end."""
    _begin(place, "replica")
    _hurry()
    if place.plant == "ack-before-insert":
        _acknowledge_before_insert()
    uvloop.run(_until_told(_serve_bot(place)))


def serve_model(place: Place) -> None:
    """A model server on the place's port: with a real tiny model where nights train one, or a real vLLM."""
    _begin(place, "model-server")
    if place.vllm_model:
        os.setsid()
        command = embedded_model.build_command(place.vllm_model, place.port, CONTEXT_TOKENS)
        os.execve(command[0], command, {**os.environ, **embedded_model.ENVIRONMENT})
    fake = FakeVllm(place.base_model, MODEL) if place.base_model else _Clerk(model=MODEL, answers=answer)
    app = fake.build_app() if isinstance(fake, FakeVllm) else build_model_app(fake)
    asyncio.run(_until_told(_serve_app(app, place.port)))


def work_nights(place: Place) -> None:
    """A scheduler without a bot; ends when tonight's night is done, by whichever of them."""
    _begin(place, "scheduler")
    uvloop.run(_work_nights(place))


def answer(messages: Sequence[dict[str, str]]) -> str:
    """What the model says to a question: what the passage says, with the question's number."""
    (*_, number) = NUMBER.findall(messages[-1]["content"])
    return f"{say_leave(number)} [1]"


def say_leave(number: str) -> str:
    """The one sentence of the passage that answers a question."""
    return f"In case {number} employees have 23 days of annual leave."


class OnePassage:
    """A search that takes no time: a passage about each question's number."""

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> Found:
        """The passage, for whoever may read it."""
        (*_, number) = NUMBER.findall(question)
        text = say_leave(number)
        passage = Passage(
            1, 7, DOCUMENT_ID, 1, "Leave policy", "Annual leave", "leave.md", 3, 0, len(text), text, "en",
            0.9, 0.8, 4.0, ["everyone"],
        )  # fmt: skip
        return Found([passage] if "everyone" in principals else [], question, [])


class _Clerk(FakeModelServer):
    """Answers each request by itself, a word at a time, whatever else is asked meanwhile."""

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body["model"] not in (self.model, *self.adapters):
            missing = {"message": f"The model `{body['model']}` does not exist.", "code": 404}
            return web.json_response({"error": missing}, status=404)
        await asyncio.sleep(WORD_SECONDS)
        self.requests = [body]
        return await self._stream(request, self.pieces(), self.count_prompt())


class _FixedToken(AppCredentials):
    """A token in place of one from the login server, which takes only HTTPS."""

    def get_access_token(self, force_refresh: bool = False) -> str:
        return "outbound-token"


def _begin(place: Place, name: str) -> None:
    """Log to the run's folder, end with the benchmark, and forget what the caller's shell says."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for setting in [key for key in os.environ if key.startswith(("SLACK_", "TEAMS_", "DATABASE_", "MODEL_"))]:
        del os.environ[setting]
    logs = place.home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    output = os.open(logs / f"{name}-{place.port}.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    configure_logging(level="INFO", file=logs / f"{name}-{place.port}.log")
    if place.clock_seconds:
        _set_clock(place.clock_seconds)


def _set_clock(seconds: float) -> None:
    """Set what Python's `time.time` says in this process, and not its monotonic clock, as a jump does.

    `datetime.now` asks the kernel itself, and so tells the true time.
    """
    now = time.time
    time.time = lambda: now() + seconds


def _hurry() -> None:
    bot.inbox.LEASE_SECONDS = bot.worker.LEASE_SECONDS = LEASE_SECONDS
    bot.worker.PAUSE_SECONDS = PAUSE_SECONDS
    for part, name in ((bot.teams.side.TeamsSide, "pause_seconds"), (History, "pause_seconds")):
        part.__init__.__kwdefaults__[name] = PLATFORM_PAUSE_SECONDS


def _acknowledge_before_insert() -> None:
    """The planted bug: what an event is told comes before the event is stored."""
    store, tasks = Inbox.receive, set[asyncio.Task[Receipt]]()

    async def receive(self: Inbox, event: Event) -> Receipt:
        if event.platform == "web":
            return await store(self, event)
        task = asyncio.create_task(store(self, event))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return Receipt(0, True)

    Inbox.receive = receive


async def _serve_bot(place: Place) -> None:
    CLOUDS["public"] = replace(CLOUDS["public"], openid_url=place.openid_url)
    bot.teams.side.build_credentials = lambda app_id, *_: _FixedToken(app_id)
    settings = load_settings(
        port=place.port,
        metrics_port=0,
        nightbake_home=place.home,
        worker_concurrency=8,
        slack_api_url=place.slack_url,
        slack_bot_token=SecretStr(BOT_TOKEN),
        slack_signing_secret=SecretStr(SLACK_SECRET),
        teams_app_id=APP_ID,
        teams_app_password=SecretStr("unused"),
        teams_tenant_id=TENANT,
    )
    patience = PATIENT_SECONDS if place.vllm_model else HASTY_SECONDS
    model_server = ModelServer(place.model_url, MODEL, timeout_seconds=patience, stall_seconds=patience / 4)
    async with open_pools(place.database_url, size=settings.database_connections) as pools:
        database, adapters, interactions = pools.bot, Adapters(pools.console), Interactions(pools.bot)
        serving = Serving(adapters=adapters, model_server=model_server)
        restore = Serving(adapters=Adapters(database), model_server=model_server).restore
        service = Bot(
            settings=settings,
            database=database,
            console=pools.console,
            interactions=interactions,
            feedback=FeedbackLog(database),
            adapters=adapters,
            serving=serving,
            forgetting=Forgetting(
                database=pools.console,
                adapters=adapters,
                serving=serving,
                model_server=model_server,
                home=place.home,
                unlearn=forget_examples,
            ),
            answerer=Answerer(
                interactions=interactions,
                search=OnePassage(),
                gaps=Gaps(database),
                stops=Stops(database),
                composer=Composer(model_server, Limits(), restore=restore, is_resting=Rests(database).is_resting),
                base_url=settings.base_url,
            ),
            places=Documents(database),
            find_principals=Access(database, pools.index).find_principals,
            run_night=None,
            model_server=model_server,
        )
        async with service:
            await asyncio.Event().wait()


async def _serve_app(app: web.Application, port: int) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """In good order, also in the middle of a start."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _work_nights(place: Place) -> None:
    model_server = ModelServer(place.model_url, MODEL, timeout_seconds=30)
    # As in tests/journeys/test_killed_nights.py: what makes a random model of two layers better, and says so.
    settings = NightSettings(
        str(place.base_model),
        min_held_out=5,
        learning_rate=0.01,
        rank=4,
        answers=4,
        regenerate=0,
        groundedness_margin=0.9,
        threads=1,
    )
    async with Database(place.database_url, role="nightbake_night") as database:
        runs = Runs(database)
        parts: dict[str, Any] = {"database": database, "model_server": model_server, "home": place.home}

        async def begin(night: datetime.date) -> None:
            await run_night(**parts, settings=settings, night=night)

        schedule = NightSchedule(night_time="00:00", time_zone="UTC", begin=begin, has_night=runs.has_night)
        await _repeat(schedule.turn, until=lambda: runs.has_night(schedule.find_due_night(datetime.datetime.now(UTC))))
    await model_server.close()


async def _repeat(turn: Callable[[], Awaitable[None]], *, until: Callable[[], Awaitable[bool]]) -> None:
    while not await until():
        await turn()
        await asyncio.sleep(PAUSE_SECONDS)
