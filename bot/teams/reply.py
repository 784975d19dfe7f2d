"""A reply in a Teams conversation: a sign of life at once, words as they come, then the answer with sources.

In a personal chat Teams' native stream is used. Where there is none, where it is over or Teams refuses a piece, and in
groups and channels, one message is edited instead; where that is refused too, the answer is a new message.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.changes import Changes
from bot.inbox import Claimed
from bot.phrases import say
from bot.reply import FinishedAnswer
from bot.stops import Stops
from bot.teams.connector import Message, TeamsConnector, TeamsError, take_apart
from bot.teams.reading import make_reply_key
from bot.teams.render import render_answer, render_stop, render_text
from bot.teams.stream import TeamsStream
from core.interactions import Interactions
from core.prompt import Language

log = logging.getLogger(__name__)

# Teams takes about one piece or edit a second in a conversation.
PAUSE_SECONDS = 1.2

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Means:
    """What every reply works with.

    Attributes:
        base_url: address of our own pages, the only one that answers may link to.
        has_experts: whether there is a conversation that "Ask a human" goes to.
    """

    connector: TeamsConnector
    interactions: Interactions
    changes: Changes
    stops: Stops
    base_url: str
    has_experts: bool = False
    clock: Clock = time.monotonic
    sleep: Sleep = asyncio.sleep
    pause_seconds: float = PAUSE_SECONDS


class TeamsPlatform:
    """Makes replies."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def reply_to(self, claimed: Claimed) -> "TeamsReply | None":
        """The reply for this event, on the message of an earlier attempt or wording, if any.

        None where the question was edited or deleted since; what was shown of a deleted one is removed.
        """
        stored = await self._means.interactions.find_by_inbox(claimed.id)
        reply_key = stored.reply_key if stored else None
        if reply_key is None:
            reply_key = await self._means.changes.find_earlier_reply(claimed.payload)
        reference = await find_place(self._means.connector, claimed.payload)
        reply = TeamsReply(self._means, claimed, reference, reply_key)
        fate = await self._means.changes.find_fate(claimed.payload)
        if fate != "replaced":
            for part in await self._means.changes.find_earlier_parts(claimed.payload):
                await reply.delete(part)
        if fate == "stands":
            return reply
        if fate == "deleted":
            await reply.remove()
        return None


async def find_place(connector: TeamsConnector, payload: Mapping[str, Any]) -> Message:
    """Where the reply goes: the conversation of the question, or the chat with its asker where it was asked aside.

    Args:
        payload: of the question.

    Raises:
        TeamsError: there can be no such chat.
    """
    reference: Message = payload["reference"]
    if not payload.get("aside"):
        return reference
    tenant = payload["person"].split(":")[1]
    return {**reference, "conversation": {"id": await connector.open_chat(reference, tenant)}, "activityId": None}


class TeamsReply:
    """One reply; its key names the room and our first message in it."""

    def __init__(self, means: Means, claimed: Claimed, reference: Message, reply_key: str | None) -> None:
        self._means = means
        self._claimed = claimed
        self._reference = reference
        self._reply_key = reply_key
        self._earlier_key = reply_key
        self._language: Language = "en"
        self._next_at = 0.0
        self._stream: TeamsStream | None = None
        self._card_key: str | None = None

    async def open(self, interaction_id: int, language: Language) -> str:
        """Show the status, in a stream, a message of its own or in that of an earlier attempt.

        Raises:
            TeamsError: the conversation cannot be written to.
        """
        self._language = language
        status = say("reading", language)
        if self._reply_key:
            await self._show_typing()
            if not self._claimed.payload["direct"]:
                self._card_key = next(iter(await self._means.interactions.find_reply_parts(interaction_id)), None)
            return self._reply_key
        if self._claimed.payload["direct"]:
            await self._start_stream(status)
        if self._reply_key is None:
            self._reply_key = await self._send(render_text(status))
            await self._offer_stop(interaction_id)
        self._take_turn()
        return self._reply_key

    async def show(self, text: str) -> None:
        """Show the text so far, when it is time; what fails is logged only, for the next one says it all."""
        if not text.strip() or self._means.clock() < self._next_at:
            return
        try:
            if self._stream:
                await self._grow(self._stream, text)
            else:
                self._take_turn()
                await self._update(render_text(text), patient=False)
        except TeamsError as error:
            log.warning("an edit failed", extra={"error": str(error)})

    async def close(self, answer: FinishedAnswer) -> None:
        """Show the whole answer; what one message does not hold follows.

        Raises:
            TeamsError: the answer could not be shown; it is stored and may be tried again.
        """
        fate = await self._means.changes.find_fate(self._claimed.payload)
        if fate == "replaced":
            # The newer wording is next in this conversation and answers in this message.
            await self._leave_stream()
            await self.delete(self._card_key)
            return
        if fate == "deleted":
            await self.remove()
            return
        answer = replace(answer, can_ask_human=self._means.has_experts)
        first, *others = render_answer(answer, self._means.base_url)
        if not await self._end_with(first):
            text, *cards = take_apart(first)
            await self._edit_or_send(answer.interaction_id, text)
            others = [*cards, *others]
        following = [part for message in others for part in take_apart(message)]
        for message in following[:-1]:
            await self._add(answer.interaction_id, message)
        for card in following[-1:]:
            await self._show_card(answer.interaction_id, card, in_place=len(following) == 1)

    async def _show_card(self, interaction_id: int, card: Message, *, in_place: bool) -> None:
        """The buttons, in place of the one that ended the answer, or below what came after it."""
        if self._card_key and in_place:
            try:
                await self._update(card, self._card_key)
                return
            except TeamsError as error:
                if not error.is_refusal:
                    raise
        else:
            await self.delete(self._card_key)
        await self._add(interaction_id, card)

    async def _add(self, interaction_id: int, message: Message) -> None:
        await self._means.interactions.add_reply_part(interaction_id, await self._send(message))

    async def remove(self) -> None:
        """Take away what was shown, because its question is gone."""
        await self._leave_stream()
        await self.delete(self._card_key)
        await self.delete(self._reply_key)

    async def delete(self, key: str | None) -> None:
        """Take away one of our messages, which may be gone already."""
        if key is None:
            return
        try:
            await self._means.connector.delete(self._reference, key.rpartition("|")[2])
        except TeamsError as error:
            if not error.is_refusal:
                raise
            log.info("a reply could not be removed", extra={"error": str(error)})

    async def decline(self, message: str) -> None:
        """Say it in place of the status, or in a message of its own where none was opened or can be edited."""
        await self._leave_stream()
        await self.delete(self._card_key)
        try:
            if self._reply_key:
                await self._update(render_text(message))
                return
        except TeamsError as error:
            if not error.is_refusal:
                raise
            if await self._end_earlier_stream(render_text(message)):
                return
        self._reply_key = await self._send(render_text(message))

    def _take_turn(self) -> None:
        self._next_at = self._means.clock() + self._means.pause_seconds

    async def _await_turn(self) -> None:
        """Teams counts the last piece of a stream like any other."""
        if (pause := self._next_at - self._means.clock()) > 0:
            await self._means.sleep(pause)

    async def _offer_stop(self, interaction_id: int) -> None:
        """A button below the message; where there is none, `stop` ends the answer all the same."""
        card = render_stop(self._claimed.id, self._language)
        try:
            self._card_key = self._name(await self._means.connector.send(self._reference, card, patient=False))
        except TeamsError as error:
            log.info("no button to stop", extra={"error": str(error)})
            return
        await self._means.interactions.add_reply_part(interaction_id, self._card_key)

    async def _show_typing(self) -> None:
        """A sign of life where the message of an earlier attempt stands and says nothing new."""
        try:
            await self._means.connector.send(self._reference, {"type": "typing"}, patient=False)
        except TeamsError as error:
            log.debug("no sign of life", extra={"error": str(error)})

    async def _start_stream(self, status: str) -> None:
        try:
            self._stream = await TeamsStream.start(self._means.connector, self._reference, status, self._means.clock)
            self._reply_key = self._name(self._stream.id)
        except TeamsError as error:
            if not error.is_refusal:
                raise
            log.info("no stream here, edits instead", extra={"error": error.reason})

    async def _grow(self, stream: TeamsStream, text: str) -> None:
        """A longer text for the stream; where it takes none, edits from now on."""
        shown = stream.find_text(text)
        if shown is None or stream.is_late:
            await self._leave_stream()
            return
        if shown == stream.sent:
            return
        self._take_turn()
        try:
            await stream.show(shown)
        except TeamsError as error:
            if not error.is_refusal:
                raise
            self._stream = None
            log.info("the stream has ended, edits instead", extra={"error": error.reason})
            # The person pressed Stop: then nobody waits for the rest.
            if "cancel" in error.reason.lower():
                await self._means.stops.request(self._claimed.id, self._claimed.payload["person"])

    async def _end_with(self, message: Message) -> bool:
        """End the stream with the answer; False where the message must be edited, because it shows other words."""
        if self._stream is None:
            return False
        if not message["text"].startswith(self._stream.sent):
            await self._leave_stream()
            return False
        stream, self._stream = self._stream, None
        await self._await_turn()
        try:
            await stream.finish(message)
        except TeamsError as error:
            if not error.is_refusal:
                raise
            log.info("the stream had ended", extra={"error": error.reason})
            return False
        return True

    async def _leave_stream(self) -> None:
        """End the stream as it is, for a message that streams cannot be edited."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        await self._await_turn()
        self._take_turn()
        try:
            await stream.finish({"text": stream.sent or say("reading", self._language)})
        except TeamsError as error:
            log.info("the stream had ended", extra={"error": error.reason})

    async def _edit_or_send(self, interaction_id: int, message: Message) -> None:
        """Where the message cannot be edited, as one that was deleted, the answer is a new one and votes go there."""
        try:
            await self._update(message)
        except TeamsError as error:
            if not error.is_refusal:
                raise
            if await self._end_earlier_stream(message):
                return
            self._reply_key = await self._send(message)
            await self._means.interactions.set_reply_key(interaction_id, self._reply_key)

    async def _end_earlier_stream(self, message: Message) -> bool:
        """End a stream that an earlier attempt left when it died, which takes no edit; False where there is none."""
        if not self._claimed.payload["direct"] or self._earlier_key is None:
            return False
        stream_id = self._earlier_key.rpartition("|")[2]
        stream = TeamsStream(self._means.connector, self._reference, stream_id, self._means.clock)
        try:
            await stream.finish(message)
        except TeamsError as error:
            if not error.is_refusal:
                raise
            return False
        return True

    async def _send(self, message: Message) -> str:
        return self._name(await self._means.connector.send(self._reference, message))

    def _name(self, activity_id: str) -> str:
        return make_reply_key(self._reference["conversation"]["id"], activity_id)

    async def _update(self, message: Message, key: str | None = None, *, patient: bool = True) -> None:
        """Replace the reply, or another message by its key."""
        key = key or self._reply_key
        assert key, "open() comes first"
        activity_id = key.rpartition("|")[2]
        await self._means.connector.update(self._reference, activity_id, message, patient=patient)
