"""A source's HTTP API: paging-safe addresses, patience with 429 and outages, tokens that renew themselves."""

import asyncio
import ipaddress
import json
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from core.errors import InvalidInputError
from retrieval.sources.source import GoneError, SourceAwayError

log = logging.getLogger(__name__)

Authorise = Callable[[bool], Awaitable[Mapping[str, str]]]

MAX_JSON_BYTES = 50_000_000
_USER_AGENT = "Nightbake"
_RETRIED = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
_PIECE_BYTES = 65_536
# Google says so in a 403 what others say in a 429.
_GOOGLE_LIMITS = (b"rateLimitExceeded", b"userRateLimitExceeded")


class StatusError(SourceAwayError):
    """An answer that another try would not change.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: its headers, whatever their case, and where it came from after redirects."""

    status: int
    headers: CIMultiDictProxy[str]
    content: bytes
    url: URL


class HttpClient:
    """Requests to one origin.

    Args:
        base_url: what relative addresses stand on; only its origin is ever sent our credentials.
        authorise: headers that let us in; called with True when those before were refused.
        attempts: how often one request is tried.
        pause_seconds: before the second attempt; doubled each time, unless the server says how long.
        max_wait_seconds: a server that wants us to wait longer counts as away.
        allow_private: whether addresses inside the company's network may be reached.
    """

    def __init__(
        self,
        base_url: str,
        *,
        authorise: Authorise | None = None,
        headers: Mapping[str, str] | None = None,
        attempts: int = 5,
        pause_seconds: float = 1.0,
        max_wait_seconds: float = 120,
        timeout_seconds: float = 60,
        allow_private: bool = True,
    ) -> None:
        self.base_url = URL(base_url)
        self._authorise = authorise
        self._headers = {"User-Agent": _USER_AGENT, **(headers or {})}
        self._attempts = attempts
        self._pause_seconds = pause_seconds
        self._max_wait_seconds = max_wait_seconds
        self._timeout = aiohttp.ClientTimeout(total=None, connect=timeout_seconds, sock_read=timeout_seconds)
        self._allow_private = allow_private
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close connections; the next request opens new ones."""
        if self._session:
            await self._session.close()
            self._session = None

    async def get_json(
        self, path: str, parameters: Mapping[str, Any] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> Any:
        """An object of the API.

        Raises:
            GoneError: 404.
            StatusError: another refusal.
            SourceAwayError: no answer, or none that is JSON.
        """
        return await self._request_json("GET", path, parameters=parameters, headers=headers)

    async def post_json(self, path: str, body: Mapping[str, Any]) -> Any:
        """As `get_json`, with a body; only for requests that change nothing."""
        return await self._request_json("POST", path, body=body)

    async def get_bytes(
        self, path: str, *, max_bytes: int, headers: Mapping[str, str] | None = None, same_host: bool = False
    ) -> Response:
        """A file, at most so large; 304 comes back as it is.

        Args:
            same_host: refuse redirects to other hosts.

        Raises:
            GoneError: 404 or 410.
            InvalidInputError: too large, or sent to a place that is not allowed.
            SourceAwayError: no answer, or a refusal.
        """
        return await self._request("GET", path, headers=headers, max_bytes=max_bytes, same_host=same_host)

    async def _request_json(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        response = await self._request(
            method, path, parameters=parameters, body=body, headers=headers, max_bytes=MAX_JSON_BYTES, same_host=True
        )
        try:
            return json.loads(response.content)
        except ValueError as error:
            raise SourceAwayError(f"expected JSON from {response.url.host}, got something else") from error

    async def _request(self, method: str, path: str, *, max_bytes: int, same_host: bool, **options: Any) -> Response:
        url = self._resolve(path)
        refused = False
        for attempt in range(self._attempts):
            try:
                response = await self._follow(method, url, max_bytes, same_host, refused=refused, **options)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                await self._pause(attempt, None, f"no answer from {url.host} ({type(error).__name__})")
                continue
            if response.status == 401 and self._authorise and not refused:
                refused = True
                continue
            if not _is_retried(response):
                return _check_status(response)
            await self._pause(attempt, response, f"{url.host} answered with status {response.status}")
        raise SourceAwayError(f"{url.host} refused our credentials")

    def _resolve(self, path: str) -> URL:
        url = self.base_url.join(URL(path, encoded=True)) if path.startswith(("http:", "https:", "/")) else None
        if url is None:
            url = URL(f"{str(self.base_url).rstrip('/')}/{path}", encoded=True)
        if url.origin() != self.base_url.origin():
            raise SourceAwayError(f"expected more from {self.base_url.host}, was sent to {url.host}")
        return url

    async def _follow(
        self,
        method: str,
        url: URL,
        max_bytes: int,
        same_host: bool,
        *,
        refused: bool,
        parameters: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        for _ in range(_MAX_REDIRECTS + 1):
            self._check_address(url, same_host)
            sent = CIMultiDict({**self._headers, **(headers or {})})
            if self._authorise and url.origin() == self.base_url.origin():
                sent.update(await self._authorise(refused))
                refused = False
            async with self._open().request(
                method, url, params=parameters, json=body, headers=sent, allow_redirects=False, timeout=self._timeout
            ) as answer:
                if answer.status not in _REDIRECTS or "Location" not in answer.headers:
                    content = await _read_body(answer, max_bytes)
                    return Response(answer.status, answer.headers, content, url)
                url, parameters = url.join(URL(answer.headers["Location"])), None
        raise InvalidInputError(f"expected a document, was sent on {_MAX_REDIRECTS} times and more")

    def _check_address(self, url: URL, same_host: bool) -> None:
        if url.scheme not in ("http", "https"):
            raise InvalidInputError(f"expected http or https, was sent to {url.scheme!r}")
        if same_host and url.host != self.base_url.host:
            raise InvalidInputError(f"expected to stay on {self.base_url.host}, was sent to {url.host}")
        if not self._allow_private and not is_public(url.host or ""):
            raise InvalidInputError(f"{url.host} is an address inside a network; allow_private = true lets it in")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = None if self._allow_private else PublicResolver()
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver, limit=8))
        return self._session

    async def _pause(self, attempt: int, response: Response | None, reason: str) -> None:
        """Wait before the next attempt.

        Raises:
            SourceAwayError: there is none, or the server wants us to wait too long.
        """
        wait = _read_retry_after(response) if response else None
        seconds = self._pause_seconds * 2**attempt if wait is None else wait
        if attempt + 1 >= self._attempts or seconds > self._max_wait_seconds:
            raise SourceAwayError(f"{reason}; tried {attempt + 1} times")
        log.info("source asked to be tried later", extra={"reason": reason, "seconds": seconds})
        await asyncio.sleep(seconds)


class PublicResolver(AbstractResolver):
    """Resolves names to addresses of the public internet only, at the moment of connecting: a name cannot change after
    it was looked at.
    """

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses of a name.

        Raises:
            InvalidInputError: one of them lies inside a network.
        """
        found = await self._resolver.resolve(host, port, family)
        if private := [one["host"] for one in found if not is_public(one["host"])]:
            raise InvalidInputError(f"{host} is at {private[0]}, inside a network; allow_private = true lets it in")
        return found

    async def close(self) -> None:
        """Nothing is held."""


def is_public(host: str) -> bool:
    """Whether an address may be reached from anywhere; a name that is no address is looked at when it is resolved."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower().rstrip(".") != "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global and not address.is_multicast


async def _read_body(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.content.iter_chunked(_PIECE_BYTES):
        size += len(piece)
        if size > max_bytes:
            raise InvalidInputError(f"expected at most {max_bytes:,} bytes, got more; split the file")
        pieces.append(piece)
    return b"".join(pieces)


def _is_retried(response: Response) -> bool:
    limited = response.status == 403 and any(word in response.content for word in _GOOGLE_LIMITS)
    return limited or response.status in _RETRIED


def _check_status(response: Response) -> Response:
    host, status = response.url.host, response.status
    if status in (404, 410):
        error = GoneError(f"nothing at {host} any more (status {status})")
        raise error if status == 404 else StatusError(status, str(error))
    if status in (401, 403):
        raise StatusError(status, f"{host} refused our credentials (status {status}); check the token and its rights")
    if status >= 400:
        raise StatusError(status, f"{host} answered with status {status}")
    return response


def _read_retry_after(response: Response) -> float | None:
    """Seconds, from a number or a date."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except ValueError:
        return None
