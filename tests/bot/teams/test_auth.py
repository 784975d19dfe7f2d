"""The token check: whatever is forged or stale is a 401, and nothing of it reaches the inbox."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.teams.activities import PATH, TeamsActivities
from bot.teams.auth import KEYS_LIVE_SECONDS, REFETCH_SECONDS, Authentication, LoopbackOnly, TokenCheck
from core.errors import SettingsError
from tests.bot.teams.conftest import load
from tests.fakes.teams import APP_ID, TENANT, FakeTeams, publish, sign

SERVICE_URL = "https://smba.example/amer/"
NOW = int(time.time())


@dataclass
class Gate:
    """An endpoint without doors: what is let in is a 200."""

    teams: FakeTeams
    client: TestClient[web.Request, web.Application]
    clock: list[float] = field(default_factory=lambda: [1000.0])

    async def knock(self, authorization: str | None, **changes: Any) -> int:
        activity = load("conversation_update", SERVICE_URL) | changes
        headers = {} if authorization is None else {"Authorization": authorization}
        response = await self.client.post(PATH, json=activity, headers=headers)
        return response.status


def make_app(authentication: Authentication) -> web.Application:
    app = web.Application()
    activities = TeamsActivities(authentication=authentication)
    app.add_routes(activities.routes())
    return app


@pytest.fixture
async def gate(teams: FakeTeams) -> AsyncIterator[Gate]:
    clock = [1000.0]
    check = TokenCheck(
        app_id=APP_ID,
        tenants=frozenset({TENANT}),
        openid_url=teams.openid_url,
        clock=lambda: clock[0],
        fetch_seconds=0.5,
    )
    async with TestClient(TestServer(make_app(check))) as client:
        yield Gate(teams, client, clock)
    await check.close()


def bearer(**changes: Any) -> str:
    return f"Bearer {sign(SERVICE_URL, **changes)}"


def unsigned() -> str:
    claims = {"iss": "https://api.botframework.com", "aud": APP_ID, "serviceurl": SERVICE_URL, "exp": NOW + 3600}
    return "Bearer " + jwt.encode(claims, None, algorithm="none", headers={"kid": "key-1"})


def signed_with_the_public_key() -> str:
    """The old trick: HS256 with the published key as the secret; made by hand, for PyJWT refuses to."""
    claims = {"iss": "https://api.botframework.com", "aud": APP_ID, "serviceurl": SERVICE_URL, "exp": NOW + 3600}
    parts = [urlsafe_b64encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "key-1"}, claims)]
    signature = hmac.digest(json.dumps(publish("key-1")).encode(), b".".join(parts), "sha256")
    return "Bearer " + b".".join([*parts, urlsafe_b64encode(signature)]).replace(b"=", b"").decode()


async def test_a_genuine_token_is_let_in(gate: Gate) -> None:
    assert await gate.knock(bearer()) == 200


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: None, id="missing"),
        pytest.param(lambda: "Bearer", id="empty"),
        pytest.param(lambda: "Basic YTpi", id="another scheme"),
        pytest.param(lambda: "Bearer not.a.token", id="malformed"),
        pytest.param(lambda: "Bearer ..", id="only dots"),
        pytest.param(lambda: bearer()[:-9], id="cut short"),
        pytest.param(unsigned, id="alg none"),
        pytest.param(signed_with_the_public_key, id="alg HS256"),
        pytest.param(lambda: bearer(signed_by="other"), id="signed by another key"),
        pytest.param(lambda: bearer(key_id="other"), id="unknown key id"),
        pytest.param(lambda: bearer(iss="https://sts.windows.net/x/"), id="wrong issuer"),
        pytest.param(lambda: bearer(aud="another-app"), id="wrong audience"),
        pytest.param(lambda: bearer(aud=None), id="no audience"),
        pytest.param(lambda: bearer(exp=NOW - 3600), id="expired"),
        pytest.param(lambda: bearer(exp=None), id="no expiry"),
        pytest.param(lambda: bearer(exp="soon"), id="expiry is no number"),
        pytest.param(lambda: bearer(nbf=NOW + 3600), id="not yet valid"),
        pytest.param(lambda: bearer(serviceurl="https://evil.example/"), id="wrong serviceUrl"),
        pytest.param(lambda: bearer(serviceurl=None), id="no serviceUrl"),
    ],
)
async def test_a_forged_or_stale_token_is_refused(gate: Gate, make: Callable[[], str | None]) -> None:
    assert await gate.knock(make()) == 401


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"conversation": {"id": "a:1", "tenantId": "x"}, "channelData": {}}, id="another tenant"),
        pytest.param({"conversation": {"id": "a:1", "tenantId": "x"}}, id="two tenants"),
        pytest.param({"conversation": {"id": "a:1"}, "channelData": {}}, id="no tenant"),
        pytest.param({"channelId": "directline"}, id="a channel that the key is not for"),
    ],
)
async def test_a_genuine_token_of_another_place_is_refused(gate: Gate, changes: dict[str, Any]) -> None:
    assert await gate.knock(bearer(), **changes) == 401


async def test_a_body_that_is_no_json_is_refused(gate: Gate) -> None:
    response = await gate.client.post(PATH, data=b"{", headers={"Authorization": bearer()})
    assert response.status == 401


async def test_a_rotated_key_is_accepted_without_a_restart(gate: Gate) -> None:
    assert await gate.knock(bearer()) == 200
    gate.teams.keys = {"key-2": publish("key-2")}
    gate.clock[0] += REFETCH_SECONDS + 1
    assert await gate.knock(bearer(key_id="key-2")) == 200
    assert await gate.knock(bearer()) == 401


async def test_unknown_keys_are_looked_up_at_most_once_a_minute(gate: Gate) -> None:
    statuses = {await gate.knock(bearer(key_id=f"key-{number}", signed_by="other")) for number in range(2, 9)}
    assert (statuses, gate.teams.key_requests) == ({401}, 1)


async def test_without_keys_nothing_is_judged(gate: Gate) -> None:
    gate.teams.key_status = 500
    assert await gate.knock(bearer()) == 503
    gate.teams.key_status = 200
    gate.clock[0] += 6
    assert await gate.knock(bearer()) == 200


async def test_a_slow_key_server_holds_nobody_up(gate: Gate) -> None:
    gate.teams.key_seconds = 30
    began = time.monotonic()
    statuses = {await gate.knock(bearer()) for _ in range(5)}
    assert statuses == {503}
    assert time.monotonic() - began < 5


async def test_known_keys_serve_on_while_the_key_server_is_away(gate: Gate) -> None:
    assert await gate.knock(bearer()) == 200
    gate.teams.key_status = 500
    gate.clock[0] += KEYS_LIVE_SECONDS + 1
    assert await gate.knock(bearer()) == 200


@pytest.mark.parametrize(("app_id", "tenants"), [("", frozenset({TENANT})), (APP_ID, frozenset[str]())])
def test_without_app_or_tenant_there_is_no_check_to_build(app_id: str, tenants: frozenset[str]) -> None:
    with pytest.raises(SettingsError, match="TEAMS_APP_ID and TEAMS_TENANT_ID"):
        TokenCheck(app_id=app_id, tenants=tenants)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "bot.example"])
def test_authentication_is_off_on_loopback_only(host: str) -> None:
    with pytest.raises(SettingsError, match="needs a loopback address"):
        LoopbackOnly(host=host)


async def test_without_authentication_a_proxy_is_not_heard() -> None:
    async with TestClient(TestServer(make_app(LoopbackOnly(host="127.0.0.1")))) as client:
        activity = load("conversation_update")
        direct = await client.post(PATH, json=activity)
        forwarded = await client.post(PATH, json=activity, headers={"X-Forwarded-For": "192.0.2.7"})
    assert (direct.status, forwarded.status) == (200, 401)
