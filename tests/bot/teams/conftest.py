"""A tenant: Teams' side is a fake Connector and key server, ours is the real endpoint and the real assistant."""

import json
from collections.abc import AsyncIterator
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
from tests.bot.assistant import BASE_URL, Assistant, OneDocument
from tests.fakes.teams import APP_ID, TENANT, FakeTeams, sign

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

    async def deliver(self, name: str, **changes: Any) -> tuple[int, str]:
        """Post an activity with a genuine token; status and body."""
        activity = load(name, self.teams.service_url) | changes
        headers = {"Authorization": f"Bearer {sign(self.teams.service_url)}"}
        async with self.session.post(self.url, json=activity, headers=headers) as response:
            return response.status, await response.text()


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
async def tenant(database: Database, teams: FakeTeams, connector: TeamsConnector) -> AsyncIterator[Tenant]:
    inbox = Inbox(database)
    platform = TeamsPlatform(connector=connector, interactions=Interactions(database), base_url=BASE_URL)
    check = TokenCheck(app_id=APP_ID, tenants=frozenset({TENANT}), openid_url=teams.openid_url)
    activities = TeamsActivities(inbox=inbox, authentication=check)
    app = web.Application()
    app.add_routes(activities.routes())
    async with TestServer(app) as server, ClientSession() as session:
        yield Tenant(
            "teams", find_audience, database, inbox, platform, OneDocument(), teams, str(server.make_url(PATH)), session
        )
    await activities.close()
