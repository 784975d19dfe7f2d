"""The gate before every route: who may use it, whether a page of ours asks, and what becomes of those who may not."""

import hmac
import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.web.doors import SAFE_METHODS, Door, find_door, may_use
from bot.web.guard import check_origin, is_api
from bot.web.people import PERSON, VISITOR, Visitor, Visitors, hash_admin_token, knows_csrf
from bot.web.sessions import LINK, Sessions
from core.audit import record_act
from core.database import Database

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Page = Callable[[web.Request], web.Response]

CSRF_HEADER = "X-CSRF-Token"
REVIEWERS_PAGE = "/console/pairs"
# Pages and requests that name a new browser; the rest goes without.
_NAMES = re.compile(r"/|/api/.*|/console/exercises")
LONGEST_PATH = 1_000


class Gate:
    """Lets in, by the table of doors alone.

    Args:
        admin_token: opens the console as a link does, and stays valid; None: there is none.
        locked_page: for who must open the console first; `denied_page` for who is somebody, and may not.
    """

    def __init__(
        self,
        *,
        database: Database,
        sessions: Sessions,
        visitors: Visitors,
        admin_token: str | None,
        base_url: str,
        locked_page: Page,
        denied_page: Page,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._visitors = visitors
        self._admin_token = admin_token
        self._base_url = base_url
        self._locked_page = locked_page
        self._denied_page = denied_page

    @property
    def middleware(self) -> Middleware:
        """What stands before every handler."""

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            door = find_door(request)
            if door and door.who == "platform":
                return await handler(request)
            visitor = await self._visitors.find(request)
            request[VISITOR], request[PERSON] = visitor, visitor.person
            if request.method == "GET" and "token" in request.query and is_console(request):
                return await self._exchange(request)
            return await self._pass(request, handler, door, visitor)

        return middleware

    async def open_console(self, token: str, request: web.Request) -> str | None:
        """A session's token for that of a link or ADMIN_TOKEN; None, and a row in the audit, where it is neither."""
        origin, role = LINK, await self._sessions.take_link(token)
        if (
            role is None
            and self._admin_token
            and hmac.compare_digest(token.encode("utf-8", "replace"), self._admin_token.encode())
        ):
            origin, role = hash_admin_token(self._admin_token), "admin"
        if role is None:
            await record_act(self._database, actor="anyone", act="refused: open console", subject=request.remote or "")
            return None
        visitor = request[VISITOR]
        if visitor.session:
            await self._sessions.end(visitor.session.token_hash)
        await record_act(self._database, actor="console", act="open console", subject=request.remote or "")
        return await self._sessions.begin(role, origin=origin)

    async def _pass(
        self, request: web.Request, handler: Handler, door: Door | None, visitor: Visitor
    ) -> web.StreamResponse:
        if door is None:
            if is_console(request) and visitor.role != "admin":
                return await self._refuse(request, visitor)
            if request.match_info.http_exception is None:
                raise web.HTTPForbidden(text="no role was declared for this address")
            return await handler(request)
        if not may_use(visitor.role, door):
            return await self._refuse(request, visitor)
        if request.method not in SAFE_METHODS:
            check_origin(request, self._base_url)
            if not knows_csrf(visitor, request.headers.get(CSRF_HEADER, "")):
                raise web.HTTPForbidden(text="This page is out of date; please reload it. / 페이지를 새로 고쳐 주세요.")
        response = await handler(request)
        if _NAMES.fullmatch(request.path):
            self._visitors.keep(response, visitor)
        return response

    async def _refuse(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """To the sign-in, to a page of one's own, or away."""
        if visitor.session is None:
            if is_api(request):
                raise web.HTTPUnauthorized(text="Please sign in again: reload the page. / 다시 로그인해 주세요.")
            if self._visitors.must_sign_in and request.method in SAFE_METHODS:
                following = urlencode({"next": request.path_qs[:LONGEST_PATH]})
                return _go(f"/sign-in?{following}")
            return self._locked_page(request)
        if request.path == "/console" and visitor.role == "reviewer":
            return _go(REVIEWERS_PAGE)
        # As it was sent: what it stands for may hold characters that no table takes.
        subject = request.rel_url.raw_path[:LONGEST_PATH]
        await record_act(self._database, actor=visitor.actor, act=f"refused: {request.method}", subject=subject)
        if is_api(request):
            raise web.HTTPForbidden(text="Your role does not allow that. / 권한이 없습니다.")
        return self._denied_page(request)

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        """The token leaves the address at once."""
        token = await self.open_console(request.query["token"], request)
        if token is None:
            return self._locked_page(request)
        rest = [(name, text) for name, text in request.query.items() if name != "token"]
        response = _go(f"{request.path}?{urlencode(rest)}" if rest else request.path)
        self._visitors.let_in(response, token)
        return response


def is_console(request: web.Request) -> bool:
    """Whether an address is under `/console`, whether or not there is such a page."""
    return request.path == "/console" or request.path.startswith("/console/")


def check_next(path: str) -> str:
    """Where to go after signing in: a place of ours, or the chat."""
    is_ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    return path if is_ours and not parts.netloc and not parts.scheme and len(path) <= LONGEST_PATH else "/"


def _go(address: str) -> web.Response:
    return web.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})
