"""A workspace: Slack's side is a fake server, ours is the real endpoint and the real assistant."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bot.admin_messages import AdminMessages
from bot.again import Again
from bot.alerts import Alerts
from bot.answer import Answerer
from bot.audience import Audiences
from bot.desk import Desk
from bot.experts import ExpertPlatform
from bot.forget import FORGET, ForgetHandler
from bot.handlers import Confirm, FindLanguage, ReadThread
from bot.inbox import Inbox
from bot.line import Notices
from bot.more import More
from bot.room_settings import RoomSettingsLog
from bot.slack.admin import AdminChannel
from bot.slack.api import OneToken, SlackApi
from bot.slack.commands import CommandWork
from bot.slack.events import PATH
from bot.slack.history import History
from bot.slack.side import SlackSide
from bot.web.wording import SUGGESTIONS
from bot.worker import Handler
from core.adapters import Adapters
from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.model_server import ModelServer
from core.serving import Serving
from retrieval.access import Access
from tests.bot.assistant import BASE_URL, Assistant, OneDocument
from tests.fakes.slack import BOT_TOKEN, FakeSlack
from tests.forgetting import build_forgetting

SECRET = "signing-secret-of-the-tests"
EXPERT_CHANNEL, ADMIN_CHANNEL = "C0EXPERT", "C0ADMIN"
ADMIN = "U0ADA"
NOBODY = "http://127.0.0.1:9"
PAYLOADS = Path(__file__).parents[2] / "payloads" / "slack"


def build_api(api_url: str, token: str = BOT_TOKEN) -> SlackApi:
    return SlackApi(OneToken(token), api_url=api_url)


def load(name: str) -> dict[str, Any]:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def sign(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """Headers as Slack computes them."""
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={digest}",
    }


@dataclass
class Workspace(Assistant):
    slack: FakeSlack
    url: str
    session: ClientSession
    side: SlackSide

    @property
    def confirm(self) -> Mapping[str, Confirm]:
        return {"slack": self.side.confirm}

    @property
    def handlers(self) -> Mapping[str, Handler]:
        work = CommandWork(self.database, search=self.search, audiences=self.audiences, base_url=BASE_URL)
        forgetting = build_forgetting(self.database, ModelServer(NOBODY, "base"), Path("no-such-folder"))
        forget = ForgetHandler(self.database, forgetting, tell={"slack": self.side.tell_forgotten})
        return {**self.side.handlers, **work.handlers(), FORGET: forget}

    @property
    def experts(self) -> Mapping[str, ExpertPlatform]:
        assert self.side.experts
        return {"slack": self.side.experts}

    @property
    def notices(self) -> Mapping[str, Notices]:
        return {"slack": self.side.notices}

    @property
    def find_language(self) -> Mapping[str, FindLanguage]:
        return {"slack": self.side.find_language}

    @property
    def audiences(self) -> Audiences:
        return Audiences(Access(self.database), RoomSettingsLog(self.database), {"slack": self.side.find_readers})

    @property
    def build_more(self) -> Callable[[Answerer], More]:
        return lambda answerer: More(
            inbox=self.inbox,
            access=Access(self.database),
            audiences=self.audiences,
            interactions=Interactions(self.database),
            answerer=answerer,
            search=self.search,
            platforms={"slack": self.side.whispers},
            base_url=BASE_URL,
        )

    @property
    def read_thread(self) -> Mapping[str, ReadThread]:
        return {"slack": self.side.read_thread}

    async def click(self, payload: str | dict[str, Any]) -> int:
        """Post a click or a form, signed, as Slack sends them; the status."""
        body = urlencode({"payload": json.dumps(load(payload) if isinstance(payload, str) else payload)}).encode()
        return await self.post(body, sign(body) | {"Content-Type": "application/x-www-form-urlencoded"})

    async def command(self, text: str, **further: str) -> dict[str, Any]:
        """Give the command, signed, as Slack sends it; what Slack is told."""
        sent = load("command") | {"text": text, "response_url": f"{self.slack.api_url}response_url"} | further
        body = urlencode(sent).encode()
        headers = sign(body) | {"Content-Type": "application/x-www-form-urlencoded"}
        async with self.session.post(self.url, data=body, headers=headers) as response:
            assert response.status == 200
            told = await response.text()
        return json.loads(told) if told.startswith("{") else {"text": told}

    async def deliver(self, event: str | dict[str, Any], *, retry: int | None = None) -> int:
        """Post an event, signed; the status."""
        body = json.dumps(load(event) if isinstance(event, str) else event).encode()
        retried = {} if retry is None else {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"}
        return await self.post(body, sign(body) | retried)

    async def post(self, body: bytes, headers: dict[str, str]) -> int:
        async with self.session.post(self.url, data=body, headers=headers) as response:
            await response.read()
            return response.status


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


@asynccontextmanager
async def open_workspace(
    database: Database, slack: Any, *, model_url: str = NOBODY, admins: Collection[str] = (ADMIN,)
) -> AsyncGenerator[Workspace]:
    """One replica with its endpoint."""
    inbox, api, model_server = Inbox(database), build_api(slack.api_url), ModelServer(model_url, "base")
    admin = AdminChannel(
        api=api,
        inbox=inbox,
        messages=AdminMessages(database, "slack"),
        alerts=Alerts(database),
        desk=Desk(database, Serving(adapters=Adapters(database), model_server=model_server)),
        team="T0HOME",
        channel=ADMIN_CHANNEL,
        admins=admins,
        language="en",
        base_url=BASE_URL,
    )
    side = SlackSide(
        api=api,
        inbox=inbox,
        database=database,
        interactions=Interactions(database),
        feedback=FeedbackLog(database),
        again=Again(database, inbox),
        base_url=BASE_URL,
        signing_secret=SECRET,
        expert_channel=EXPERT_CHANNEL,
        admin=admin,
        history=History(api, pause_seconds=0),
        suggestions=SUGGESTIONS,
    )
    app = web.Application()
    app.add_routes(side.routes())
    async with TestServer(app) as server, ClientSession() as session:
        url = str(server.make_url(PATH))
        audiences = Audiences(Access(database), RoomSettingsLog(database), {"slack": side.find_readers})
        yield Workspace(
            "slack", audiences.find, database, inbox, side.platform, OneDocument(), slack, url, session, side
        )
    await model_server.close()


def replicate(workspace: Workspace) -> AbstractAsyncContextManager[Workspace]:
    """Another replica on the same database."""
    return open_workspace(workspace.database, workspace.slack)


@pytest.fixture
async def workspace(database: Database, slack: FakeSlack) -> AsyncIterator[Workspace]:
    async with open_workspace(database, slack) as workspace:
        yield workspace
