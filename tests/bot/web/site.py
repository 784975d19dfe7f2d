"""The real web room on a free port: real inbox, worker and answerer, a fake model server, two fixed documents."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from bot.handlers import QuestionHandler
from bot.inbox import Claimed, Inbox
from bot.web.app import build_app
from bot.web.gate import CSRF_HEADER
from bot.web.live import Live
from bot.web.night import RunNight
from bot.web.people import COOKIE, SESSION_COOKIE, make_csrf
from bot.worker import Worker
from core.adapters import Adapters
from core.database import Database
from core.errors import NotFoundError
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.model_server import ModelServer
from core.records import Passage
from core.serving import Serving
from retrieval.query import Found
from retrieval.query_words import Change
from tests.bot.assistant import build_answerer
from tests.fakes.model_server import FakeModelServer, run_model_server

TOKEN = "correct-horse-battery-staple"
LEAVE = Passage(
    1,
    11,
    1,
    1,
    "Employee handbook",
    "Time off > Annual leave",
    "handbook/leave.md",
    4,
    0,
    96,
    "Employees have 23 days of annual leave. Unused days move to the next year until the end of March.",
    "en",
    0.9,
    0.9,
    8.0,
    ["everyone"],
)
TRAVEL = replace(
    LEAVE,
    number=2,
    chunk_id=12,
    document_id=2,
    title="Travel policy",
    heading_path="Expenses",
    path="travel.pdf",
    page=None,
    text="The team lead approves travel expenses. Receipts are handed in within 30 days.",
)


# So that what was answered from them may be shown again; in an empty database they have the passages' numbers.
_STORE = b"""INSERT INTO documents (source, path, title, format, language, sha256, recipe, allow, deny)
             SELECT 'site', path, title, 'md', 'en', path, '1', '{everyone}', '{}'
             FROM unnest(%(paths)s::text[], %(titles)s::text[]) WITH ORDINALITY AS row(path, title, place)
             ORDER BY place
             ON CONFLICT DO NOTHING"""


class FixedSearch:
    """The same passages for every question, unless a test changes them; `error` is raised where there is one."""

    def __init__(self) -> None:
        self.passages = [LEAVE, TRAVEL]
        self.changes: list[Change] = []
        self.error: Exception | None = None

    async def search(self, question: str, principals: Sequence[str], *, limit: int) -> list[Passage]:
        """What these principals may read of the fixed passages."""
        return [one for one in self.passages if set(one.allow) & set(principals)][:limit]

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> Found:
        """As a finder that changes nothing but says `changes`."""
        if self.error:
            raise self.error
        return Found(await self.search(question, principals, limit=limit), question, self.changes)


@dataclass(frozen=True)
class FixedPlace:
    """A passage in its document."""

    title: str
    path: str
    changed_at: datetime
    page: int | None
    heading_path: str
    text_before: str
    passage: str
    text_after: str


class FixedPlaces:
    """The places of the fixed passages."""

    def __init__(self, search: FixedSearch) -> None:
        self._search = search

    async def get_place(self, chunk_id: int, principals: Sequence[str]) -> FixedPlace:
        """The place, for those who may read it."""
        for one in self._search.passages:
            if one.chunk_id == chunk_id and set(one.allow) & set(principals):
                before, after = "Welcome to the company.\n\n", "\n\nSick days are reported on the first day."
                changed_at = datetime(2026, 5, 3, 23, tzinfo=UTC)
                return FixedPlace(one.title, one.path, changed_at, one.page, one.heading_path, before, one.text, after)
        raise NotFoundError(f"no passage {chunk_id}")


class PageClient(TestClient[web.Request, web.Application]):
    """A browser whose pages send what pages of ours send: the proof that goes with its newest cookie."""

    async def _request(self, method: str, path: str, **kwargs: Any) -> ClientResponse:
        cookies = self.session.cookie_jar.filter_cookies(self.make_url("/"))
        held = next((cookies[name].value for name in (SESSION_COOKIE, COOKIE) if name in cookies), None)
        headers = {CSRF_HEADER: make_csrf(held)} if held else {}
        return await super()._request(
            method, path, **{**kwargs, "headers": headers | dict(kwargs.get("headers") or {})}
        )


@dataclass
class Site:
    """A running site and its parts; `principals` is what every web person may read."""

    database: Database
    model: FakeModelServer
    search: FixedSearch
    live: Live
    inbox: Inbox
    interactions: Interactions
    feedback: FeedbackLog
    adapters: Adapters
    worker: Worker
    app: web.Application
    url: str = ""
    principals: list[str] = field(default_factory=lambda: ["everyone"])
    clients: list[TestClient] = field(default_factory=list)
    server: TestServer | None = None

    async def new_client(self) -> TestClient:
        """Another browser, with cookies of its own."""
        assert self.server
        client = PageClient(self.server)
        self.clients.append(client)
        return client


@asynccontextmanager
async def run_site(
    database: Database,
    *,
    model: FakeModelServer | None = None,
    run_night: RunNight | None = None,
    stall_seconds: float = 0.3,
    port: int | None = None,
    base_url: str = "http://nightbake.test",
    **options: Any,
) -> AsyncIterator[Site]:
    """Build what `nightbake.py` builds, serve it, and take it down again; `options` are those of `build_app`."""
    fixed = (LEAVE, TRAVEL)
    await database.execute(_STORE, {"paths": [one.path for one in fixed], "titles": [one.title for one in fixed]})
    async with run_model_server(model) as fake:
        model_server = ModelServer(fake.url, fake.model, stall_seconds=stall_seconds, timeout_seconds=10)
        site = _build(database, fake, model_server, run_night=run_night, base_url=base_url, **options)
        site.server = TestServer(site.app, port=port)
        await site.server.start_server()
        site.url = str(site.server.make_url("/")).rstrip("/")
        await site.worker.start()
        try:
            yield site
        finally:
            await site.worker.stop()
            for client in site.clients:
                await client.close()
            await site.server.close()
            await model_server.close()


def _build(
    database: Database, fake: FakeModelServer, model_server: ModelServer, *, base_url: str, **options: Any
) -> Site:
    inbox, interactions, feedback = Inbox(database), Interactions(database), FeedbackLog(database)
    live, search, adapters = Live(), FixedSearch(), Adapters(database)
    principals = ["everyone"]

    async def find_principals(_: str | Claimed) -> list[str]:
        return principals

    answerer = build_answerer(database, search, model_server, base_url=base_url)
    handler = QuestionHandler(
        answerer=answerer, interactions=interactions, platforms={"web": live}, find_principals=find_principals
    )
    worker = Worker(inbox=inbox, handlers={"question": handler}, give_up=handler.give_up, concurrency=2)
    app = build_app(
        inbox=inbox,
        feedback=feedback,
        live=live,
        database=database,
        serving=Serving(adapters=adapters, model_server=model_server),
        adapters=adapters,
        places=FixedPlaces(search),
        find_principals=find_principals,
        base_url=base_url,
        **{"admin_token": TOKEN, **options},
    )
    site = Site(database, fake, search, live, inbox, interactions, feedback, adapters, worker, app)
    site.principals = principals
    return site
