"""The processes that a benchmark of Slack's events sends them to: Nightbake's service, and a bare Bolt app.

The service is `bot.app.Bot` as `nightbake up` starts it, with pages, inbox and workers; only its search is one fixed
passage.
"""

import os
import sys
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.ack_service import build_answerer, connect_to_model, serve_until_told
from benchmarks.slack_workload import SECRET
from bot.app import Bot
from core.adapters import Adapters
from core.database import Database
from core.feedback import FeedbackLog
from core.forgetting import Forgetting
from core.garbage import keep_what_is_built
from core.interactions import Interactions
from core.serving import Serving
from core.settings_loading import load_settings
from retrieval.access import Access
from retrieval.documents import Documents
from retrieval.examples import forget_examples
from tests.fakes.slack import BOT_TOKEN
from tests.ports import find_free_port

PATH = "/slack/events"


async def run_nightbake(database_url: str, api_url: str, model_url: str) -> None:
    """Nightbake's service."""
    port = find_free_port()
    settings = load_settings(
        port=port,
        worker_concurrency=8,
        # Several run on one machine.
        metrics_port=0,
        slack_api_url=api_url,
        slack_bot_token=SecretStr(BOT_TOKEN),
        slack_signing_secret=SecretStr(SECRET),
    )
    model_server = connect_to_model(model_url)
    async with Database(database_url, size=settings.database_connections) as database:
        adapters, interactions = Adapters(database), Interactions(database)
        serving = Serving(adapters=adapters, model_server=model_server)
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
            answerer=build_answerer(database, model_server, interactions, base_url=settings.base_url),
            places=Documents(database),
            find_principals=Access(database).find_principals,
            admin_token="unused",
            run_night=None,
            model_server=model_server,
        )
        async with bot:
            keep_what_is_built()
            await serve_until_told(f"{settings.base_url}{PATH}")
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
    await serve_until_told(f"http://127.0.0.1:{port}{PATH}")
    await runner.cleanup()


if __name__ == "__main__":
    # What the caller's shell says of Slack is not what is measured.
    for name in [name for name in os.environ if name.startswith("SLACK_")]:
        del os.environ[name]
    uvloop.run(run_nightbake(*sys.argv[2:]) if sys.argv[1] == "nightbake" else run_bare_bolt())
