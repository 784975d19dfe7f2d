"""A tenant: Teams' side is a fake Connector and key server, ours is the real endpoint and the real assistant."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from botframework.connector.auth import AppCredentials

from bot.inbox import Inbox
from bot.teams.activities import PATH, TeamsActivities, find_audience
from bot.teams.auth import TokenCheck
from bot.teams.connector import TeamsConnector
from bot.teams.reply import TeamsPlatform
from core.database import Database
from core.interactions import Interactions
from tests.bot.assistant import BASE_URL, OneDocument, settle, work
from tests.fakes.chat_model import ChatModel
from tests.fakes.teams import APP_ID, TENANT, FakeTeams, sign

PAYLOADS = Path(__file__).parents[2] / "payloads" / "teams"


class Credentials(AppCredentials):
    """A token of the tests in place of one from the login server, which takes only HTTPS."""

    def get_access_token(self, force_refresh: bool = False) -> str:
        return "outbound-token"


def load(name: str, service_url: str = "https://smba.example/amer/") -> dict[str, Any]:
    return json.loads((PAYLOADS / f"{name}.json").read_text()) | {"serviceUrl": service_url}


@dataclass
class Tenant:
    database: Database
    inbox: Inbox
    teams: FakeTeams
    platform: TeamsPlatform
    search: OneDocument
    url: str
    session: ClientSession

    async def deliver(self, name: str, **changes: Any) -> tuple[int, str]:
        """Post an activity with a genuine token; status and body."""
        activity = load(name, self.teams.service_url) | changes
        headers = {"Authorization": f"Bearer {sign(self.teams.service_url)}"}
        async with self.session.post(self.url, json=activity, headers=headers) as response:
            return response.status, await response.text()

    async def count(self, table: str) -> int:
        rows = await self.database.fetch_dicts(f"SELECT count(*)::integer AS n FROM {table}".encode())
        return rows[0]["n"]

    @asynccontextmanager
    async def at_work(self, chat_model: ChatModel) -> AsyncGenerator[None]:
        async with work(
            database=self.database,
            inbox=self.inbox,
            platforms={"teams": self.platform},
            find_principals=find_audience,
            chat_model=chat_model,
            search=self.search,
        ):
            yield

    async def settle(self) -> None:
        await settle(self.inbox)


@pytest.fixture
async def teams() -> AsyncIterator[FakeTeams]:
    async with FakeTeams() as fake:
        yield fake


@pytest.fixture
async def connector() -> AsyncIterator[TeamsConnector]:
    connector = TeamsConnector(app_id=APP_ID, credentials=Credentials(APP_ID))
    yield connector
    await connector.close()


@pytest.fixture
async def chat_model() -> AsyncIterator[ChatModel]:
    async with ChatModel("Employees have 23 days of annual leave. [1]") as model:
        yield model


@pytest.fixture
async def tenant(database: Database, teams: FakeTeams, connector: TeamsConnector) -> AsyncIterator[Tenant]:
    inbox = Inbox(database)
    platform = TeamsPlatform(connector=connector, interactions=Interactions(database), base_url=BASE_URL)
    check = TokenCheck(app_id=APP_ID, tenants=frozenset({TENANT}), openid_url=teams.openid_url)
    activities = TeamsActivities(inbox=inbox, authentication=check)
    app = web.Application()
    app.add_routes(activities.routes())
    async with TestServer(app) as server, ClientSession() as session:
        yield Tenant(database, inbox, teams, platform, OneDocument(), str(server.make_url(PATH)), session)
    await activities.close()
