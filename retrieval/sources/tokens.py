"""Credentials of sources: headers that let us in, renewed before they expire and when they are refused."""

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import aiohttp
import jwt

from retrieval.sources.http import Authorise
from retrieval.sources.source import SourceAwayError

GOOGLE_SCOPE = "https://www.googleapis.com/auth/drive.readonly"
_EARLY_SECONDS = 120
_ASSERTION_SECONDS = 3600
_TIMEOUT = aiohttp.ClientTimeout(total=30)

Form = Callable[[], Mapping[str, str]]


def authorise_with_token(token: str) -> Authorise:
    """A token that does not expire."""

    async def authorise(refused: bool) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {token}"}

    return authorise


def authorise_with_password(user: str, password: str) -> Authorise:
    """A person with an API token, as Atlassian has it."""
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()

    async def authorise(refused: bool) -> Mapping[str, str]:
        return {"Authorization": f"Basic {encoded}"}

    return authorise


def authorise_as_application(token_url: str, client_id: str, secret: str, scope: str) -> Authorise:
    """An application by its secret, as Microsoft has it: OAuth 2.0 client credentials, RFC 6749 section 4.4."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": scope}
    return _Renewing(token_url, lambda: form)


def authorise_as_service_account(key: Mapping[str, Any], *, subject: str | None) -> Authorise:
    """Google's service account by its key file, for itself or for a person: RFC 7523.

    Args:
        key: with `client_email`, `private_key` and `token_uri`.
        subject: e-mail address of whom it stands for, where the domain lets it.
    """

    def build() -> Mapping[str, str]:
        now = int(time.time())
        claims = {"iss": key["client_email"], "scope": GOOGLE_SCOPE, "aud": key["token_uri"], "iat": now}
        claims |= {"exp": now + _ASSERTION_SECONDS} | ({"sub": subject} if subject else {})
        assertion = jwt.encode(claims, key["private_key"], algorithm="RS256")
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}

    return _Renewing(key["token_uri"], build)


class _Renewing:
    """A bearer token, asked for again shortly before it expires."""

    def __init__(self, url: str, build_form: Form) -> None:
        self._url = url
        self._build_form = build_form
        self._token = ""
        self._expires_at = 0.0
        # Several requests may find it expired at once.
        self._lock = asyncio.Lock()

    async def __call__(self, refused: bool) -> Mapping[str, str]:
        async with self._lock:
            if refused or time.monotonic() > self._expires_at:
                await self._renew()
        return {"Authorization": f"Bearer {self._token}"}

    async def _renew(self) -> None:
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.post(self._url, data=dict(self._build_form())) as answer,
            ):
                if answer.status == 429 or answer.status >= 500:
                    # As a connection that broke: the request that needs the token is tried again.
                    raise ConnectionError(f"no token: status {answer.status}")
                parsed = cast(dict[str, Any], await answer.json(content_type=None) or {})
                status = answer.status
        except ValueError as error:
            raise SourceAwayError("no token: expected JSON, got something else") from error
        if status != 200 or "access_token" not in parsed:
            raise SourceAwayError(f"no token: the credentials were refused ({parsed.get('error', status)})")
        self._token = str(parsed["access_token"])
        self._expires_at = time.monotonic() + float(parsed.get("expires_in", 3600)) - _EARLY_SECONDS
