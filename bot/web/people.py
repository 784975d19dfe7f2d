"""Who is asking: a random cookie that names a browser, and an id that nobody can choose."""

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "nightbake_person"
COOKIE_SECONDS = 400 * 24 * 3600
_SHAPE = re.compile(r"[A-Za-z0-9_-]{32}")

PERSON = web.RequestKey("person", str)


def to_person(cookie: str) -> str:
    """The id of a cookie's owner: half of a hash, too long to search for a cookie that gives another's id."""
    return f"user:web-{hashlib.sha256(cookie.encode()).hexdigest()[:32]}"


def know_person(*, is_https: bool) -> Middleware:
    """Set `request[PERSON]`; a browser that is new gets its cookie with the chat page or its first question.

    Also with the queue of exercises, where two looks must be those of two people.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        cookie = request.cookies.get(COOKIE, "")
        is_new = not _SHAPE.fullmatch(cookie)
        if is_new:
            cookie = secrets.token_urlsafe(24)
        request[PERSON] = to_person(cookie)
        response = await handler(request)
        names = request.path in ("/", "/console/exercises") or request.path.startswith("/api/")
        if is_new and not response.prepared and names:
            response.set_cookie(COOKIE, cookie, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=is_https)
        return response

    return middleware
