"""The sign-in service: OpenID Connect's authorization code flow with PKCE, and who its token says somebody is.

A token is believed that its own keys signed, for us, for this sign-in, now. Claims are judged by authlib and the
signature by joserfc; what is fetched, from where, and how often, is decided here.

Source: OpenID Connect Core 1.0, 3.1; RFC 7636 (PKCE); RFC 9207 (issuer in the answer).
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlsplit

import aiohttp
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # pyright: ignore[reportUnknownVariableType]
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from core.errors import NightbakeError
from core.settings import is_loopback

log = logging.getLogger(__name__)

Clock = Callable[[], float]

# No shared secret, and never `none`: whoever knows the public key could sign by the former.
ALGORITHMS = frozenset(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)) | {"EdDSA"}
SKEW_SECONDS = 60
DISCOVERY_SECONDS, KEYS_SECONDS = 86_400, 86_400
# For a key that nobody knows yet, as after a rotation.
REFETCH_SECONDS = 30
FETCH_SECONDS = 5
MOST_BYTES = 1 << 20


class SignInRefusedError(NightbakeError):
    """The sign-in service said no, or what it said does not hold; the reason is for the log."""


class SignInAwayError(NightbakeError):
    """The sign-in service cannot be reached now."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in gave: claims that hold, and the token that asks again without the person."""

    claims: Mapping[str, Any]
    refresh_token: str | None


class Provider:
    """One sign-in service, spoken to as one of its clients.

    Args:
        issuer: to the letter as the tokens name it.
        redirect_uri: where it sends people back to.
        clock: in seconds since 1970.
    """

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str,
        scopes: str,
        redirect_uri: str,
        clock: Clock = time.time,
    ) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._described: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._lock = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def build_address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where a person signs in.

        Raises:
            SignInAwayError: the service cannot be reached, or describes itself as another one.
        """
        described = await self._describe()
        wanted: dict[str, str] = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": cast(Any, create_s256_code_challenge)(verifier),
            "code_challenge_method": "S256",
        }
        return str(add_params_to_uri(described["authorization_endpoint"], list(wanted.items())))

    async def exchange(self, code: str, *, verifier: str, nonce: str) -> Grant:
        """The code that came back, for claims.

        Raises:
            SignInRefusedError: the code or the token does not hold; SignInAwayError: not reachable.
        """
        told = await self._ask(
            grant_type="authorization_code", code=code, redirect_uri=self._redirect_uri, code_verifier=verifier
        )
        claims = await self._read_claims(told, nonce=nonce)
        return Grant(claims, _find_text(told, "refresh_token"))

    async def refresh(self, refresh_token: str) -> Grant:
        """Whether the person is still there, and what they are now.

        Raises:
            SignInRefusedError: no more; SignInAwayError: not reachable, or nothing was said of groups.
        """
        told = await self._ask(grant_type="refresh_token", refresh_token=refresh_token)
        if "id_token" not in told:
            raise SignInAwayError("the sign-in service refreshed without an id_token, so groups are not known")
        claims = await self._read_claims(told, nonce=None)
        return Grant(claims, _find_text(told, "refresh_token"))

    async def close(self) -> None:
        """Release connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def _read_claims(self, told: Mapping[str, Any], *, nonce: str | None) -> Mapping[str, Any]:
        token = told.get("id_token")
        if not isinstance(token, str):
            raise SignInRefusedError("expected an id_token in the answer, got none")
        described = await self._describe()
        offered: Any = described.get("id_token_signing_alg_values_supported") or ["RS256"]
        expected = {"iss": self.issuer, "aud": self._client_id}
        try:
            decoded = jwt.decode(
                token, await self._find_keys(token), algorithms=sorted(ALGORITHMS.intersection(offered))
            )
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {name: {"essential": True, "value": value} for name, value in expected.items()},
                {"nonce": nonce, "client_id": self._client_id, "access_token": told.get("access_token")},
            )
            claims.validate(now=int(self._clock()), leeway=SKEW_SECONDS)  # pyright: ignore[reportUnknownMemberType]
        # What is made to annoy raises more than libraries name: odd types, deep headers, infinite numbers.
        except (JoseError, ValueError, TypeError, AttributeError, OverflowError, RecursionError, KeyError) as error:
            raise SignInRefusedError(f"the id_token does not hold: {type(error).__name__} {error}") from error
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise SignInRefusedError("expected a subject in the id_token, got none")
        return cast(Mapping[str, Any], claims)

    async def _find_keys(self, token: str) -> KeySet:
        """The service's keys, fetched again where the token names one that is new."""
        key_id = jws.extract_compact(token.encode()).headers().get("kid")
        keys = await self._fetch_keys(KEYS_SECONDS)
        if key_id is None:
            if len(keys.keys) != 1:
                raise SignInRefusedError("the id_token names none of several keys")
            return keys
        if key_id not in {key.kid for key in keys.keys}:
            keys = await self._fetch_keys(REFETCH_SECONDS)
        return keys

    async def _fetch_keys(self, seconds: float) -> KeySet:
        async with self._lock:
            if self._keys is None or self._clock() - self._keys[0] > seconds:
                described = await self._describe()
                told = await self._get(described["jwks_uri"])
                try:
                    self._keys = (self._clock(), KeySet.import_key_set(cast(Any, told)))
                except (JoseError, ValueError, KeyError, TypeError) as error:
                    raise SignInAwayError("the sign-in service's keys cannot be read") from error
            return self._keys[1]

    async def _describe(self) -> dict[str, Any]:
        """Its discovery document, which must be about the issuer that was set."""
        if self._described and self._clock() - self._described[0] < DISCOVERY_SECONDS:
            return self._described[1]
        told = await self._get(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if told.get("issuer") != self.issuer:
            raise SignInAwayError(
                f"OIDC_ISSUER: expected {told.get('issuer')!r} as it calls itself, got {self.issuer!r}"
            )
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not is_safe(told.get(name)):
                raise SignInAwayError(f"the sign-in service's {name} is not an https address")
        self._described = (self._clock(), told)
        return told

    async def _ask(self, **form: str) -> dict[str, Any]:
        """The token endpoint's answer."""
        described = await self._describe()
        methods: Any = described.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        headers = {"Accept": "application/json"}
        if "client_secret_basic" in methods:
            user, secret = (quote(value, safe="") for value in (self._client_id, self._client_secret))
            headers["Authorization"] = aiohttp.encode_basic_auth(user, secret)
        else:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        return await self._request("POST", described["token_endpoint"], data=form, headers=headers)

    async def _get(self, url: str) -> dict[str, Any]:
        return await self._request("GET", url, headers={"Accept": "application/json"})

    async def _request(self, method: str, url: str, **arguments: Any) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS))
        try:
            async with self._session.request(method, url, allow_redirects=False, **arguments) as response:
                if response.status >= 500 or response.status in (408, 429):
                    raise SignInAwayError(f"the sign-in service answers {response.status}")
                told = _parse(await _read(response))
                if response.status != 200:
                    reason = str(told.get("error"))[:100]
                    raise SignInRefusedError(f"the sign-in service answers {response.status}: {reason}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SignInAwayError(f"the sign-in service cannot be reached: {type(error).__name__}") from error
        return told


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in response.content.iter_chunked(MOST_BYTES):
        body += chunk
        if len(body) > MOST_BYTES:
            raise SignInAwayError("the sign-in service says more than anybody asked for")
    return body


def _parse(body: bytes) -> dict[str, Any]:
    try:
        told: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SignInAwayError("the sign-in service does not answer in JSON") from error
    if not isinstance(told, dict):
        raise SignInAwayError("the sign-in service does not answer with a JSON object")
    return cast(dict[str, Any], told)


def _find_text(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    return value if isinstance(value, str) else None


def is_safe(address: object) -> bool:
    """Whether nobody can listen on the way there."""
    if not isinstance(address, str):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
