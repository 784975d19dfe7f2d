"""A tenant: Teams' side is a fake Connector and key server, ours is the real endpoint and the real assistant."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from botframework.connector.auth import AppCredentials

from bot.admin_messages import AdminMessages
from bot.again import Again
from bot.alerts import Alerts
from bot.answer import Answerer
from bot.audience import Audiences
from bot.desk import Desk
from bot.experts import ExpertPlatform
from bot.forget import FORGET, ForgetHandler
from bot.handlers import Confirm, ReadThread
from bot.inbox import Inbox
from bot.line import Notices
from bot.more import More
from bot.room_settings import RoomSettingsLog
from bot.teams.activities import PATH
from bot.teams.admin import AdminChat
from bot.teams.auth import TokenCheck
from bot.teams.connector import TeamsConnector
from bot.teams.directory import TeamsDirectory
from bot.teams.graph import Graph
from bot.teams.groups_file import GroupsFile
from bot.teams.side import TeamsSide
from bot.web.wording import SUGGESTIONS
from bot.worker import Handler
from core.adapters import Adapters
from core.database import Database
from core.directory import Directory
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.model_server import ModelServer
from core.serving import Serving
from retrieval.access import Access
from tests.bot.assistant import BASE_URL, Assistant, OneDocument
from tests.fakes.model_server import FakeModelServer
from tests.fakes.teams import APP_ID, TENANT, FakeTeams, sign
from tests.forgetting import build_forgetting

EXPERT_CHANNEL = "19:experts@thread.tacv2"
ADMIN_CHAT = "19:admins@thread.tacv2"
ADMIN = "eve@example.com"
# Where no model server listens.
NOBODY = "http://127.0.0.1:9"
PAYLOADS = Path(__file__).parents[2] / "payloads" / "teams"


class Credentials(AppCredentials):
    """A token of the tests in place of one from the login server, which takes only HTTPS."""

    def get_access_token(self, force_refresh: bool = False) -> str:
        return "outbound-token"


def load(name: str, service_url: str = "https://smba.example/amer/") -> dict[str, Any]:
    return json.loads((PAYLOADS / f"{name}.json").read_text()) | {"serviceUrl": service_url}


@dataclass
class Tenant(Assistant):
    teams: FakeTeams
    url: str
    session: ClientSession
    side: TeamsSide

    @property
    def confirm(self) -> Mapping[str, Confirm]:
        return {"teams": self.side.confirm}

    @property
    def handlers(self) -> Mapping[str, Handler]:
        forgetting = build_forgetting(self.database, ModelServer(NOBODY, "base"), Path("no-such-folder"))
        forget = ForgetHandler(self.database, forgetting, tell={"teams": self.side.tell_forgotten})
        return {**self.side.handlers, FORGET: forget}

    @property
    def experts(self) -> Mapping[str, ExpertPlatform]:
        assert self.side.experts
        return {"teams": self.side.experts}

    @property
    def notices(self) -> Mapping[str, Notices]:
        return {"teams": self.side.notices}

    @property
    def read_thread(self) -> Mapping[str, ReadThread]:
        return {"teams": self.side.read_thread}

    @property
    def build_more(self) -> Callable[[Answerer], More]:
        def build(answerer: Answerer) -> More:
            access = Access(self.database)
            return More(
                inbox=self.inbox,
                access=access,
                audiences=Audiences(access, RoomSettingsLog(self.database), {"teams": self.side.find_readers}),
                interactions=Interactions(self.database),
                answerer=answerer,
                search=self.search,
                platforms={"teams": self.side.whispers},
                base_url=BASE_URL,
            )

        return build

    async def deliver(self, activity: str | dict[str, Any], **changes: Any) -> tuple[int, str]:
        """Post an activity with a genuine token; status and body."""
        loaded = load(activity) if isinstance(activity, str) else activity
        body = loaded | {"serviceUrl": self.teams.service_url} | changes
        headers = {"Authorization": f"Bearer {sign(self.teams.service_url)}"}
        async with self.session.post(self.url, json=body, headers=headers) as response:
            return response.status, await response.text()

    async def play(self, chat_model: FakeModelServer, *steps: str | dict[str, Any]) -> list[Any]:
        """Work off what is open, then deliver one activity after the other; the bodies of the answers."""
        told: list[Any] = []
        async with self.at_work(chat_model):
            await self.settle()
            for step in steps:
                status, body = await self.deliver(step)
                assert status == 200
                told.append(json.loads(body) if body else None)
                await self.settle()
        return told


@pytest.fixture
async def teams() -> AsyncIterator[FakeTeams]:
    async with FakeTeams() as fake:
        yield fake


@pytest.fixture
async def connector() -> AsyncIterator[TeamsConnector]:
    connector = TeamsConnector(app_id=APP_ID, credentials=Credentials(APP_ID))
    yield connector
    await connector.close()


@asynccontextmanager
async def open_tenant(
    database: Database,
    teams: FakeTeams,
    *,
    graph: Graph | None = None,
    groups: GroupsFile | None = None,
    model_url: str = NOBODY,
    admins: Collection[str] = (ADMIN,),
) -> AsyncGenerator[Tenant]:
    """One replica with its endpoint."""
    inbox = Inbox(database)
    connector = TeamsConnector(app_id=APP_ID, credentials=Credentials(APP_ID))
    model_server = ModelServer(model_url, "base")
    directory = Directory(database)
    people = TeamsDirectory(connector=connector, directory=directory, tenants=[TENANT], graph=graph, groups=groups)
    admin = AdminChat(
        connector=connector,
        inbox=inbox,
        find_person=people.find_person,
        messages=AdminMessages(database, "teams"),
        alerts=Alerts(database),
        desk=Desk(database, Serving(adapters=Adapters(database), model_server=model_server)),
        chat=ADMIN_CHAT,
        admins=admins,
        language="en",
        app_id=APP_ID,
        service_url=teams.service_url,
        base_url=BASE_URL,
    )
    side = TeamsSide(
        connector=connector,
        authentication=TokenCheck(app_id=APP_ID, tenants=frozenset({TENANT}), cloud=teams.cloud),
        inbox=inbox,
        database=database,
        interactions=Interactions(database),
        feedback=FeedbackLog(database),
        again=Again(database, inbox),
        base_url=BASE_URL,
        suggestions=SUGGESTIONS,
        people=people,
        expert_channel=EXPERT_CHANNEL,
        admin=admin,
        pause_seconds=0.0,
    )
    app = web.Application()
    app.add_routes(side.routes())
    async with TestServer(app) as server, ClientSession() as session:
        url = str(server.make_url(PATH))
        audiences = Audiences(Access(database), RoomSettingsLog(database), {"teams": side.find_readers})
        yield Tenant("teams", audiences.find, database, inbox, side.platform, OneDocument(), teams, url, session, side)
    await side.close()
    await model_server.close()


@pytest.fixture
async def tenant(database: Database, teams: FakeTeams) -> AsyncIterator[Tenant]:
    async with open_tenant(database, teams) as tenant:
        yield tenant
