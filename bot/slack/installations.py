"""Tokens of workspaces that installed the app: encrypted in PostgreSQL, refreshed in time, forgotten when revoked."""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_sdk.errors import SlackApiError

from bot.slack.api import SlackError, build_client
from core.database import Database
from core.errors import NightbakeError
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

# Slack's tokens live twelve hours where they are rotated.
REFRESH_AHEAD = timedelta(hours=2)
# How long a replica goes on with what it has read.
REMEMBERED_SECONDS = 60.0

Clock = Callable[[], float]


class SealError(NightbakeError):
    """A stored token cannot be read with SLACK_TOKEN_KEY; add the key it was stored with, or install again."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a workspace or an organisation gives when it installs the app.

    Attributes:
        place: id of the workspace, or of the organisation.
        refresh_token, expires_at: None where tokens are not rotated.
    """

    place: str
    token: str
    scopes: Sequence[str]
    installed_by: str
    refresh_token: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Stored:
    place: str
    sealed: bytes
    expires_at: datetime | None


class Seal:
    """Encrypts with the first key and reads with any, so a key is changed by putting a new one before it."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def close(self, place: str, token: str, refresh_token: str | None) -> bytes:
        """What is stored; it opens for this place only."""
        content = {"place": place, "token": token, "refresh_token": refresh_token}
        return self._fernet.encrypt(json.dumps(content).encode())

    def open(self, place: str, sealed: bytes) -> tuple[str, str | None]:
        """Token and refresh token.

        Raises:
            SealError: another key closed it, or it was stored for another place.
        """
        try:
            content = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise SealError(_explain(place)) from error
        if content["place"] != place:
            raise SealError(_explain(place))
        return content["token"], content["refresh_token"]

    def renew(self, sealed: bytes) -> bytes | None:
        """The same under the first key; None where no key opens it."""
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken:
            return None


class Installations:
    """The `Tokens` of `SlackApi` for several workspaces and for Enterprise Grid."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        *,
        client_id: str,
        client_secret: str,
        api_url: str,
        clock: Clock = time.monotonic,
    ) -> None:
        self._database = database
        self._seal = seal
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._api_url = api_url
        self._clock = clock
        self._remembered: dict[str, tuple[str, float]] = {}

    async def get(self, team: str) -> str:
        """The bot token for a workspace, fresh for two hours at least.

        Raises:
            SlackError: the app is not installed there.
            SealError: the token cannot be read.
        """
        token, until = self._remembered.get(team, ("", 0.0))
        if self._clock() < until:
            return token
        token = await self._read(await self._find_place(team))
        self._remembered[team] = (token, self._clock() + REMEMBERED_SECONDS)
        return token

    async def find_places(self) -> list[str]:
        """Where the app is installed."""
        return [row["place"] for row in await self._database.fetch_dicts(QUERIES["find_places"])]

    async def exchange(self, code: str, redirect_uri: str) -> tuple[Grant, str]:
        """What Slack gives for a code, and the name of the place.

        Raises:
            SlackError: the code is old or not for us.
        """
        answer = await self._ask(code=code, redirect_uri=redirect_uri)
        is_organisation = bool(answer.get("is_enterprise_install"))
        place = answer["enterprise"] if is_organisation else answer["team"]
        grant = Grant(
            place=place["id"],
            token=answer["access_token"],
            scopes=[scope for scope in answer.get("scope", "").split(",") if scope],
            installed_by=answer["authed_user"]["id"],
            refresh_token=answer.get("refresh_token"),
            expires_at=_read_expiry(answer),
        )
        return grant, place.get("name") or place["id"]

    async def store(self, grant: Grant) -> None:
        """Keep a grant, in place of an earlier one of that place, with a row in the audit log."""
        parameters = {
            "place": grant.place,
            "sealed": self._seal.close(grant.place, grant.token, grant.refresh_token),
            "scopes": list(grant.scopes),
            "installed_by": grant.installed_by,
            "expires_at": grant.expires_at,
        }
        await self._database.execute(QUERIES["store"], parameters)
        self._remembered.clear()

    async def remove(self, place: str, *, before: datetime) -> bool:
        """Forget a place whose tokens are revoked; one that was installed again since is kept."""
        removed = await self._database.fetch_dicts(QUERIES["remove"], {"place": place, "before": before})
        self._remembered.clear()
        return bool(removed)

    async def start(self) -> None:
        """Store every token under the newest key; one that cannot be read is left and named in the log."""
        for stored in await self._database.fetch_all(QUERIES["find_all"], None, _Stored):
            renewed = self._seal.renew(stored.sealed)
            if renewed is None:
                log.error(_explain(stored.place))
                continue
            parameters = {"place": stored.place, "was": stored.sealed, "sealed": renewed}
            await self._database.execute(QUERIES["renew"], parameters)

    async def stop(self) -> None:
        """Nothing runs."""

    async def _read(self, place: str) -> str:
        """The token, refreshed first where it ends soon; one replica does that while the others wait."""
        stored = await self._database.fetch_one(QUERIES["get"], {"place": place}, _Stored)
        if stored is None:
            raise SlackError("oauth.v2.access", "not_installed")
        token, _ = self._seal.open(place, stored.sealed)
        if not _ends_soon(stored):
            return token
        try:
            return await self._refresh(place)
        except SlackError as error:
            log.warning("a token could not be refreshed", extra={"place": place, "error": str(error)})
            return token

    async def _refresh(self, place: str) -> str:
        """A refresh token serves once, so the row is locked until what came of it is stored."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(QUERIES["lock"], {"place": place})
            row = await cursor.fetchone()
            if row is None:
                raise SlackError("oauth.v2.access", "not_installed")
            stored = _Stored(*row)
            token, refresh_token = self._seal.open(place, stored.sealed)
            if not _ends_soon(stored) or refresh_token is None:
                return token
            answer = await self._ask(grant_type="refresh_token", refresh_token=refresh_token)
            token = answer["access_token"]
            parameters = {
                "place": place,
                "sealed": self._seal.close(place, token, answer.get("refresh_token") or refresh_token),
                "expires_at": _read_expiry(answer),
            }
            await connection.execute(QUERIES["set_refreshed"], parameters)
            return token

    async def _find_place(self, team: str) -> str:
        """The workspace itself, or the organisation it is part of; where that is not known Slack is asked."""
        rows = await self._database.fetch_dicts(QUERIES["find_place"], {"team": team})
        if rows:
            return rows[0]["place"]
        for row in await self._database.fetch_dicts(QUERIES["find_organisations"]):
            if team in await self._list_teams(row["place"]):
                await self._database.execute(QUERIES["add_team"], {"team": team, "place": row["place"]})
                return row["place"]
        raise SlackError("oauth.v2.access", "not_installed")

    async def _list_teams(self, organisation: str) -> set[str]:
        teams: set[str] = set()
        cursor = ""
        client: Any = build_client(await self._read(organisation), api_url=self._api_url)
        while True:
            try:
                answer = await client.api_call("auth.teams.list", data={"limit": 100, "cursor": cursor})
            except SlackApiError as error:
                raise _to_slack_error("auth.teams.list", error) from error
            teams |= {team["id"] for team in answer["teams"]}
            metadata: Mapping[str, str] = answer.get("response_metadata") or {}
            cursor = metadata.get("next_cursor", "")
            if not cursor:
                return teams

    async def _ask(self, **arguments: str) -> Any:
        client: Any = build_client("", api_url=self._api_url)
        try:
            return await client.api_call("oauth.v2.access", data={**self._credentials, **arguments})
        except SlackApiError as error:
            raise _to_slack_error("oauth.v2.access", error) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SlackError("oauth.v2.access", f"nothing ({type(error).__name__})") from error


def _ends_soon(stored: _Stored) -> bool:
    return stored.expires_at is not None and stored.expires_at < datetime.now(UTC) + REFRESH_AHEAD


def _read_expiry(answer: Any) -> datetime | None:
    seconds = answer.get("expires_in")
    return datetime.now(UTC) + timedelta(seconds=int(seconds)) if seconds else None


def _to_slack_error(method: str, error: SlackApiError) -> SlackError:
    response: Any = error.response  # type: ignore[reportUnknownMemberType]
    return SlackError(method, str(response.get("error") or "unknown"))


def _explain(place: str) -> str:
    return f"the token of {place} cannot be read with SLACK_TOKEN_KEY; add the key it was stored with, or install again"
