"""A reply in a Slack thread: a status line at once, edits while the answer is written, then the answer with sources."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.inbox import Claimed
from bot.phrases import say
from bot.reply import FinishedAnswer
from bot.slack.api import SlackApi, SlackError
from bot.slack.render import Block, render_answer, render_fallback, render_partial, render_status
from core.interactions import Interactions
from core.prompt import Language

log = logging.getLogger(__name__)

# Slack takes about one edit a second in a channel and 50 a minute in a workspace; the last edit must find room too.
EDIT_PAUSE_SECONDS = 1.3

Clock = Callable[[], float]


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
        api: SlackApi,
        interactions: Interactions,
        base_url: str,
        has_experts: bool = False,
        clock: Clock = time.monotonic,
    ) -> None:
        self._api = api
        self._interactions = interactions
        self._base_url = base_url
        self._has_experts = has_experts
        self._pace = Pace(clock)

    async def reply_to(self, claimed: Claimed) -> "SlackReply":
        """The reply for this event, on the message that an earlier attempt opened, if any."""
        stored = await self._interactions.find_by_inbox(claimed.id)
        return SlackReply(
            api=self._api,
            interactions=self._interactions,
            base_url=self._base_url,
            pace=self._pace,
            claimed=claimed,
            reply_key=stored.reply_key if stored else None,
            has_experts=self._has_experts,
        )


class SlackReply:
    """One threaded reply; its key is `channel:ts` of its first message."""

    def __init__(
        self,
        *,
        api: SlackApi,
        interactions: Interactions,
        base_url: str,
        pace: Pace,
        claimed: Claimed,
        reply_key: str | None,
        has_experts: bool = False,
    ) -> None:
        self._has_experts = has_experts
        self._api = api
        self._interactions = interactions
        self._base_url = base_url
        self._pace = pace
        self._team: str = claimed.payload["team"]
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
        answer = replace(answer, can_ask_human=self._has_experts)
        first, *others = render_answer(answer, self._base_url)
        await self._edit_or_post(answer, first)
        for blocks in others:
            part = await self._post(render_fallback(answer.text), blocks)
            await self._interactions.add_reply_part(answer.interaction_id, part)

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
        response = await self._api.call(self._team, "chat.postMessage", **place, text=text, blocks=blocks, **_QUIET)
        return f"{response['channel']}:{response['ts']}"

    async def _edit(self, text: str, blocks: list[Block]) -> None:
        assert self._reply_key, "open() comes first"
        channel, ts = self._reply_key.split(":")
        await self._api.call(self._team, "chat.update", channel=channel, ts=ts, text=text, blocks=blocks, parse="none")


# Nothing in an answer is turned into a link, a mention or a preview behind our back.
_QUIET: dict[str, Any] = {"parse": "none", "link_names": False, "unfurl_links": False, "unfurl_media": False}
