"""Who may see the console: whoever opened it once by the link with the admin token."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.web.guard import is_api

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LockedPage = Callable[[web.Request], web.Response]

COOKIE = "nightbake_admin"
COOKIE_SECONDS = 30 * 24 * 3600
ACTOR = "console"


def make_pass(admin_token: str) -> str:
    """What the cookie holds: it opens the console and does not tell the token; a new token ends it."""
    return hmac.new(admin_token.encode(), b"nightbake console", hashlib.sha256).hexdigest()


def lock_console(*, admin_token: str, is_https: bool, locked_page: LockedPage) -> Middleware:
    """Let only admins through to `/console`; the token leaves the address at once."""
    expected = make_pass(admin_token)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != "/console" and not request.path.startswith("/console/"):
            return await handler(request)
        token = request.query.get("token")
        if token is not None and _is_same(make_pass(token), expected):
            return _let_in(request, expected, is_https=is_https)
        if token is None and _is_same(request.cookies.get(COOKIE, ""), expected):
            return await handler(request)
        if is_api(request):
            raise web.HTTPUnauthorized(text="the console is locked; open it by the link with the admin token")
        return locked_page(request)

    return middleware


def _let_in(request: web.Request, value: str, *, is_https: bool) -> web.Response:
    rest = [(name, text) for name, text in request.query.items() if name != "token"]
    address = f"{request.path}?{urlencode(rest)}" if rest else request.path
    response = web.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE, value, max_age=COOKIE_SECONDS, path="/console", httponly=True, samesite="Lax", secure=is_https
    )
    return response


def _is_same(given: str, expected: str) -> bool:
    """In constant time; bytes, because a cookie may hold any character."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
