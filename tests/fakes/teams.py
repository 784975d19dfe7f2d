"""Teams' side: the Bot Connector that takes our messages, and the key server behind its tokens."""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Self

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

APP_ID = "11111111-aaaa-4444-8888-000000000001"
TENANT = "22222222-bbbb-4444-8888-000000000002"
ISSUER = "https://api.botframework.com"


@dataclass
class Call:
    method: str
    path: str
    activity: dict[str, Any]
    authorization: str | None


class FakeTeams:
    """Records calls and keeps the messages as they stand.

    Attributes:
        messages: the last form of each message, by `conversation|id`, in order of posting.
        statuses: HTTP statuses of the next calls.
        keys: what the key server publishes, by key id.
        key_status: what the key server answers with.
        key_seconds: how long it takes.
        key_requests: how often the keys were fetched.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.statuses: list[int] = []
        self.keys: dict[str, dict[str, Any]] = {"key-1": publish("key-1")}
        self.key_status = 200
        self.key_seconds = 0.0
        self.key_requests = 0
        self._numbers = itertools.count(1)
        app = web.Application()
        activities = "/connector/v3/conversations/{conversation}/activities"
        app.add_routes(
            [
                web.get("/openid", self._describe),
                web.get("/keys", self._publish),
                web.post(activities, self._post),
                web.post(activities + "/{id}", self._post),
                web.put(activities + "/{id}", self._update),
            ]
        )
        self._server = TestServer(app)

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None):
        await self._server.close()

    @property
    def service_url(self) -> str:
        return str(self._server.make_url("/connector/"))

    @property
    def openid_url(self) -> str:
        return str(self._server.make_url("/openid"))

    async def _describe(self, _: web.Request) -> web.Response:
        return web.json_response({"issuer": ISSUER, "jwks_uri": str(self._server.make_url("/keys"))})

    async def _publish(self, _: web.Request) -> web.Response:
        self.key_requests += 1
        await asyncio.sleep(self.key_seconds)
        return web.json_response({"keys": list(self.keys.values())}, status=self.key_status)

    async def _post(self, request: web.Request) -> web.Response:
        activity = await self._record(request)
        if self.statuses:
            return _refuse(self.statuses.pop(0))
        number = f"17000000000{next(self._numbers):02}"
        self.messages[f"{request.match_info['conversation']}|{number}"] = activity
        return web.json_response({"id": number}, status=201)

    async def _update(self, request: web.Request) -> web.Response:
        activity = await self._record(request)
        key = f"{request.match_info['conversation']}|{request.match_info['id']}"
        if self.statuses:
            return _refuse(self.statuses.pop(0))
        if key not in self.messages:
            return _refuse(404)
        self.messages[key] = activity
        return web.json_response({"id": request.match_info["id"]})

    async def _record(self, request: web.Request) -> dict[str, Any]:
        activity = await request.json()
        self.calls.append(Call(request.method, request.path, activity, request.headers.get("Authorization")))
        return activity


def _refuse(status: int) -> web.Response:
    return web.json_response({"error": {"code": "ServiceError", "message": "refused"}}, status=status)


@cache
def make_key(key_id: str) -> RSAPrivateKey:
    """A key pair of this test run."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def publish(key_id: str, *, endorsements: tuple[str, ...] = ("msteams",)) -> dict[str, Any]:
    """A key as the key server lists it."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(make_key(key_id).public_key()))
    return public | {"kid": key_id, "use": "sig", "endorsements": list(endorsements)}


def sign(service_url: str, *, key_id: str = "key-1", signed_by: str | None = None, **claims: Any) -> str:
    """A token as the Connector makes it; `claims` replace its own, and None leaves one out."""
    now = int(time.time())
    own = {"iss": ISSUER, "aud": APP_ID, "serviceurl": service_url, "nbf": now - 60, "exp": now + 3600}
    merged = {name: value for name, value in (own | claims).items() if value is not None}
    return jwt.encode(merged, make_key(signed_by or key_id), algorithm="RS256", headers={"kid": key_id})
