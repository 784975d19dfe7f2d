"""Signing in by the company's own service, and asking it again whether a session's person is still there."""

import base64
import logging
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from aiohttp import web
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.web.gate import check_next
from bot.web.identity import Identity, Rules, read_identity
from bot.web.oidc import Grant, Provider, SignInAwayError, SignInRefusedError
from bot.web.people import VISITOR, Visitors, name_cookie
from bot.web.sessions import Session, Sessions, to_hash
from bot.web.wording import WORDING, choose_language
from core.audit import record_act
from core.database import Database
from core.directory import LIST_SECONDS, Directory, Person
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

BACK_PATH = "/sign-in/back"
COOKIE = "nightbake_sign_in"
STATE_SECONDS = 600
# A person who was taken out is out within a minute, the service's own time to answer included.
CHECK_SECONDS = 45.0
# What the service said of groups counts no longer than what other directories say.
LONGEST_UNCHECKED_SECONDS = float(LIST_SECONDS)
_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """The service, what its claims mean, and the secret that seals what we keep of its tokens."""

    provider: Provider
    rules: Rules
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Begun:
    nonce: str
    verifier: str
    next_path: str


class SignIn:
    """Two addresses, and the word for sessions that began there."""

    def __init__(
        self,
        *,
        database: Database,
        sessions: Sessions,
        settings: SignInSettings,
        is_https: bool,
    ) -> None:
        self._database = database
        self._directory = Directory(database)
        self._sessions = sessions
        self._provider, self._rules = settings.provider, settings.rules
        self._seal = Fernet(_make_key(settings.client_secret))
        self._is_https = is_https
        self._cookie = name_cookie(COOKIE, is_https=is_https)
        self._origin = f"oidc:{self._provider.issuer}"

    def routes(self, visitors: Visitors) -> list[web.RouteDef]:
        """What to add to the application."""

        async def finish(request: web.Request) -> web.Response:
            return await self.finish(request, visitors)

        return [web.get("/sign-in", self.begin, allow_head=False), web.get(BACK_PATH, finish, allow_head=False)]

    async def close(self) -> None:
        """Release connections."""
        await self._provider.close()

    async def begin(self, request: web.Request) -> web.Response:
        """To the sign-in service, with a state that this browser alone can bring back."""
        browser = request.cookies.get(self._cookie, "")
        browser = browser if _BROWSER.fullmatch(browser) else secrets.token_urlsafe(32)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        try:
            address = await self._provider.build_address(state=state, nonce=nonce, verifier=verifier)
        except (SignInAwayError, SignInRefusedError) as error:
            raise self._tell_away(request, error) from error
        await self._database.execute(QUERIES["sweep"])
        await self._database.execute(
            QUERIES["begin"],
            {
                "state_hash": to_hash(state),
                "browser_hash": to_hash(browser),
                "nonce": nonce,
                "verifier": verifier,
                "next_path": check_next(request.query.get("next", "/")),
                "seconds": STATE_SECONDS,
            },
        )
        response = _go(address)
        response.set_cookie(
            self._cookie, browser, max_age=STATE_SECONDS, path="/", httponly=True, samesite="Lax", secure=self._is_https
        )
        return response

    async def finish(self, request: web.Request, visitors: Visitors) -> web.Response:
        """Back from the service: the code becomes claims, claims a person, the person a new session.

        Raises:
            web.HTTPBadRequest: not begun here and now.
            web.HTTPForbidden: refused, or in no group that may come in.
            web.HTTPServiceUnavailable: the service is away.
        """
        begun = await self._take(request)
        if begun is None:
            raise await self._refuse(request, "sign_in_stale", status=400)
        try:
            if request.query.get("iss", self._provider.issuer) != self._provider.issuer:
                raise SignInRefusedError("the answer names another issuer")
            code = request.query.get("code", "")
            if not code:
                raise SignInRefusedError(f"no code but {request.query.get('error', 'nothing')[:100]!r}")
            grant = await self._provider.exchange(code, verifier=begun.verifier, nonce=begun.nonce)
        except SignInRefusedError as error:
            log.warning("a sign-in was refused", extra={"error": str(error)})
            raise await self._refuse(request, "sign_in_refused") from error
        except SignInAwayError as error:
            raise self._tell_away(request, error) from error
        return await self._admit(request, visitors, grant, begun.next_path)

    async def vouch(self, session: Session) -> Session | None:
        """A session as it is now; None where its person may no longer come in.

        Side effects: asks the service once in `CHECK_SECONDS`, where it gave a token for that. Without one, or while
        the service is away, what it said counts for `LONGEST_UNCHECKED_SECONDS`; then the person signs in again.
        """
        if session.origin != self._origin or session.checked_seconds > LONGEST_UNCHECKED_SECONDS:
            await self._sessions.end(session.token_hash)
            return None
        is_due = session.refresh_token and session.checked_seconds > CHECK_SECONDS
        if not is_due or not await self._sessions.claim_check(session, check_seconds=CHECK_SECONDS):
            return session
        try:
            return await self._check(session)
        except SignInAwayError as error:
            log.warning("the sign-in service is away", extra={"error": str(error)})
            return session
        except (SignInRefusedError, InvalidToken) as error:
            log.info("a session is over", extra={"person": session.person, "error": str(error)})
            await self._forget_groups(session)
            await self._sessions.end(session.token_hash)
            return None

    async def _check(self, session: Session) -> Session | None:
        assert session.refresh_token
        grant = await self._provider.refresh(self._seal.decrypt(session.refresh_token).decode())
        identity = read_identity(self._provider.issuer, grant.claims, self._rules)
        if identity.person != session.person or identity.role is None:
            raise SignInRefusedError("no role any more, or another person")
        await self._learn(identity)
        sealed = self._seal_token(grant)
        await self._sessions.confirm(session, role=identity.role, name=identity.name, refresh_token=sealed)
        return replace(session, role=identity.role, name=identity.name, checked_seconds=0.0)

    async def _admit(self, request: web.Request, visitors: Visitors, grant: Grant, next_path: str) -> web.Response:
        identity = read_identity(self._provider.issuer, grant.claims, self._rules)
        if identity.role is None:
            raise await self._refuse(request, "not_a_reader", actor=identity.person)
        await self._learn(identity)
        before = request[VISITOR].session
        if before:
            await self._sessions.end(before.token_hash)
        token = await self._sessions.begin(
            identity.role,
            origin=self._origin,
            person=identity.person,
            name=identity.name,
            refresh_token=self._seal_token(grant),
        )
        if identity.role != "reader":
            await record_act(
                self._database, actor=identity.person, act=f"sign in as {identity.role}", subject=request.remote or ""
            )
        response = _go(next_path)
        visitors.let_in(response, token)
        return response

    async def _take(self, request: web.Request) -> _Begun | None:
        state, browser = request.query.get("state", ""), request.cookies.get(self._cookie, "")
        parameters = {"state_hash": to_hash(state), "browser_hash": to_hash(browser)}
        return await self._database.fetch_one(QUERIES["take"], parameters, _Begun) if state and browser else None

    async def _learn(self, identity: Identity) -> None:
        """Into the directory: the address joins the person with Slack and Teams, the groups open documents."""
        person = Person(identity.person, "member", datetime.now(UTC), email=identity.email)
        await self._directory.put_people([person])
        await self._put_groups(identity.person, identity.principals)

    async def _forget_groups(self, session: Session) -> None:
        if session.person:
            await self._put_groups(session.person, ())

    async def _put_groups(self, person: str, principals: tuple[str, ...]) -> None:
        workspace = f"oidc:{person}"
        state = await self._directory.find_state(workspace)
        await self._directory.put_groups(workspace, {name: [person] for name in principals}, state.version)

    def _seal_token(self, grant: Grant) -> bytes | None:
        return self._seal.encrypt(grant.refresh_token.encode()) if grant.refresh_token else None

    async def _refuse(
        self, request: web.Request, why: str, *, actor: str = "anyone", status: int = 403
    ) -> web.HTTPException:
        await record_act(self._database, actor=actor, act="refused: sign in", subject=request.remote or "")
        words = WORDING[choose_language(request)]
        text = words["sign_in_failed"].format(why=words[why])
        return web.HTTPBadRequest(text=text) if status == 400 else web.HTTPForbidden(text=text)

    def _tell_away(self, request: web.Request, error: Exception) -> web.HTTPException:
        log.error("nobody can sign in", extra={"error": str(error)})
        return web.HTTPServiceUnavailable(text=WORDING[choose_language(request)]["sign_in_away"])


def _make_key(client_secret: str) -> bytes:
    """A key for what is kept, made from the secret in the environment: a copy of the database alone opens nothing."""
    derived = HKDF(hashes.SHA256(), 32, None, b"nightbake refresh tokens").derive(client_secret.encode())
    return base64.urlsafe_b64encode(derived)


def _go(address: str) -> web.Response:
    return web.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})
