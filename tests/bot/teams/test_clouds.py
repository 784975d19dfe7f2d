"""Microsoft's clouds: which servers each has, and that a token of one opens no door of another."""

import re
from dataclasses import astuple, replace
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.teams.activities import PATH
from bot.teams.auth import TokenCheck
from bot.teams.clouds import CLOUDS
from bot.teams.connector import build_credentials
from core.settings import Settings
from tests.bot.teams.conftest import load
from tests.bot.teams.test_auth import SERVICE_URL, make_app
from tests.fakes.teams import APP_ID, TENANT, FakeTeams, sign

PAGE = Path(__file__).parents[3] / "docs" / "teams.md"
# Of whom Microsoft's servers say that they sent an activity; both American ones share a Connector.
ISSUERS = {
    "public": "https://api.botframework.com",
    "gcch": "https://api.botframework.us",
    "dod": "https://api.botframework.us",
    "china": "https://api.botframework.azure.cn",
}
TOP_LEVEL = {"public": {"com", "net"}, "gcch": {"us"}, "dod": {"us"}, "china": {"cn"}}


@pytest.mark.parametrize("home", ISSUERS)
async def test_a_token_of_another_cloud_or_key_is_refused(teams: FakeTeams, home: str) -> None:
    cloud = replace(CLOUDS[home], openid_url=teams.openid_url)
    check = TokenCheck(app_id=APP_ID, tenants=frozenset({TENANT}), cloud=cloud)
    async with TestClient(TestServer(make_app(check))) as client:

        async def knock(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            response = await client.post(PATH, json=load("conversation_update", SERVICE_URL), headers=headers)
            return response.status

        told = {issuer: await knock(sign(SERVICE_URL, iss=issuer)) for issuer in sorted(set(ISSUERS.values()))}
        forged = await knock(sign(SERVICE_URL, iss=ISSUERS[home], signed_by="other"))
    await check.close()
    assert told == {issuer: 200 if issuer == ISSUERS[home] else 401 for issuer in told}
    assert forged == 401


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_s_servers_are_its_own(name: str) -> None:
    addresses = [urlsplit(address) for address in astuple(CLOUDS[name]) if address]
    assert {address.scheme for address in addresses} == {"https"}
    assert {str(address.hostname).rpartition(".")[2] for address in addresses} <= TOP_LEVEL[name]


@pytest.mark.parametrize(
    ("name", "login", "scope"),
    [
        ("public", "https://login.microsoftonline.com/tenant", "https://api.botframework.com"),
        ("dod", "https://login.microsoftonline.us/tenant", "https://api.botframework.us"),
        ("china", "https://login.partner.microsoftonline.cn/tenant", "https://api.botframework.azure.cn"),
    ],
)
def test_outgoing_tokens_come_from_the_cloud_s_login(name: str, login: str, scope: str) -> None:
    credentials = build_credentials("app", "password", "tenant", CLOUDS[name])
    assert (credentials.oauth_endpoint, credentials.oauth_scope) == (login, scope)


def test_the_page_lists_every_cloud_with_its_servers() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    listed = {name: cells.split(" | ") for name, cells in rows if name in CLOUDS}
    for name, cloud in CLOUDS.items():
        addresses = (cloud.login_url, cloud.graph_url, cloud.issuer, cloud.openid_url, cloud.service_url)
        hosts = [urlsplit(address).hostname if address else "none is published" for address in addresses]
        assert listed[name] == hosts


def test_the_setting_knows_every_cloud() -> None:
    assert get_args(Settings.model_fields["teams_cloud"].annotation) == tuple(CLOUDS)
