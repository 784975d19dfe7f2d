"""The processes that a benchmark of Slack's events sends them to: Nightbake's service, and a bare Bolt app.

Both print the address of their endpoint when they take events. The service is `bot.app.Bot` as `nightbake up` starts
it, with pages, inbox and workers; only its search is one fixed passage.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.instant_model_server import MODEL
from bot.answer import Answerer
from bot.app import Bot
from bot.compose import Composer, Limits
from bot.stops import Stops
from core.adapters import Adapters
from core.database import Database
from core.feedback import FeedbackLog
from core.forgetting import Forgetting
from core.gaps import Gaps
from core.interactions import Interactions
from core.model_server import ModelServer
from core.records import Passage
from core.serving import Serving
from core.settings import load_settings
from retrieval.access import Access
from retrieval.documents import Documents
from retrieval.examples import forget_examples
from retrieval.query import Found
from tests.fakes.slack import BOT_TOKEN
from tests.ports import find_free_port

SECRET = "signing-secret-of-the-benchmark"
PATH = "/slack/events"
READY_SECONDS = 60
TEXT = "Employees have 23 days of annual leave a year, and unused days move to the next year until March."
PASSAGE = Passage(
    1, 7, 1, 1, "Leave policy", "Annual leave", "leave.md", 3, 0, len(TEXT), TEXT, "en", 0.9, 0.8, 4.0, ["everyone"]
)


class OnePassage:
    """A search that takes no time."""

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> Found:
        """The passage, for whoever may read it."""
        return Found([PASSAGE] if "everyone" in principals else [], question, [])


class Service:
    """A process under a name; killed as a machine dies, and started again."""

    def __init__(self, *arguments: str) -> None:
        self._command = (sys.executable, __file__, *arguments)
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Start, and wait until it takes events."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise SystemExit("the service did not start; its error stands above")

    def kill(self) -> None:
        """End without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End in good order."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.wait()
            assert self._process.stdout
            self._process.stdout.close()
            self._process = None


async def run_nightbake(database_url: str, api_url: str, model_url: str) -> None:
    """Nightbake's service."""
    port = find_free_port()
    settings = load_settings(
        port=port,
        worker_concurrency=8,
        slack_api_url=api_url,
        slack_bot_token=SecretStr(BOT_TOKEN),
        slack_signing_secret=SecretStr(SECRET),
    )
    model_server = ModelServer(model_url, MODEL)
    async with Database(database_url) as database:
        adapters, interactions = Adapters(database), Interactions(database)
        answerer = Answerer(
            interactions=interactions,
            search=OnePassage(),
            gaps=Gaps(database),
            stops=Stops(database),
            composer=Composer(model_server, Limits()),
            base_url=settings.base_url,
        )
        serving = Serving(database=database, adapters=adapters, model_server=model_server)
        bot = Bot(
            settings=settings,
            database=database,
            interactions=interactions,
            feedback=FeedbackLog(database),
            adapters=adapters,
            serving=serving,
            forgetting=Forgetting(
                database=database,
                adapters=adapters,
                serving=serving,
                model_server=model_server,
                home=settings.nightbake_home.resolve(),
                unlearn=forget_examples,
            ),
            answerer=answerer,
            places=Documents(database),
            find_principals=Access(database).find_principals,
            admin_token="unused",
            run_night=None,
            model_server=model_server,
        )
        async with bot:
            print(f"{settings.base_url}{PATH}", flush=True)
            await _wait_for_the_end()
        await model_server.close()


async def run_bare_bolt() -> None:
    """The least that Bolt can do: check the signature, answer 200."""

    async def authorize(**_: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T0HOME", bot_token=BOT_TOKEN, bot_user_id="U0BOT")

    async def do_nothing() -> None:
        pass

    app = AsyncApp(signing_secret=SECRET, authorize=authorize)
    app.event("message")(do_nothing)
    app.event("reaction_added")(do_nothing)
    runner = web.AppRunner(app.server(port=0, path=PATH).web_app, access_log=None)
    await runner.setup()
    port = find_free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(f"http://127.0.0.1:{port}{PATH}", flush=True)
    await _wait_for_the_end()
    await runner.cleanup()


async def _wait_for_the_end() -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()


if __name__ == "__main__":
    # What the caller's shell says of Slack is not what is measured.
    for name in [name for name in os.environ if name.startswith("SLACK_")]:
        del os.environ[name]
    uvloop.run(run_nightbake(*sys.argv[2:]) if sys.argv[1] == "nightbake" else run_bare_bolt())
