"""What one person alone sees: an answer to a command, and what only the asker of a room may read."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import aiohttp
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.inbox import Claimed, Event, Inbox
from bot.more import SHARE
from bot.phrases import say
from bot.reply import FinishedAnswer
from bot.slack.api import CALL_SECONDS, QUIET, SlackApi, SlackError
from bot.slack.blocks import Block, actions, button, section
from bot.slack.events import SlackEvents, find_team
from bot.slack.judgements import find_language
from bot.slack.names import find_place, name_person, name_room
from bot.slack.render import render_answer, render_fallback, render_partial, render_status
from core.interactions import Interaction
from core.prompt import Language

log = logging.getLogger(__name__)

# Shows one message to one person: its text for notifications, and its blocks.
Send = Callable[[str, list[Block]], Awaitable[None]]

# Slack's words for a command that was given too long ago to be answered.
_EXPIRED = ("expired_url", "used_url", "status 404")


class WhisperReply:
    """A reply that appears as a whole, and only to the one who asked; it is no message that others could vote on.

    Args:
        key: stands for the message, which Slack gives no lasting id.
        lead: phrase that stands over the answer.
        buttons: what stands under it.
    """

    def __init__(
        self,
        key: str,
        send: Send,
        *,
        base_url: str,
        lead: str = "",
        buttons: Callable[[FinishedAnswer], Sequence[Block]] = lambda _: (),
    ) -> None:
        self._key = key
        self._send = send
        self._base_url = base_url
        self._lead = lead
        self._buttons = buttons

    async def open(self, interaction_id: int, language: Language) -> str:
        """Show nothing yet."""
        return self._key

    async def show(self, text: str) -> None:
        """Wait for the end."""

    async def close(self, answer: FinishedAnswer) -> None:
        """Show the whole answer, in several messages where it is long.

        Raises:
            SlackError: it could not be shown.
        """
        answer = replace(answer, can_try_again=False)
        messages = render_answer(answer, self._base_url)
        if self._lead:
            messages[0] = [*render_status(say(self._lead, answer.language)), *messages[0]]
        messages[-1] += self._buttons(answer)
        for blocks in messages:
            await self._send(render_fallback(answer.text), blocks)

    async def decline(self, message: str) -> None:
        """Say why there is no answer."""
        await self._send(render_fallback(message), render_partial(message))


class SlackWhispers:
    """Makes such replies, and posts what is shared of them."""

    def __init__(self, *, api: SlackApi, inbox: Inbox, base_url: str) -> None:
        self._api = api
        self._inbox = inbox
        self._base_url = base_url

    def open_doors(self, events: SlackEvents) -> None:
        """Take the wish to share."""
        events.on("action", SHARE, self._receive_share)

    def whisper_to(self, claimed: Claimed) -> WhisperReply:
        """In the thread of the question, with a button to share."""
        payload = claimed.payload
        place = {
            "channel": payload["channel"],
            "thread_ts": payload["thread_ts"],
            "user": payload["person"].rpartition(":")[2],
        }

        async def send(text: str, blocks: list[Block]) -> None:
            await self._api.call(payload["team"], "chat.postEphemeral", **place, text=text, blocks=blocks)

        key = f"whisper:{claimed.id}"
        return WhisperReply(key, send, base_url=self._base_url, lead="more", buttons=render_share)

    async def post_shared(self, interaction: Interaction, answer: FinishedAnswer, *, is_all: bool) -> None:
        """In the thread of the question.

        Raises:
            SlackError: the channel cannot be written to.
        """
        place = find_place(interaction.conversation_key)
        where = {"channel": place.channel, "thread_ts": place.thread_ts}
        text, *messages = render_shared(interaction, answer, self._base_url, is_all=is_all)
        for blocks in messages:
            await self._api.call(place.team, "chat.postMessage", **where, text=text, blocks=blocks, **QUIET)

    async def _receive_share(self, body: dict[str, Any]) -> None:
        team, channel, number = find_team(body), body["channel"]["id"], int(body["actions"][0]["value"])
        person = name_person(team, body["user"]["id"])
        place = {"team": team, "channel": channel, "direct": False, "external": False}
        payload = {"interaction_id": number, "person": person, **place}
        await self._inbox.receive(Event("slack", f"share:{number}:{person}", name_room(team, channel), SHARE, payload))


def reply_to_command(claimed: Claimed, base_url: str) -> WhisperReply:
    """The reply to a command, which Slack takes for half an hour."""

    async def send(text: str, blocks: list[Block]) -> None:
        await send_response(claimed.payload["response_url"], text, blocks)

    return WhisperReply(f"command:{claimed.id}", send, base_url=base_url)


async def send_response(url: str, text: str, blocks: Sequence[Block] = ()) -> None:
    """Answer a command; after half an hour nobody can be told any more.

    Raises:
        SlackError: Slack refused, or is away.
    """
    client = AsyncWebhookClient(url, timeout=CALL_SECONDS)
    try:
        response = await client.send(text=text, blocks=list(blocks) or None, response_type="ephemeral")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise SlackError("response_url", f"nothing ({type(error).__name__})") from error
    word = f"status {response.status_code}"
    if response.body in _EXPIRED or word in _EXPIRED:
        log.warning("a command was given too long ago to be answered")
    elif response.status_code != HTTPStatus.OK:
        raise SlackError("response_url", word)


def render_share(answer: FinishedAnswer) -> list[Block]:
    """The button under an answer that the room does not see."""
    return [actions(button(SHARE, say("share", answer.language), str(answer.interaction_id)))]


def render_shared(
    interaction: Interaction, answer: FinishedAnswer, base_url: str, *, is_all: bool
) -> tuple[str, *tuple[list[Block], ...]]:
    """Text for notifications, then the blocks of each message."""
    language, person = find_language(interaction), f"<@{interaction.asker.rpartition(':')[2]}>"
    if not answer.text:
        text = say("shared_nothing", language, person=person)
        return text, [section(text)]
    text = say("shared", language, person=person)
    messages = render_answer(replace(answer, can_try_again=False), base_url)
    messages[0] = [section(text), *messages[0]]
    if not is_all:
        messages[-1] += render_status(say("shared_part", language))
    return text, *messages
