"""Who sent this activity: the Bot Connector's token, checked by ourselves.

The SDK's own check answers many a forgery with 500, fetches keys without a time limit on the event loop, and
takes any tenant; so this one stands in front and the SDK receives nothing.

Source: Bot Connector authentication, "Authenticate requests from the Bot Connector service to your bot".
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
import jwt
from aiohttp import web

from bot.teams.clouds import PUBLIC, Cloud
from core.errors import NightbakeError, SettingsError
from core.settings import is_loopback

log = logging.getLogger(__name__)

SKEW_SECONDS = 300
KEYS_LIVE_SECONDS = 86_400
REFETCH_SECONDS = 60
AWAY_SECONDS = 5
FETCH_SECONDS = 5

Clock = Callable[[], float]

# What PyJWT raises for tokens that were made to annoy: an infinite number overflows, a deep header recurses.
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)


class UnauthorizedError(NightbakeError):
    """The activity does not come from our bot's channel; answered with 401, the reason stays in the log."""


class KeysAwayError(NightbakeError):
    """The signing keys cannot be had, so nothing can be judged.

    Answered with 503: a 401 would be a verdict, and the Connector does not send a refused activity again.
    """


class Authentication(Protocol):
    """Decides whether an activity is genuine."""

    async def check(self, request: web.Request, activity: Mapping[str, Any]) -> None:
        """Return, or raise UnauthorizedError or KeysAwayError."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class TokenCheck:
    """Checks the bearer token, and that it was made for this activity.

    Args:
        tenants: the tenants that are served; the Connector vouches for the sender, not for the tenant.
        cloud: whose Connector is heard.
    """

    def __init__(
        self,
        *,
        app_id: str,
        tenants: frozenset[str],
        cloud: Cloud = PUBLIC,
        clock: Clock = time.monotonic,
        fetch_seconds: float = FETCH_SECONDS,
    ) -> None:
        if not app_id or not tenants:
            raise SettingsError(["TEAMS_APP_ID and TEAMS_TENANT_ID: needed, for without them anyone could post"])
        self._app_id = app_id
        self._tenants = tenants
        self._issuer = cloud.issuer
        self._keys = _Keys(cloud.openid_url, clock, fetch_seconds)

    async def check(self, request: web.Request, activity: Mapping[str, Any]) -> None:
        """Raises UnauthorizedError, or KeysAwayError where the keys are needed and cannot be had."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthorizedError("no bearer token")
        key = await self._keys.get(_read_key_id(token))
        claims = self._read_claims(token, key)
        _check_service(claims, activity)
        _check_channel(key, activity)
        self._check_tenant(activity)

    async def close(self) -> None:
        """Release connections."""
        await self._keys.close()

    def _read_claims(self, token: str, key: jwt.PyJWK) -> Mapping[str, Any]:
        try:
            return jwt.decode(
                token,
                key.key,
                algorithms=["RS256"],
                audience=self._app_id,
                issuer=self._issuer,
                leeway=SKEW_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except _UNREADABLE as error:
            raise UnauthorizedError(f"the token does not hold: {error}") from error

    def _check_tenant(self, activity: Mapping[str, Any]) -> None:
        found = find_tenants(activity)
        if len(found) != 1 or not found <= self._tenants:
            raise UnauthorizedError(f"expected a tenant out of TEAMS_TENANT_ID, got {sorted(found)}")


class LoopbackOnly:
    """No token check, for a local client; only where nobody else can reach the port.

    Args:
        host: the address that the server listens on.

    Raises:
        SettingsError: it is not loopback.
    """

    def __init__(self, *, host: str) -> None:
        if not is_loopback(host):
            raise SettingsError([f"HOST: Teams without authentication needs a loopback address, got {host!r}"])

    async def check(self, request: web.Request, activity: Mapping[str, Any]) -> None:
        """Raises UnauthorizedError for a sender that is not on this machine, or that a proxy or a web page speaks for.

        Answers go to no other machine either: any page that somebody here opens could else have them sent to itself.
        """
        if not is_loopback(request.remote or "") or {"X-Forwarded-For", "Origin"} & set(request.headers):
            raise UnauthorizedError("without authentication only this machine is heard")
        service = str(activity.get("serviceUrl") or "")
        if not is_loopback(_find_host(service)):
            raise UnauthorizedError(f"without authentication answers stay on this machine, got serviceUrl {service!r}")

    async def close(self) -> None:
        """Nothing to release."""


class _Keys:
    """The Connector's signing keys by id: kept a day, fetched again for an unknown id at most once a minute."""

    def __init__(self, openid_url: str, clock: Clock, fetch_seconds: float) -> None:
        self._openid_url = openid_url
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=fetch_seconds)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def get(self, key_id: str) -> jwt.PyJWK:
        """Raises UnauthorizedError for an id that the fresh keys do not hold, KeysAwayError where there are none."""
        if self._is_due(key_id):
            async with self._lock:
                # Others may have waited here for the same fetch.
                if self._is_due(key_id):
                    await self._refresh(key_id)
        if key_id not in self._keys:
            raise UnauthorizedError("the token names an unknown key")
        return self._keys[key_id]

    async def close(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    def _is_due(self, key_id: str) -> bool:
        age = self._clock() - self._fetched_at
        return age > KEYS_LIVE_SECONDS or (key_id not in self._keys and age > REFETCH_SECONDS)

    async def _refresh(self, key_id: str) -> None:
        """Fetch; old keys serve on while the key server is away, and a failure is not tried again at once."""
        failing = self._clock() - self._tried_at < AWAY_SECONDS
        self._tried_at = self._tried_at if failing else self._clock()
        try:
            if failing:
                raise TimeoutError
            self._keys = await self._fetch()
            self._fetched_at = self._clock()
            self._tried_at = float("-inf")
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            log.warning("the Bot Connector's keys could not be fetched", extra={"error": type(error).__name__})
            if key_id not in self._keys:
                raise KeysAwayError("the Bot Connector's signing keys cannot be fetched now") from error

    async def _fetch(self) -> dict[str, jwt.PyJWK]:
        """The published keys; ones of a kind that we do not know are left out."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        document = await self._get_json(self._session, self._openid_url)
        published = await self._get_json(self._session, document["jwks_uri"])
        found: dict[str, jwt.PyJWK] = {}
        for entry in published["keys"]:
            if entry.get("kty") == "RSA" and entry.get("kid"):
                found[entry["kid"]] = _to_key(entry)
        return found

    async def _get_json(self, session: aiohttp.ClientSession, url: str) -> Any:
        async with session.get(url) as response:
            response.raise_for_status()
            return await response.json(content_type=None)


def find_tenants(activity: Mapping[str, Any]) -> set[str]:
    """Every tenant that an activity names; a genuine one names one."""
    tenant = _find_inside(_find_inside(activity, "channelData"), "tenant")
    named = (_find_inside(activity, "conversation").get("tenantId"), tenant.get("id"))
    return {str(name) for name in named if name}


def _find_inside(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}  # type: ignore[reportUnknownVariableType]


def _to_key(entry: dict[str, Any]) -> jwt.PyJWK:
    try:
        return jwt.PyJWK(entry, algorithm="RS256")
    except jwt.PyJWTError as error:
        raise ValueError("a published key cannot be read") from error


def _read_key_id(token: str) -> str:
    """The key that the token names; everything unreadable about it is a refusal."""
    try:
        header = jwt.get_unverified_header(token)
    except _UNREADABLE as error:
        raise UnauthorizedError(f"the token cannot be read: {error}") from error
    if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
        raise UnauthorizedError(f"expected RS256 and a key id, got {header.get('alg')!r}")
    return header["kid"]


def _check_service(claims: Mapping[str, Any], activity: Mapping[str, Any]) -> None:
    """The reply goes to the activity's serviceUrl with our own token, so the signer must have named it."""
    claimed = claims.get("serviceurl") or claims.get("serviceUrl")
    if not claimed or claimed != activity.get("serviceUrl"):
        raise UnauthorizedError("the token was made for another serviceUrl")


def _check_channel(key: jwt.PyJWK, activity: Mapping[str, Any]) -> None:
    """A key may be limited to some channels."""
    entry: Mapping[str, Any] = key._jwk_data  # type: ignore[reportPrivateUsage]
    endorsed = entry.get("endorsements")
    if endorsed and activity.get("channelId") not in endorsed:
        raise UnauthorizedError("the key does not vouch for this channel")


def _find_host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
