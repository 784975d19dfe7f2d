"""A reply in a Slack thread: a status line at once, edits while the answer is written, then the answer with sources."""

import logging
import time
from collections.abc import Callable
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.inbox import Claimed
from bot.phrases import say
from bot.reply import FinishedAnswer
from bot.slack.events import EVENT_SCOPES
from bot.slack.render import Block, render_answer, render_fallback, render_partial, render_status
from core.errors import NightbakeError
from core.interactions import Interactions
from core.prompt import Language

log = logging.getLogger(__name__)

# Slack takes about one edit a second in a channel and 50 a minute in a workspace; the last edit must find room too.
EDIT_PAUSE_SECONDS = 1.3
RATE_LIMIT_RETRIES = 3
CALL_SECONDS = 20

# Each Web API method that is called here, and the scope it needs.
METHOD_SCOPES = {"auth.test": None, "chat.postMessage": "chat:write", "chat.update": "chat:write"}
SCOPES = frozenset({*EVENT_SCOPES.values(), *filter(None, METHOD_SCOPES.values())})

Clock = Callable[[], float]


class SlackError(NightbakeError):
    """Slack refused a call or is away; the message names the method.

    Attributes:
        reason: Slack's own word for it, such as `not_in_channel`.
    """

    def __init__(self, method: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"Slack answered {reason!r} to {method}; see docs/slack.md")


def build_client(token: str, *, api_url: str = AsyncWebClient.BASE_URL) -> AsyncWebClient:
    """A client that waits as long as a 429 asks and survives a broken connection."""
    retries: list[AsyncRetryHandler] = [
        AsyncConnectionErrorRetryHandler(),
        AsyncRateLimitErrorRetryHandler(max_retry_count=RATE_LIMIT_RETRIES),
    ]
    return AsyncWebClient(token, base_url=api_url, timeout=CALL_SECONDS, retry_handlers=retries)


class Pace:
    """One edit per pause over all replies; who comes too early drops this edit, for a later one holds its text too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_at = 0.0

    def take(self) -> bool:
        """Whether an edit may be sent now; if so the next one must wait."""
        now = self._clock()
        if now < self._next_at:
            return False
        self._next_at = now + EDIT_PAUSE_SECONDS
        return True


class SlackPlatform:
    """Makes replies; all of them share the workspace's pace of edits.

    Args:
        base_url: address of our own pages, the only one that answers may link to.
    """

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        interactions: Interactions,
        base_url: str,
        clock: Clock = time.monotonic,
    ) -> None:
        self._client = client
        self._interactions = interactions
        self._base_url = base_url
        self._pace = Pace(clock)

    async def check(self) -> list[str]:
        """What is wrong with the installation, in words; empty where token and scopes are right.

        Side effects: one `auth.test`.
        """
        try:
            response = await _call(self._client, "auth.test")
        except SlackError as error:
            return [f"SLACK_BOT_TOKEN: {error}"]
        listed: str = response.headers.get("x-oauth-scopes", "")
        granted = {scope.strip() for scope in listed.split(",")}
        missing = sorted(SCOPES - granted)
        return [f"the Slack app lacks the scope {scope}; install it again from its manifest" for scope in missing]

    async def reply_to(self, claimed: Claimed) -> "SlackReply":
        """The reply for this event, on the message that an earlier attempt opened, if any."""
        stored = await self._interactions.find_by_inbox(claimed.id)
        return SlackReply(
            client=self._client,
            interactions=self._interactions,
            base_url=self._base_url,
            pace=self._pace,
            claimed=claimed,
            reply_key=stored.reply_key if stored else None,
        )


class SlackReply:
    """One threaded reply; its key is `channel:ts` of its first message."""

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        interactions: Interactions,
        base_url: str,
        pace: Pace,
        claimed: Claimed,
        reply_key: str | None,
    ) -> None:
        self._client = client
        self._interactions = interactions
        self._base_url = base_url
        self._pace = pace
        self._channel: str = claimed.payload["channel"]
        self._thread_ts: str = claimed.payload["thread_ts"]
        self._reply_key = reply_key

    async def open(self, interaction_id: int, language: Language) -> str:
        """Post the status line, unless an earlier attempt has.

        Raises:
            SlackError: the channel cannot be written to.
        """
        if self._reply_key is None:
            text = say("reading", language)
            self._reply_key = await self._post(text, render_status(text))
        return self._reply_key

    async def show(self, text: str) -> None:
        """Edit in the text so far, when it is time; a failed edit is logged only, for the next one says it all."""
        if not text.strip() or not self._pace.take():
            return
        try:
            await self._edit(render_fallback(text), render_partial(text))
        except SlackError as error:
            log.warning("an edit failed", extra={"channel": self._channel, "error": str(error)})

    async def close(self, answer: FinishedAnswer) -> None:
        """Edit in the whole answer; what one message does not hold follows in the thread.

        Raises:
            SlackError: the answer could not be shown; it is stored and may be tried again.
        """
        first, *others = render_answer(answer, self._base_url)
        await self._edit_or_post(answer, first)
        for blocks in others:
            await self._post(render_fallback(answer.text), blocks)

    async def decline(self, message: str) -> None:
        """Say it in place of the status line, or in a post of its own where none was opened."""
        if self._reply_key is None:
            self._reply_key = await self._post(render_fallback(message), render_partial(message))
        else:
            await self._edit(render_fallback(message), render_partial(message))

    async def _edit_or_post(self, answer: FinishedAnswer, blocks: list[Block]) -> None:
        """Somebody may have deleted the status line; then the answer is a new post and votes go there."""
        text = render_fallback(answer.text)
        try:
            await self._edit(text, blocks)
        except SlackError as error:
            if error.reason != "message_not_found":
                raise
            self._reply_key = await self._post(text, blocks)
            await self._interactions.set_reply_key(answer.interaction_id, self._reply_key)

    async def _post(self, text: str, blocks: list[Block]) -> str:
        place = {"channel": self._channel, "thread_ts": self._thread_ts}
        response = await _call(self._client, "chat.postMessage", **place, text=text, blocks=blocks, **_QUIET)
        return f"{response['channel']}:{response['ts']}"

    async def _edit(self, text: str, blocks: list[Block]) -> None:
        assert self._reply_key, "open() comes first"
        channel, ts = self._reply_key.split(":")
        await _call(self._client, "chat.update", channel=channel, ts=ts, text=text, blocks=blocks, parse="none")


# Nothing in an answer is turned into a link, a mention or a preview behind our back.
_QUIET: dict[str, Any] = {"parse": "none", "link_names": False, "unfurl_links": False, "unfurl_media": False}


async def _call(client: Any, method: str, **arguments: Any) -> Any:
    """One Web API call.

    Raises:
        SlackError: refused, or no answer in time.
    """
    try:
        return await client.api_call(method, json=arguments)
    except SlackApiError as error:
        response: Any = error.response  # type: ignore[reportUnknownMemberType]
        raise SlackError(method, str(response.get("error") or "unknown")) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise SlackError(method, f"nothing ({type(error).__name__})") from error
