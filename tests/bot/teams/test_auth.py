"""The token check: whatever is forged or stale is a 401, and nothing of it reaches the inbox."""

import hmac
import json
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.teams.activities import PATH, TeamsActivities
from bot.teams.auth import KEYS_LIVE_SECONDS, REFETCH_SECONDS, Authentication, LoopbackOnly, TokenCheck
from core.errors import SettingsError
from tests.bot.teams.conftest import load
from tests.fakes.teams import APP_ID, ISSUER, TENANT, FakeTeams, make_key, publish, sign

SERVICE_URL = "https://smba.example/amer/"
NOW = int(time.time())
PAGE = Path(__file__).parents[3] / "docs" / "teams.md"


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
        cloud=teams.cloud,
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
    return "Bearer " + jwt.encode(claims, "", algorithm="none", headers={"kid": "key-1"})


def signed_with_the_public_key() -> str:
    """The old trick: HS256 with the published key as the secret; made by hand, for PyJWT refuses to."""
    claims = {"iss": "https://api.botframework.com", "aud": APP_ID, "serviceurl": SERVICE_URL, "exp": NOW + 3600}
    parts = [urlsafe_b64encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "key-1"}, claims)]
    signature = hmac.digest(json.dumps(publish("key-1")).encode(), b".".join(parts), "sha256")
    return "Bearer " + b".".join([*parts, urlsafe_b64encode(signature)]).replace(b"=", b"").decode()


async def test_a_genuine_token_is_let_in(gate: Gate) -> None:
    assert await gate.knock(bearer()) == 200


def forge(header: Any, claims: Any = None, *, signature: bytes = b"forged") -> str:
    """A token by hand, for what no library makes."""
    parts = (json.dumps(header).encode(), json.dumps(claims or {}).encode(), signature)
    return "Bearer " + b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts).decode()


def sign_as(header: dict[str, Any], *, signed_by: str = "key-1", algorithm: str = "RS256") -> str:
    """Right claims under another header."""
    claims = {"iss": ISSUER, "aud": APP_ID, "serviceurl": SERVICE_URL, "exp": NOW + 3600}
    return "Bearer " + jwt.encode(claims, make_key(signed_by), algorithm=algorithm, headers=header)


# What a sender may try, by name; docs/teams.md lists the same.
TOKENS: dict[str, Callable[[], str | None]] = {
    "no token": lambda: None,
    "an empty token": lambda: "Bearer",
    "another scheme": lambda: "Basic YTpi",
    "not a token": lambda: "Bearer not.a.token",
    "only dots": lambda: "Bearer ..",
    "a token cut short": lambda: bearer()[:-9],
    "two tokens in one header": lambda: f"{bearer()} {bearer()}",
    "letters that are not ASCII": lambda: "Bearer é.é.é",
    "a header that is a list": lambda: forge(["RS256"]),
    "a header a thousand levels deep": lambda: "Bearer " + urlsafe_b64encode(b"[" * 4_000).decode() + ".e30.e30",
    "unsigned (`alg` none)": unsigned,
    "HS256 with the published key as its secret": signed_with_the_public_key,
    "RS512 by the right key": lambda: sign_as({"kid": "key-1"}, algorithm="RS512"),
    "signed by another key under a known id": lambda: bearer(signed_by="other"),
    "a key of its own in the header": lambda: sign_as({"kid": "key-1", "jwk": publish("other")}, signed_by="other"),
    "the address of a key in the header": lambda: sign_as(
        {"kid": "key-1", "jku": "https://evil.example/keys"}, signed_by="other"
    ),
    "an unknown key id": lambda: bearer(key_id="other"),
    "no key id": lambda: sign_as({}),
    "a key id that is a number": lambda: forge({"alg": "RS256", "kid": 1}),
    "wrong issuer": lambda: bearer(iss="https://sts.windows.net/x/"),
    "the issuer of another cloud": lambda: bearer(iss="https://api.botframework.us"),
    "no issuer": lambda: bearer(iss=None),
    "wrong audience": lambda: bearer(aud="another-app"),
    "no audience": lambda: bearer(aud=None),
    "expired": lambda: bearer(exp=NOW - 3600),
    "no expiry": lambda: bearer(exp=None),
    "an expiry that is no number": lambda: bearer(exp="soon"),
    "an expiry without end": lambda: bearer(exp=float("inf")),
    "not yet valid": lambda: bearer(nbf=NOW + 3600),
    "issued in the future": lambda: bearer(iat=NOW + 3600),
    "made for another serviceUrl": lambda: bearer(serviceurl="https://evil.example/"),
    "made for a part of the serviceUrl": lambda: bearer(serviceurl=SERVICE_URL.rstrip("/")),
    "made for a list of serviceUrls": lambda: bearer(serviceurl=[SERVICE_URL]),
    "made for no serviceUrl": lambda: bearer(serviceurl=None),
}

# Activities that a genuine token was not made for, or that are none of ours.
ACTIVITIES: dict[str, dict[str, Any]] = {
    "another tenant": {"conversation": {"id": "a:1", "tenantId": "x"}, "channelData": {}},
    "two tenants": {"conversation": {"id": "a:1", "tenantId": "x"}},
    "no tenant": {"conversation": {"id": "a:1"}, "channelData": {}},
    "a tenant that is a list": {"conversation": {"id": "a:1", "tenantId": [TENANT]}, "channelData": {}},
    "a conversation that is a word": {"conversation": "a:1", "channelData": "x"},
    "a channel that the key is not for": {"channelId": "directline"},
    "another serviceUrl than the token's": {"serviceUrl": "https://evil.example/"},
    "no serviceUrl": {"serviceUrl": None},
}
BODIES: dict[str, bytes] = {
    "not JSON": b"{",
    "a list": b"[]",
    "a hundred thousand levels deep": b"[" * 100_000,
    "not UTF-8": b'{"type": "\xff"}',
}


@pytest.mark.parametrize("name", TOKENS)
async def test_a_forged_or_stale_token_is_refused(gate: Gate, name: str) -> None:
    assert await gate.knock(TOKENS[name]()) == 401


@pytest.mark.parametrize("name", ACTIVITIES)
async def test_a_genuine_token_of_another_place_is_refused(gate: Gate, name: str) -> None:
    assert await gate.knock(bearer(), **ACTIVITIES[name]) == 401


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_is_no_activity_is_refused(gate: Gate, name: str) -> None:
    headers = {"Authorization": bearer(), "Content-Type": "application/json"}
    response = await gate.client.post(PATH, data=BODIES[name], headers=headers)
    assert response.status == 401


def test_the_page_lists_every_case_with_its_answer() -> None:
    rows = re.findall(r"^\| (token|activity|body) \| (.+?) \| (\d+) \|$", PAGE.read_text(), re.MULTILINE)
    tables = {"token": TOKENS, "activity": ACTIVITIES, "body": BODIES}
    assert rows == [(kind, name, "401") for kind, names in tables.items() for name in names]


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
    assert time.monotonic() - began < 20


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


@pytest.mark.parametrize(
    ("headers", "service_url", "status"),
    [
        ({}, "http://localhost:56150/_connector", 200),
        ({"X-Forwarded-For": "192.0.2.7"}, "http://localhost:56150/", 401),
        ({"Origin": "https://evil.example"}, "http://localhost:56150/", 401),
        ({}, "https://evil.example/", 401),
        ({}, "https://localhost.evil.example/", 401),
        ({}, "http://[bad", 401),
        ({}, None, 401),
    ],
)
async def test_without_authentication_only_this_machine_is_heard_and_answered(
    headers: dict[str, str], service_url: str | None, status: int
) -> None:
    async with TestClient(TestServer(make_app(LoopbackOnly(host="127.0.0.1")))) as client:
        activity = load("conversation_update") | {"serviceUrl": service_url}
        response = await client.post(PATH, json=activity, headers=headers)
    assert response.status == status
