"""Whole rounds through a Slack that is not written by us: a question with its answer and vote, an installation."""

import re
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, web
from cryptography.fernet import Fernet

from bot.slack.api import SlackApi
from bot.slack.install import BEGIN_PATH, Install
from bot.slack.installations import Installations, Seal
from bot.slack.manifest import REDIRECT_PATH, find_scopes
from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interactions
from tests.bot.slack.conftest import SECRET, open_workspace
from tests.eventually import eventually
from tests.fakes.emulate import install, run_emulate
from tests.fakes.model_server import run_model_server
from tests.fakes.slack import BOT_TOKEN
from tests.ports import find_free_port

QUESTION = "How many days of annual leave do I have?"


@pytest.fixture
def node() -> None:
    install()


async def test_a_question_in_slack_is_answered_in_its_thread_and_the_reaction_is_a_vote(
    node: None, database: Database
) -> None:
    """With strict scopes: what the manifest does not ask for is refused."""
    async with (
        run_emulate(bot_token=BOT_TOKEN, secret=SECRET, scopes=find_scopes()) as emulate,
        open_workspace(database, emulate) as workspace,
        run_model_server() as chat_model,
    ):
        emulate.events_url = workspace.url
        channel = (await emulate.call_as_ann("conversations.open", users="U0BOT"))["channel"]["id"]
        asked = await emulate.call_as_ann("chat.postMessage", channel=channel, text=QUESTION)

        async def find_answer() -> dict[str, Any]:
            thread = await emulate.read_thread(channel, asked["ts"])
            return next((one for one in thread[1:] if "context_actions" in str(one.get("blocks"))), {})

        async with workspace.at_work(chat_model):
            answer = await eventually(find_answer, seconds=30)
            await emulate.call_as_ann("reactions.add", channel=channel, timestamp=answer["ts"], name="+1")
            await workspace.settle()
            (vote,) = await FeedbackLog(database).find_current(1)
            await emulate.call_as_ann("reactions.remove", channel=channel, timestamp=answer["ts"], name="+1")
            await workspace.settle()

        assert (answer["user"], answer["thread_ts"]) == ("U0BOT", asked["ts"])
        assert "Employees have 23 days of annual leave." in str(answer["blocks"])
        assert (vote.person, vote.value, vote.source) == (f"slack:{emulate.team}:{emulate.ann}", 1, "slack_reaction")
        assert await FeedbackLog(database).find_current(1) == []
        assert len(await emulate.read_thread(channel, asked["ts"])) == 2
        stored = await Interactions(database).get(1)
        assert (stored.question, stored.reply_key) == (QUESTION, f"{channel}:{answer['ts']}")
        assert {status for _, status in emulate.forwarded} == {200}
        assert await workspace.count("interactions") == 1


async def test_an_admin_installs_the_app_and_calls_go_out_with_the_new_token(node: None, database: Database) -> None:
    base_url, key = f"http://127.0.0.1:{find_free_port()}", Fernet.generate_key().decode()
    async with (
        run_emulate(
            bot_token=BOT_TOKEN, secret=SECRET, scopes=find_scopes(), redirect_url=base_url + REDIRECT_PATH
        ) as emulate,
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser,
    ):
        installations = Installations(
            database, Seal([key]), client_id="1.2", client_secret="client-secret", api_url=emulate.api_url
        )
        authorize_url = f"{emulate.url}/oauth/v2/authorize"
        install = Install(installations, keys=[key], client_id="1.2", authorize_url=authorize_url, base_url=base_url)
        app = web.Application()
        app.add_routes(install.routes())
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(base_url.rpartition(":")[2])).start()
        async with browser.get(base_url + BEGIN_PATH) as response:
            asked = await response.text()
        form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', asked.partition("</form>")[0]))
        async with browser.post(f"{emulate.url}/oauth/v2/authorize/callback", data=form) as response:
            page = await response.text()
        await runner.cleanup()
        assert "Nightbake is installed in" in page
        token = await installations.get(emulate.team)
        assert token.startswith("xoxb-") and token != BOT_TOKEN
        assert (await SlackApi(installations, api_url=emulate.api_url).call(emulate.team, "auth.test"))["ok"]
