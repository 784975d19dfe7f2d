"""Every address has a role, and only who has it gets through; a request of another site's page never does."""

import asyncio
import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from bot.web.doors import DOORS, SAFE_METHODS, Door
from bot.web.people import COOKIE, make_csrf
from core.database import Database
from tests.bot.test_app import SLACK, TEAMS, open_bot
from tests.bot.web.site import Site, run_site
from tests.fakes.model_server import FakeModelServer
from tests.fakes.openid import FakeOpenId
from tests.security.web.signing_in import sign_in

ROLES: dict[str, list[str]] = {"reader": [], "reviewer": ["reviewers"], "admin": ["admins"]}
RANKS = ["anyone", "reader", "reviewer", "admin"]
VALUES = {"id": "1", "chunk_id": "11", "key": "conversation-1", "language": "en", "format": "json"}
# Addresses that only exist where Slack or Teams are set up; the gate of the rest is tried out.
ELSEWHERE = {"/slack/", "/api/messages", "/console/slack/"}
CLOSED = [door for door in DOORS if door.who not in ("anyone", "platform")]
CLOSED = [door for door in CLOSED if not any(door.path.startswith(prefix) for prefix in ELSEWHERE)]


def fill(door: Door) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: VALUES[found[1]], door.path)


def list_routes(app: web.Application) -> Iterator[tuple[str, str]]:
    for route in app.router.routes():
        if route.method != "HEAD" and route.resource:
            yield route.method, route.resource.canonical


async def test_every_route_of_the_whole_service_has_a_row_in_the_table(database: Database) -> None:
    """With Slack by HTTP and OAuth, Teams, and a sign-in service: all that there is."""
    known = {(door.method, door.path) for door in DOORS}
    oauth = {"slack_client_id": "1.2", "slack_client_secret": "x", "slack_token_key": "A" * 43 + "="}
    slack = {name: value for name, value in SLACK.items() if name not in ("slack_bot_token", "slack_app_token")}
    oidc = {"oidc_issuer": "https://id.test", "oidc_client_id": "a", "oidc_client_secret": "b"}
    options = {**slack, "slack_signing_secret": "s", **oauth, **TEAMS, **oidc, "public_url": "https://nightbake.test"}
    async with open_bot(database, **options) as bot:
        routes = set(list_routes(bot._app))  # pyright: ignore[reportPrivateUsage]
    assert (routes - known, known - routes) == (set(), set())


async def test_an_address_without_a_row_is_refused(site: Site) -> None:
    async def tell_secret(_: web.Request) -> web.Response:
        return web.Response(text="secret")

    site.app._router._frozen = False  # pyright: ignore[reportPrivateUsage]
    site.app.router.add_get("/undeclared", tell_secret)
    response = await (await site.new_client()).get("/undeclared")
    assert (response.status, "secret" in await response.text()) == (403, False)


@pytest.mark.parametrize("role", ["anyone", *ROLES])
async def test_each_role_gets_through_its_doors_only(guarded: Site, openid: FakeOpenId, role: str) -> None:
    """Refused is 401 or 403, or for pages the way to the sign-in; anything else went through."""
    client = await guarded.new_client() if role == "anyone" else await sign_in(guarded, openid, groups=ROLES[role])
    wrong = []
    for door in CLOSED:
        body: dict[str, Any] = {} if door.method in SAFE_METHODS else {"json": {}}
        path = fill(door)
        if path.endswith("/events"):
            continue
        response = await client.request(door.method, path, allow_redirects=False, **body)
        is_refused = response.status in (401, 403) or response.headers.get("Location", "").startswith(
            ("/sign-in", "/console/pairs")
        )
        if is_refused == (RANKS.index(role) >= RANKS.index(door.who)):
            wrong.append((door.method, path, response.status))
    assert wrong == []


FORGED = [
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"X-CSRF-Token": ""},
    {"X-CSRF-Token": make_csrf("of-another-session")},
]


async def test_a_request_that_no_page_of_ours_made_changes_nothing(guarded: Site, openid: FakeOpenId) -> None:
    admin = await sign_in(guarded, openid, groups=["admins"])
    passed = []
    for door in CLOSED:
        for headers in FORGED if door.method not in SAFE_METHODS else ():
            response = await admin.request(door.method, fill(door), json={}, headers=headers)
            passed += [(door.path, headers)] if response.status != 403 else []
    assert passed == []


async def test_a_browser_that_asked_before_must_prove_itself_too(site: Site, client: TestClient) -> None:
    """Also where nobody signs in: a forged question or vote would be the person's."""
    await client.get("/")
    (cookie,) = [cookie for cookie in client.session.cookie_jar if cookie.key == COOKIE]
    forged = await client.post("/api/questions", json={"text": "When?"}, headers={"X-CSRF-Token": "guess"})
    page = await (await client.get("/")).text()
    assert (forged.status, f'content="{make_csrf(cookie.value)}"' in page) == (403, True)
    assert await site.database.fetch_dicts(b"SELECT id FROM inbox") == []


async def test_what_no_table_takes_is_no_name_of_an_adapter(guarded: Site, openid: FakeOpenId) -> None:
    admin = await sign_in(guarded, openid, groups=["admins"])
    for name in ("night-1\u0000", "\ud800", "\u0000"):
        response = await admin.post("/console/api/adapters/promote", json={"name": name})
        assert (name, response.status < 500) == (name, True)


TRICKS = [
    "/v1/models",
    "/v1/chat/completions",
    "//v1/models",
    "/./v1/models",
    "/static/../v1/models",
    "/static/%2e%2e/v1/models",
    "/static/..%2fv1/models",
    "/static/%2e%2e%2f%2e%2e%2fadmin.py",
    "/static//etc/passwd",
    "/static/%00",
    "/api/../v1/load_lora_adapter",
    "/api/passages/..%2f..%2fv1%2fmodels",
    "/console/..;/v1/models",
    "/%2e%2e/v1/models",
    "/sleep",
    "/wake_up",
    "/metrics/../v1/models",
    "/http://127.0.0.1:8081/v1/models",
]


METHODS = ["GET", "POST", "PUT", "DELETE", "CONNECT", "TRACE", "OPTIONS"]


async def test_no_route_of_the_model_server_is_reached_through_us(database: Database) -> None:
    model = FakeModelServer(sleep_mode=True)
    async with run_site(database, model=model) as site:
        assert site.model is model
        host = site.url.removeprefix("http://")
        tricks = [*TRICKS, f"{model.url}/v1/models", f"{host}/v1/models", "*"]
        for method, trick in itertools.product(METHODS, tricks):
            answer = await ask_raw(host, f"{method} {trick} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            status = int(answer.split(b" ", 2)[1]) if answer else 400
            assert (trick, status in (303, 400, 401, 403, 404, 405), b"max_model_len" in answer) == (trick, True, False)
    assert (model.requests, model.adapters, model.sleeps) == ([], {}, [])


async def ask_raw(host: str, request: str) -> bytes:
    """What is answered to bytes as they are: a client would tidy them up."""
    address, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(address, int(port))
    writer.write(request.encode())
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
        await writer.wait_closed()
