"""The processes that a benchmark of Teams' activities sends them to: Nightbake's service, and a bare bot of the SDK.

The service is Teams' side with inbox and workers, as `bot/app.py` puts them together; only its search is one fixed
passage, and its outgoing token is not fetched.
"""

import sys
from dataclasses import replace
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

from benchmarks.ack_service import build_answerer, connect_to_model, serve_until_told
from bot.again import Again
from bot.audience import Audiences
from bot.handlers import FeedbackHandler, QuestionHandler
from bot.inbox import Inbox
from bot.room_settings import RoomSettingsLog
from bot.teams.activities import PATH
from bot.teams.auth import TokenCheck
from bot.teams.clouds import PUBLIC
from bot.teams.connector import TeamsConnector
from bot.teams.directory import TeamsDirectory
from bot.teams.side import TeamsSide
from bot.worker import Worker
from core.database import Database
from core.directory import Directory
from core.feedback import FeedbackLog
from core.interactions import Interactions
from retrieval.access import Access
from tests.fakes.teams import APP_ID, TENANT

BASE_URL = "https://nightbake.example"
WORKERS = 16


class FixedToken(AppCredentials):
    """A token in place of one from the login server, which takes only HTTPS."""

    def get_access_token(self, force_refresh: bool = False) -> str:
        """The same for every call."""
        return "outbound-token"


async def run_nightbake(database_url: str, openid_url: str, model_url: str) -> None:
    """Endpoint, inbox and workers."""
    model_server = connect_to_model(model_url)
    async with Database(database_url) as database:
        inbox, interactions, feedback = Inbox(database), Interactions(database), FeedbackLog(database)
        connector = TeamsConnector(app_id=APP_ID, credentials=FixedToken(APP_ID))
        side = TeamsSide(
            connector=connector,
            people=TeamsDirectory(connector=connector, directory=Directory(database), tenants=[TENANT]),
            authentication=TokenCheck(
                app_id=APP_ID, tenants=frozenset({TENANT}), cloud=replace(PUBLIC, openid_url=openid_url)
            ),
            inbox=inbox,
            database=database,
            interactions=interactions,
            feedback=feedback,
            again=Again(database, inbox),
            base_url=BASE_URL,
            suggestions={},
        )
        audiences = Audiences(Access(database), RoomSettingsLog(database), {"teams": side.find_readers})
        questions = QuestionHandler(
            answerer=build_answerer(database, model_server, interactions, base_url=BASE_URL),
            interactions=interactions,
            platforms={"teams": side.platform},
            find_principals=audiences.find,
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
        to_bot_from_channel_token_issuer=PUBLIC.issuer,
        to_channel_from_bot_login_url="https://login.microsoftonline.com/botframework.com",
        to_channel_from_bot_oauth_scope=PUBLIC.issuer,
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
    """On a port of its own, until told to end."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await serve_until_told(f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}")
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(run_nightbake(*sys.argv[2:]) if sys.argv[1] == "nightbake" else run_bare_bot(*sys.argv[2:]))
