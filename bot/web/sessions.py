"""Sessions of the web, in the database: a random token in the cookie, its hash here, ended by one statement."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal

from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)

Role = Literal["reader", "reviewer", "admin"]
LINK = "link"
LINK_SECONDS = 3600
# How exactly it is known when somebody was here last.
TOUCH_SECONDS = 60.0
# How long the sign-in service may take to answer before another process asks.
ASKING_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in.

    Attributes:
        origin: what opened it: `link`, `token:HASH` or `oidc:ISSUER`.
        person: who signed in; None where a link or a token names nobody.
        name: as the page shows the person.
        seen_seconds: since the last request, to a minute; `checked_seconds` since the sign-in service was asked.
    """

    token_hash: bytes
    origin: str
    person: str | None
    name: str
    role: Role
    refresh_token: bytes | None
    seen_seconds: float
    checked_seconds: float


@dataclass(frozen=True, slots=True)
class _Link:
    role: Role


@dataclass(frozen=True, slots=True)
class _Hash:
    token_hash: bytes


class Sessions:
    """Begins, finds and ends sessions.

    Args:
        idle_seconds: without a request, after which a session is over.
        longest_seconds: after which it is over in any case.
    """

    def __init__(self, database: Database, *, idle_seconds: float, longest_seconds: float) -> None:
        self._database = database
        self._limits = {"idle_seconds": idle_seconds, "longest_seconds": longest_seconds}

    async def begin(
        self,
        role: Role,
        *,
        origin: str,
        person: str | None = None,
        name: str = "",
        refresh_token: bytes | None = None,
    ) -> str:
        """A new session; the token for its cookie. Those that are over are swept away."""
        token = secrets.token_urlsafe(32)
        await self._database.execute(QUERIES["sweep_sessions"], self._limits)
        await self._database.execute(
            QUERIES["begin"],
            {
                "token_hash": to_hash(token),
                "origin": origin,
                "person": person,
                "name": name,
                "role": role,
                "refresh_token": refresh_token,
            },
        )
        return token

    async def find(self, token: str) -> Session | None:
        """The session of a cookie, while it lasts."""
        if not token:
            return None
        parameters = {"token_hash": to_hash(token), **self._limits}
        found = await self._database.fetch_one(QUERIES["find"], parameters, Session)
        if found and found.seen_seconds > TOUCH_SECONDS:
            await self._database.execute(QUERIES["touch"], {"token_hash": found.token_hash})
        return found

    async def claim_check(self, session: Session, *, check_seconds: float) -> bool:
        """Whether it falls to the caller to ask the sign-in service for this session again."""
        parameters = {"check_seconds": check_seconds, "asking_seconds": ASKING_SECONDS}
        rows = await self._database.fetch_all(
            QUERIES["claim_check"], {"token_hash": session.token_hash, **parameters}, _Hash
        )
        return bool(rows)

    async def confirm(self, session: Session, *, role: Role, name: str, refresh_token: bytes | None) -> None:
        """The sign-in service vouched again; None keeps the refresh token."""
        parameters = {"role": role, "name": name, "refresh_token": refresh_token}
        await self._database.execute(QUERIES["confirm"], {"token_hash": session.token_hash, **parameters})

    async def end(self, token_hash: bytes) -> None:
        """Sign out; counts from the next request on, in every process."""
        await self._database.execute(QUERIES["end"], {"token_hash": token_hash})

    async def take_link(self, token: str) -> Role | None:
        """The role of a link that opens once, which is void from now on; None where there is none such."""
        found = await self._database.fetch_one(QUERIES["take_link"], {"token_hash": to_hash(token)}, _Link)
        return found.role if found else None


async def end_person(database: Database, name: str) -> int:
    """Sign a person out everywhere, by name or e-mail address; how many sessions that were."""
    return len(await database.fetch_all(QUERIES["end_person"], {"name": name}, _Hash))


async def make_link(
    database: Database, base_url: str, *, path: str = "/console", role: Role = "admin", seconds: float = LINK_SECONDS
) -> str:
    """An address that opens the console once, within an hour; whoever reaches the database may make one."""
    token = secrets.token_urlsafe(32)
    await database.execute(QUERIES["sweep_links"])
    await database.execute(QUERIES["add_link"], {"token_hash": to_hash(token), "role": role, "seconds": seconds})
    return f"{base_url}{path}?token={token}"


def to_hash(token: str) -> bytes:
    """What is stored of a random token; nothing can be tried out on it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
