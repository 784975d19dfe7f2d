"""Who is asking: a person who signed in, or a random cookie that names a browser by an id that nobody can choose."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from bot.web.sessions import LINK, Role, Session, Sessions

Vouch = Callable[[Session], Awaitable[Session | None]]

COOKIE = "nightbake_person"
SESSION_COOKIE = "nightbake_session"
COOKIE_SECONDS = 400 * 24 * 3600
CONSOLE_ACTOR = "console"
_SHAPE = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sent a request.

    Attributes:
        role: None for somebody who must sign in first.
        actor: who it was, for the audit log.
        name: as pages show it; empty where nobody signed in.
        csrf: what a page must send along to change something.
        cookies: secrets that the browser presented, of which a forged request knows none.
        new_cookie: names the browser from now on.
    """

    person: str
    role: Role | None
    actor: str
    name: str
    csrf: str
    cookies: tuple[str, ...]
    session: Session | None = None
    new_cookie: str | None = None


PERSON = web.RequestKey("person", str)
VISITOR = web.RequestKey("visitor", Visitor)


def get_actor(request: web.Request) -> str:
    """Who acts in the console: the person who signed in, else `console`."""
    return request[VISITOR].actor


def to_person(cookie: str) -> str:
    """The id of a cookie's owner: half of a hash, too long to search for a cookie that gives another's id."""
    return f"user:web-{hashlib.sha256(cookie.encode()).hexdigest()[:32]}"


def name_cookie(name: str, *, is_https: bool) -> str:
    """With the prefix by which browsers take a cookie from this very host and by https only."""
    return f"__Host-{name}" if is_https else name


def make_csrf(cookie: str) -> str:
    """What only a page of ours that was shown to this browser can know."""
    digest = hmac.new(cookie.encode("utf-8", "replace"), b"nightbake csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def knows_csrf(visitor: Visitor, given: str) -> bool:
    """Whether a request comes from a page of ours; a browser without a secret has nothing to lose."""
    known = given.encode("utf-8", "replace")
    return not visitor.cookies or any(
        hmac.compare_digest(known, make_csrf(cookie).encode()) for cookie in visitor.cookies
    )


def hash_admin_token(admin_token: str) -> str:
    """What a session keeps of the token that opened it: another token ends it."""
    return "token:" + hmac.new(admin_token.encode(), b"nightbake console", hashlib.sha256).hexdigest()


class Visitors:
    """Finds out who sent a request.

    Args:
        vouch: of the sign-in service, for a session that it opened: the session as it is now, None where it is over.
            None: nobody has to sign in, and everybody who reaches us may ask.
    """

    def __init__(self, sessions: Sessions, *, is_https: bool, admin_token: str | None, vouch: Vouch | None) -> None:
        self._sessions = sessions
        self._vouch = vouch
        self._cookie = name_cookie(COOKIE, is_https=is_https)
        self._session_cookie = name_cookie(SESSION_COOKIE, is_https=is_https)
        self._is_https = is_https
        self._token_origin = hash_admin_token(admin_token) if admin_token else None

    @property
    def must_sign_in(self) -> bool:
        """Whether there is a sign-in service."""
        return self._vouch is not None

    async def find(self, request: web.Request) -> Visitor:
        """The visitor; a browser that shows no cookie gets a new one, which `keep` sets."""
        token = request.cookies.get(self._session_cookie, "")
        session = await self._find_session(token)
        cookie = request.cookies.get(self._cookie, "")
        is_new = not _SHAPE.fullmatch(cookie)
        if is_new:
            cookie = secrets.token_urlsafe(24)
        person = session.person if session and session.person else to_person(cookie)
        presented = (*([token] if session else []), *([] if is_new else [cookie]))
        return Visitor(
            person=person,
            role=session.role if session else None if self.must_sign_in else "reader",
            actor=session.person or CONSOLE_ACTOR if session else "anyone",
            name=session.name if session else "",
            csrf=make_csrf(token if session else cookie),
            cookies=presented,
            session=session,
            new_cookie=cookie if is_new and not (session and session.person) else None,
        )

    def keep(self, response: web.StreamResponse, visitor: Visitor) -> None:
        """Give a new browser its cookie."""
        if visitor.new_cookie and not response.prepared:
            self._set(response, self._cookie, visitor.new_cookie, COOKIE_SECONDS)

    def let_in(self, response: web.StreamResponse, token: str) -> None:
        """Give the browser its session's cookie, for as long as the browser runs."""
        self._set(response, self._session_cookie, token, None)

    def let_out(self, response: web.StreamResponse) -> None:
        """Take it back."""
        response.del_cookie(self._session_cookie, path="/", secure=self._is_https, httponly=True, samesite="Lax")

    async def _find_session(self, token: str) -> Session | None:
        session = await self._sessions.find(token)
        if session is None or session.origin in (LINK, self._token_origin):
            return session
        if session.origin.startswith("oidc:") and self._vouch:
            return await self._vouch(session)
        return None

    def _set(self, response: web.StreamResponse, name: str, value: str, seconds: int | None) -> None:
        response.set_cookie(
            name, value, max_age=seconds, path="/", httponly=True, samesite="Lax", secure=self._is_https
        )
