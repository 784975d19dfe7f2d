"""The processes that a benchmark of Teams' activities sends them to: Nightbake's service, and a bare bot of the SDK.

Both print the address of their endpoint when they take activities. The service is Teams' side with inbox and workers,
as `bot/app.py` puts them together; only its search is one fixed passage, and its outgoing token is not fetched.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.integration.aiohttp import CloudAdapter
from botframework.connector.auth import (
    AppCredentials,
    BotFrameworkAuthenticationFactory,
    PasswordServiceClientCredentialFactory,
)

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.instant_model_server import MODEL
from bot.again import Again
from bot.answer import Answerer
from bot.compose import Composer, Limits
from bot.handlers import FeedbackHandler, QuestionHandler
from bot.inbox import Inbox
from bot.stops import Stops
from bot.teams.activities import PATH
from bot.teams.auth import ISSUER, TokenCheck
from bot.teams.connector import TeamsConnector
from bot.teams.posts import find_audience
from bot.teams.side import TeamsSide
from bot.worker import Worker
from core.database import Database
from core.feedback import FeedbackLog
from core.gaps import Gaps
from core.interactions import Interactions
from core.model_server import ModelServer
from core.records import Passage
from retrieval.query import Found
from tests.fakes.teams import APP_ID, TENANT

BASE_URL = "https://nightbake.example"
WORKERS = 16
TEXT = "Employees have 23 days of annual leave a year, and unused days move to the next year until March."
PASSAGE = Passage(
    1, 7, 1, 1, "Leave policy", "Annual leave", "leave.md", 3, 0, len(TEXT), TEXT, "en", 0.9, 0.8, 4.0, ["everyone"]
)


class OnePassage:
    """A search that takes no time."""

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> Found:
        """The passage, for whoever may read it."""
        return Found([PASSAGE] if "everyone" in principals else [], question, [])


class FixedToken(AppCredentials):
    """A token in place of one from the login server, which takes only HTTPS."""

    def get_access_token(self, force_refresh: bool = False) -> str:
        """The same for every call."""
        return "outbound-token"


class Service:
    """A process under a name; killed as a machine dies, and started again."""

    def __init__(self, *arguments: str) -> None:
        self._command = (sys.executable, __file__, *arguments)
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Start, and wait until it takes activities."""
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


async def run_nightbake(database_url: str, openid_url: str, model_url: str) -> None:
    """Endpoint, inbox and workers."""
    model_server = ModelServer(model_url, MODEL)
    async with Database(database_url) as database:
        inbox, interactions, feedback = Inbox(database), Interactions(database), FeedbackLog(database)
        side = TeamsSide(
            connector=TeamsConnector(app_id=APP_ID, credentials=FixedToken(APP_ID)),
            authentication=TokenCheck(app_id=APP_ID, tenants=frozenset({TENANT}), openid_url=openid_url),
            inbox=inbox,
            database=database,
            interactions=interactions,
            feedback=feedback,
            again=Again(database, inbox),
            base_url=BASE_URL,
            suggestions={},
        )
        answerer = Answerer(
            interactions=interactions,
            search=OnePassage(),
            gaps=Gaps(database),
            stops=Stops(database),
            composer=Composer(model_server, Limits()),
            base_url=BASE_URL,
        )
        questions = QuestionHandler(
            answerer=answerer,
            interactions=interactions,
            platforms={"teams": side.platform},
            find_principals=find_audience,
            read_thread={"teams": side.read_thread},
        )
        votes = FeedbackHandler(feedback=feedback, interactions=interactions, confirm={"teams": side.confirm})
        worker = Worker(
            inbox=inbox,
            handlers={"question": questions, "feedback": votes, **side.handlers},
            give_up=questions.give_up,
            concurrency=WORKERS,
        )
        app = web.Application()
        app.add_routes(side.routes())
        await worker.start()
        await _serve(app)
        await worker.stop()
        await side.close()
        await model_server.close()


async def run_bare_bot(openid_url: str) -> None:
    """The least that the SDK can do: check the token, hand the activity to a bot that does nothing."""
    authentication = BotFrameworkAuthenticationFactory.create(
        to_bot_from_channel_open_id_metadata_url=openid_url,
        to_bot_from_channel_token_issuer=ISSUER,
        to_channel_from_bot_login_url="https://login.microsoftonline.com/botframework.com",
        to_channel_from_bot_oauth_scope=ISSUER,
        to_bot_from_emulator_open_id_metadata_url=openid_url,
        credential_factory=PasswordServiceClientCredentialFactory(APP_ID, "unused"),
    )
    adapter: Any = CloudAdapter(authentication)

    class Nothing:
        async def on_turn(self, _: TurnContext) -> None:
            pass

    async def handle(request: web.Request) -> web.StreamResponse:
        return await adapter.process(request, Nothing()) or web.Response()

    app = web.Application()
    app.add_routes([web.post(PATH, handle)])
    await _serve(app)


async def _serve(app: web.Application) -> None:
    """Say where, and serve until told to end."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}", flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(run_nightbake(*sys.argv[2:]) if sys.argv[1] == "nightbake" else run_bare_bot(*sys.argv[2:]))
