"""Slack's side of "Ask a human": a channel of experts, their replies in its threads, and their consent."""

import logging
from collections.abc import Mapping
from typing import Any

from bot.experts import CONSENT, REPLY, REQUEST, ExpertReply, ExpertRequest
from bot.inbox import Event, Inbox
from bot.slack.api import QUIET, SlackApi, SlackError
from bot.slack.events import SlackEvents, find_bot_user, find_person, find_team
from bot.slack.judgements import find_language
from bot.slack.names import find_place, find_user, name_conversation, name_person
from bot.slack.posts import is_personal, read_text
from bot.slack.render_experts import (
    USE_REPLY,
    render_offer,
    render_request,
    render_request_fallback,
    render_told,
    say_expert,
)
from bot.slack.render_feedback import ASK_HUMAN
from core.interactions import Interaction

log = logging.getLogger(__name__)

# Replies in a public or a private channel of experts.
EVENT_SCOPES = {"message.channels": "channels:history", "message.groups": "groups:history"}


class SlackExperts:
    """Posts into the channel of experts, and tells people alone or in their thread.

    Args:
        channel: id of the experts' channel.
    """

    def __init__(self, *, api: SlackApi, channel: str) -> None:
        self._api = api
        self._channel = channel

    async def post_request(self, request: ExpertRequest, interaction: Interaction, *, with_answer: bool) -> str:
        """Question and answer as a message of its own.

        Raises:
            SlackError: the channel cannot be written to.
        """
        team, asker, language = (
            find_place(interaction.conversation_key).team,
            find_user(request.person),
            find_language(interaction),
        )
        blocks = render_request(
            language=language,
            asker=asker,
            question=interaction.question,
            answer=interaction.answer if with_answer else None,
            link=await self._find_link(team, interaction),
        )
        text = render_request_fallback(language, asker, interaction.question)
        arguments = {"channel": self._channel, "text": text, "blocks": blocks}
        posted = await self._api.call(team, "chat.postMessage", **arguments, **QUIET)
        return f"{posted['channel']}:{posted['ts']}"

    async def say_posted(self, person: str, interaction: Interaction) -> None:
        """One ephemeral message; one that fails is logged only."""
        place, text = find_place(interaction.conversation_key), say_expert("posted", find_language(interaction))
        whom = {"channel": place.channel, "thread_ts": place.thread_ts, "user": find_user(person)}
        try:
            await self._api.call(place.team, "chat.postEphemeral", **whom, text=text)
        except SlackError as error:
            log.warning("a person could not be told", extra={"interaction_id": interaction.id, "error": str(error)})

    async def offer(self, reply: ExpertReply, request: ExpertRequest, interaction: Interaction) -> None:
        """One ephemeral message in the experts' thread.

        Raises:
            SlackError: it could not be shown.
        """
        assert request.thread_key, "a reply came into a thread"
        channel, thread_ts = request.thread_key.split(":")
        language, asker = find_language(interaction), find_user(request.person)
        await self._api.call(
            find_place(interaction.conversation_key).team,
            "chat.postEphemeral",
            channel=channel,
            thread_ts=thread_ts,
            user=find_user(reply.expert),
            text=say_expert("offer", language, person=asker),
            blocks=render_offer(reply.id, language, asker),
        )

    async def tell(self, reply: ExpertReply, request: ExpertRequest, interaction: Interaction) -> None:
        """A message in the thread of the question, which wakes the person.

        Raises:
            SlackError: the thread cannot be written to.
        """
        place = find_place(interaction.conversation_key)
        language, asker, expert = find_language(interaction), find_user(request.person), find_user(reply.expert)
        where = {"channel": place.channel, "thread_ts": place.thread_ts}
        text = say_expert("tell", language, person=asker, expert=expert)
        blocks = render_told(language, asker=asker, expert=expert, reply=reply.reply)
        await self._api.call(place.team, "chat.postMessage", **where, text=text, blocks=blocks, **QUIET)

    async def _find_link(self, team: str, interaction: Interaction) -> str | None:
        """A permalink to the answer; None in a direct message, which nobody else can open."""
        channel, _, ts = (interaction.reply_key or "").partition(":")
        if not ts or channel.startswith("D"):
            return None
        try:
            return (await self._api.call(team, "chat.getPermalink", channel=channel, message_ts=ts))["permalink"]
        except SlackError:
            return None


def add_experts(events: SlackEvents, inbox: Inbox, channel: str) -> None:
    """Take wishes for a human, replies of experts, and their consent."""

    async def receive_wish(body: dict[str, Any]) -> None:
        number, person = int(body["actions"][0]["value"]), find_person(body)
        payload = {"interaction_id": number, "person": person}
        key = f"slack:{find_team(body)}:expert:{number}"
        await inbox.receive(Event("slack", f"expert:{number}:{person}", key, REQUEST, payload))

    async def receive_reply(body: dict[str, Any]) -> None:
        if event := to_expert_reply(body, channel):
            await inbox.receive(event)

    async def receive_consent(body: dict[str, Any]) -> None:
        number, person = int(body["actions"][0]["value"]), find_person(body)
        payload = {"reply_id": number, "person": person}
        key = f"slack:{find_team(body)}:expert_reply:{number}"
        await inbox.receive(Event("slack", f"expert_consent:{number}:{person}", key, CONSENT, payload))

    events.on("action", ASK_HUMAN, receive_wish)
    events.on("event", "message", receive_reply)
    events.on("action", USE_REPLY, receive_consent)


def to_expert_reply(body: Mapping[str, Any], channel: str) -> Event | None:
    """A person's reply in a thread of the experts' channel; a mention of ours in it is a question instead."""
    event: Mapping[str, Any] = body["event"]
    thread_ts, text = event.get("thread_ts"), event.get("text") or ""
    if event.get("channel") != channel or not thread_ts or thread_ts == event["ts"] or not is_personal(body, event):
        return None
    if f"<@{find_bot_user(body)}" in text or not text.strip():
        return None
    team = find_team(body)
    payload = {
        "thread_key": f"{channel}:{thread_ts}",
        "reply_key": f"{channel}:{event['ts']}",
        "person": name_person(team, event["user"]),
        "text": read_text(text, None),
    }
    key = f"expert_reply:{channel}:{event['ts']}"
    return Event("slack", key, name_conversation(team, channel, thread_ts), REPLY, payload)
