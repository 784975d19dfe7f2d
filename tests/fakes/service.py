"""What fakes of HTTP services share: a server, a log of requests, tokens that expire, limits, outages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FakeService:
    """A server of routes that a subclass adds.

    Attributes:
        authorization: header that lets in; None asks for none. A request with another gets 401.
        limits: values of `Retry-After` for the next requests, whatever they are.
        outages: statuses of the next requests whose path holds a text, by that text.
    """

    authorization: str | None = None
    limits: list[str] = field(default_factory=list)
    outages: dict[str, list[int]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = web.Application(middlewares=[self._guard])
        self.add_routes()
        self._server = TestServer(self.app)

    def add_routes(self) -> None:
        raise NotImplementedError

    def is_open(self, path: str) -> bool:
        """Whether a path needs no credentials."""
        return False

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None):
        await self._server.close()

    @property
    def url(self) -> str:
        return str(self._server.make_url("/")).rstrip("/")

    def count(self, part: str) -> int:
        """How many requests had this in their path."""
        return sum(part in request for request in self.requests)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        self.headers.append(dict(request.headers))
        if self.limits:
            return web.json_response({"error": "slow down"}, status=429, headers={"Retry-After": self.limits.pop(0)})
        for part, statuses in self.outages.items():
            if part in request.path_qs and statuses:
                return web.json_response({"error": "outage"}, status=statuses.pop(0))
        known = request.headers.get("Authorization") == self.authorization
        if self.authorization and not known and not self.is_open(request.path):
            return web.json_response({"error": "unauthorized"}, status=401)
        return await handler(request)


def page_of(rows: list[Any], request: web.Request, name: str, size: int) -> tuple[list[Any], str | None]:
    """Rows from the place that a request's parameter names, and the place of the next ones."""
    start = int(request.query.get(name) or 0)
    following = start + size
    return rows[start:following], str(following) if following < len(rows) else None
