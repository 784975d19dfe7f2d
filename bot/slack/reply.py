"""A reply in a Slack thread: a status line at once, words as they come, then the answer with sources.

Slack's native stream is used where there is one. Where a place has none, where it has expired or Slack refuses a piece,
the same message is edited instead, and the person notices nothing.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from bot.changes import Changes, Fate
from bot.inbox import Claimed
from bot.phrases import say
from bot.reply import FinishedAnswer, Reply
from bot.slack.api import QUIET, RATE_LIMITED, SlackApi, SlackError
from bot.slack.blocks import Block
from bot.slack.pace import Clock, Paces, SharedPaces
from bot.slack.render import (
    render_answer,
    render_body,
    render_fallback,
    render_partial,
    render_status,
    render_stop,
    render_tail,
)
from bot.slack.session import Session
from bot.slack.stream import SlackStream
from bot.slack.whispers import reply_to_command
from core.interactions import Interactions
from core.prompt import Language

log = logging.getLogger(__name__)

# Rooms in which Slack streams nothing.
UNSTREAMED_ROOMS = {"mpim"}


class SlackPlatform:
    """Makes replies, which share paces.

    Args:
        base_url: address of our own pages, the only one that answers may link to.

    Attributes:
        paces: of edits, for whoever else edits.
    """

    def __init__(
        self,
        *,
        api: SlackApi,
        interactions: Interactions,
        base_url: str,
        changes: Changes,
        has_experts: bool = False,
        clock: Clock = time.monotonic,
    ) -> None:
        self._api = api
        self._changes = changes
        self._interactions = interactions
        self._base_url = base_url
        self._has_experts = has_experts
        self.paces = SharedPaces(clock)

    async def reply_to(self, claimed: Claimed) -> Reply | None:
        """The reply for this event, on the message of an earlier attempt or wording, if any.

        None where the question was edited or deleted since; what was shown of a deleted one is removed.
        """
        if claimed.payload.get("response_url"):
            return reply_to_command(claimed, self._base_url)
        stored = await self._interactions.find_by_inbox(claimed.id)
        reply_key = stored.reply_key if stored else await self._changes.find_earlier_reply(claimed.payload)
        reply = self._make_reply(claimed, reply_key)
        fate = await self._changes.find_fate(claimed.payload)
        if fate != "replaced":
            for part in await self._changes.find_earlier_parts(claimed.payload):
                await reply.delete(part)
        if fate == "stands":
            return reply
        if fate == "deleted":
            await reply.remove()
        return None

    def _make_reply(self, claimed: Claimed, reply_key: str | None) -> "SlackReply":
        return SlackReply(
            api=self._api,
            interactions=self._interactions,
            base_url=self._base_url,
            paces=self.paces.find(claimed.payload["team"], claimed.payload["channel"]),
            claimed=claimed,
            reply_key=reply_key,
            find_fate=partial(self._changes.find_fate, claimed.payload),
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
        paces: Paces,
        claimed: Claimed,
        reply_key: str | None,
        find_fate: Callable[[], Awaitable[Fate]],
        has_experts: bool = False,
    ) -> None:
        self._has_experts = has_experts
        self._api = api
        self._interactions = interactions
        self._base_url = base_url
        self._paces = paces
        self._inbox_id = claimed.id
        self._place = claimed.payload
        self._team: str = claimed.payload["team"]
        self._channel: str = claimed.payload["channel"]
        self._thread_ts: str = claimed.payload["thread_ts"]
        self._reply_key = reply_key
        self._language: Language = "en"
        self._stream: SlackStream | None = None
        self._session = Session(api, claimed.payload)
        self._find_fate = find_fate

    async def open(self, interaction_id: int, language: Language) -> str:
        """Show the status line, in a message of its own or in that of an earlier attempt.

        Raises:
            SlackError: the channel cannot be written to.
        """
        self._language = language
        status = say("reading", language)
        await self._session.begin(status)
        if self._reply_key:
            await self._take_over(status)
        elif self._place.get("room") not in UNSTREAMED_ROOMS and not self._place.get("by_workflow"):
            await self._start_stream(status)
        if self._reply_key is None:
            self._reply_key = await self._post(status, self._render_status(status))
        return self._reply_key

    async def show(self, text: str) -> None:
        """Show the text so far, when it is time; what fails is logged only, for the next one says it all."""
        if not text.strip():
            return
        try:
            if self._stream:
                await self._append(self._stream, text)
            elif self._paces.edits.take():
                await self._show_edit(text)
        except SlackError as error:
            log.warning("an edit failed", extra={"channel": self._channel, "error": str(error)})

    async def close(self, answer: FinishedAnswer) -> None:
        """Show the whole answer; what one message does not hold follows in the thread.

        Raises:
            SlackError: the answer could not be shown; it is stored and may be tried again.
        """
        answer = replace(answer, can_ask_human=self._has_experts)
        fate = await self._find_fate()
        if fate == "replaced":
            # The newer wording is next in this thread and answers in this message.
            return
        if fate == "deleted":
            await self.remove()
            return
        if await self._end_with(answer):
            return
        first, *others = render_answer(answer, self._base_url)
        await self._edit_or_post(answer, first)
        for blocks in others:
            part = await self._post(render_fallback(answer.text), blocks)
            await self._interactions.add_reply_part(answer.interaction_id, part)

    async def remove(self) -> None:
        """Take away what was shown, because its question is gone."""
        await self._leave_stream()
        if self._reply_key:
            await self.delete(self._reply_key)

    async def delete(self, key: str) -> None:
        """Take away one of our messages, which may be gone already."""
        channel, ts = key.split(":")
        try:
            await self._api.call(self._team, "chat.delete", channel=channel, ts=ts)
        except SlackError as error:
            if error.reason != "message_not_found":
                raise

    async def decline(self, message: str) -> None:
        """Say it in place of the status line, or in a post of its own where none was opened."""
        await self._leave_stream()
        if self._reply_key is None:
            self._reply_key = await self._post(render_fallback(message), render_partial(message))
        else:
            await self._edit(render_fallback(message), render_partial(message))

    @property
    def _stop(self) -> Block:
        return render_stop(self._inbox_id, self._language)

    def _render_status(self, status: str) -> list[Block]:
        return [*render_status(status), self._stop]

    async def _start_stream(self, status: str) -> None:
        try:
            self._stream = await SlackStream.start(self._api, self._place, status)
            self._reply_key = self._stream.key
        except SlackError as error:
            log.info("no stream here, edits instead", extra={"channel": self._channel, "error": str(error)})

    async def _take_over(self, status: str) -> None:
        """Go on in a message that an earlier attempt may have left streaming."""
        assert self._reply_key
        try:
            await SlackStream(self._api, self._team, self._reply_key, status).stop()
        except SlackError as error:
            log.debug("no stream was left", extra={"channel": self._channel, "error": str(error)})
        try:
            await self._edit(status, self._render_status(status))
        except SlackError as error:
            log.warning("an edit failed", extra={"channel": self._channel, "error": str(error)})

    async def _append(self, stream: SlackStream, text: str) -> None:
        """A piece for the stream; where it takes none, edits from now on."""
        # Before the text is looked at: a long answer comes in thousands of pieces, each the whole of it.
        if not self._paces.appends.is_due() or (rest := stream.find_rest(text)) == "":
            return
        self._paces.appends.take()
        try:
            if rest is not None:
                await stream.append(rest)
                return
        except SlackError as error:
            if error.reason == RATE_LIMITED:
                return
            log.info("the stream has ended, edits instead", extra={"channel": self._channel, "error": str(error)})
        await self._leave_stream()
        await self._show_edit(text)

    async def _end_with(self, answer: FinishedAnswer) -> bool:
        """End the stream with the answer; False where the message must be edited, because it shows other words."""
        if self._stream is None:
            await self._session.end()
            return False
        body = render_body(answer, self._base_url)
        if len(body) == 1 and not answer.notice and body[0].startswith(self._stream.sent):
            rest = body[0][len(self._stream.sent) :]
            try:
                await self._stream.stop(rest, render_tail(answer, self._base_url))
            except SlackError as error:
                log.info("the stream had ended", extra={"channel": self._channel, "error": str(error)})
                self._stream = None
                await self._session.end()
            else:
                return True
        await self._leave_stream()
        return False

    async def _leave_stream(self) -> None:
        """End the stream as it is, for a message that streams cannot be edited."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        try:
            await stream.stop()
        except SlackError as error:
            log.debug("the stream had ended", extra={"channel": self._channel, "error": str(error)})
            await self._session.end()

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
        response = await self._api.call(self._team, "chat.postMessage", **place, text=text, blocks=blocks, **QUIET)
        return f"{response['channel']}:{response['ts']}"

    async def _show_edit(self, text: str) -> None:
        """The text so far; left out where Slack wants a pause, so that the last edit does not wait behind it."""
        edit = self._make_edit(render_fallback(text), render_partial(text, stop=self._stop))
        await self._api.offer(self._team, "chat.update", **edit)

    async def _edit(self, text: str, blocks: list[Block]) -> None:
        await self._api.call(self._team, "chat.update", **self._make_edit(text, blocks))

    def _make_edit(self, text: str, blocks: list[Block]) -> dict[str, Any]:
        assert self._reply_key, "open() comes first"
        channel, ts = self._reply_key.split(":")
        return {"channel": channel, "ts": ts, "text": text, "blocks": blocks, "parse": "none"}
