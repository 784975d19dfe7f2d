"""Slack's Web API: every method that is called, the scope it needs, and what a refusal means."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.limits import Limits
from core.errors import NightbakeError

RATE_LIMITED = "ratelimited"
RATE_LIMIT_RETRIES = 3
# Where a 429 names no time, and the longest that a call waits in it.
RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 60.0
CALL_SECONDS = 20

# The scope that Slack asks for each method; None where any token will do.
METHOD_SCOPES = {
    "agents.sessions.setStatus": "chat:write",
    "assistant.threads.setSuggestedPrompts": "assistant:write",
    "assistant.threads.setStatus": "assistant:write",
    "auth.test": None,
    "chat.appendStream": "chat:write",
    "chat.delete": "chat:write",
    "chat.getPermalink": None,
    "chat.postEphemeral": "chat:write",
    "chat.postMessage": "chat:write",
    "chat.startStream": "chat:write",
    "chat.stopStream": "chat:write",
    "chat.update": "chat:write",
    "conversations.history": "channels:history",
    "conversations.info": "channels:read",
    "conversations.members": "channels:read",
    "conversations.replies": "channels:history",
    "usergroups.list": "usergroups:read",
    "users.info": "users:read",
    "users.list": "users:read",
    "views.open": None,
    "views.publish": None,
}
# For posts: nothing in them is turned into a link, a mention or a preview behind our back.
QUIET: dict[str, Any] = {"parse": "none", "link_names": False, "unfurl_links": False, "unfurl_media": False}
# Slack takes no JSON for these.
READING_METHODS = {
    "conversations.history",
    "conversations.info",
    "conversations.members",
    "conversations.replies",
    "usergroups.list",
    "users.info",
    "users.list",
}


class SlackError(NightbakeError):
    """Slack refused a call or is away; the message names the method.

    Attributes:
        reason: Slack's own word for it, such as `not_in_channel`.
    """

    def __init__(self, method: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"Slack answered {reason} to {method}; see docs/slack.md")


class _RateLimitedError(Exception):
    """Not now; `seconds` is what Slack asks to wait."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Tokens(Protocol):
    """Where bot tokens come from: a setting, or what workspaces gave when they installed the app."""

    async def get(self, team: str) -> str:
        """The bot token of a workspace.

        Raises:
            SlackError: the app is not installed there.
        """
        ...


class OneToken:
    """The token of the one workspace that a setting names."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get(self, team: str) -> str:
        """The same for every workspace."""
        return self._token


class SlackApi:
    """Calls methods as the app of a workspace; waits as long as a 429 asks and survives a broken connection.

    Between `start` and `stop` connections are kept open; before and after each call makes its own.
    """

    def __init__(self, tokens: Tokens, *, api_url: str = AsyncWebClient.BASE_URL, limits: Limits | None = None) -> None:
        self._tokens = tokens
        self._api_url = api_url
        self._limits = limits or Limits()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Keep connections open from now on: a handshake for each piece of a stream would cost more than the piece."""
        timeout, connector = aiohttp.ClientTimeout(total=CALL_SECONDS), aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)

    async def stop(self) -> None:
        """Close them."""
        if self._session:
            await self._session.close()
            self._session = None

    async def call(self, team: str, method: str, **arguments: Any) -> Any:
        """Slack's answer, which reads as a dictionary and has `headers`.

        Raises:
            SlackError: refused, or no answer in time.
        """
        channel = _find_channel(method, arguments)
        async with self._limits.turn(team, method, channel):
            for _ in range(RATE_LIMIT_RETRIES):
                try:
                    return await self._send(team, method, arguments)
                except _RateLimitedError as error:
                    self._limits.close(team, method, channel, error.seconds)
                    await self._limits.wait(team, method, channel)
            return await self._send_last(team, method, channel, arguments)

    async def offer(self, team: str, method: str, **arguments: Any) -> Any:
        """As `call`, for what a later call says again: where Slack wants a pause it is given up, not waited out.

        Raises:
            SlackError: refused, no answer in time, or `RATE_LIMITED`.
        """
        channel = _find_channel(method, arguments)
        if self._limits.is_closed(team, method, channel):
            raise SlackError(method, RATE_LIMITED)
        async with self._limits.turn(team, method, channel):
            return await self._send_last(team, method, channel, arguments)

    async def _send_last(self, team: str, method: str, channel: str, arguments: dict[str, Any]) -> Any:
        try:
            return await self._send(team, method, arguments)
        except _RateLimitedError as error:
            self._limits.close(team, method, channel, error.seconds)
            raise SlackError(method, RATE_LIMITED) from error

    async def _send(self, team: str, method: str, arguments: dict[str, Any]) -> Any:
        client: Any = build_client(await self._tokens.get(team), api_url=self._api_url, session=self._session)
        try:
            if method in READING_METHODS:
                return await client.api_call(method, http_verb="GET", params=arguments)
            return await client.api_call(method, json=arguments)
        except SlackApiError as error:
            response: Any = error.response  # type: ignore[reportUnknownMemberType]
            if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                raise _RateLimitedError(_read_retry_after(response.headers)) from error
            # A proxy or a Slack in trouble answers with a page.
            word = response.get("error") if isinstance(response.data, Mapping) else None
            raise SlackError(method, str(word or f"status {response.status_code}")) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SlackError(method, f"nothing ({type(error).__name__})") from error


def build_client(
    token: str, *, api_url: str = AsyncWebClient.BASE_URL, session: aiohttp.ClientSession | None = None
) -> AsyncWebClient:
    """The SDK's client with its own retries."""
    # A 429 is waited out by the channel's own queue, see `limits.py`.
    retries: list[AsyncRetryHandler] = [AsyncConnectionErrorRetryHandler()]
    return AsyncWebClient(token, base_url=api_url, timeout=CALL_SECONDS, retry_handlers=retries, session=session)


def _find_channel(method: str, arguments: Mapping[str, Any]) -> str:
    if method not in METHOD_SCOPES:
        raise ValueError(f"expected a method whose scope stands in METHOD_SCOPES, got {method}")
    return str(arguments.get("channel") or arguments.get("channel_id") or "")


def _read_retry_after(headers: Mapping[str, str]) -> float:
    named = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(float(named), LONGEST_RETRY_SECONDS) if named.isdecimal() else RETRY_SECONDS
