"""Slack's events about questions that change while they are answered: the Stop buttons, edits and deletions."""

from collections.abc import Mapping
from typing import Any

from bot.changes import EDIT_SECONDS, Changes
from bot.inbox import Inbox
from bot.slack.events import SlackEvents, find_bot_user, find_person, find_team
from bot.slack.names import name_conversation, name_person, name_post
from bot.slack.posts import read_post, read_time
from bot.slack.render import STOP
from bot.stops import Stops
from core.database import Database

EVENT_SCOPES = {"agent_session_stopped": "assistant:write"}


class SlackChanges:
    """Takes changes of questions."""

    def __init__(self, changes: Changes, *, inbox: Inbox, database: Database) -> None:
        self._changes = changes
        self._inbox = inbox
        self._stops = Stops(database)

    def open_doors(self, events: SlackEvents) -> None:
        """Take the events and the button."""
        events.on("event", "agent_session_stopped", self.receive_stop)
        events.on("event", "message.message_changed", self.receive_edit)
        events.on("event", "message.message_deleted", self.receive_deletion)
        events.on("action", STOP, self.receive_click)

    async def receive_stop(self, body: dict[str, Any]) -> None:
        """Slack's own Stop button: it ends what this person had asked in the thread when they pressed it."""
        event: Mapping[str, Any] = body["event"]
        team = find_team(body)
        await self._changes.stop_all(
            name_conversation(team, event["channel"], event.get("thread_ts")),
            name_person(team, event.get("user") or ""),
            read_time(event["event_ts"]),
        )

    async def receive_click(self, body: dict[str, Any]) -> None:
        """Our own Stop button, in messages that Slack does not stream."""
        person = find_person(body)
        if (number := str(body["actions"][0].get("value"))).isdecimal():
            await self._stops.request(int(number), person)

    async def receive_edit(self, body: dict[str, Any]) -> None:
        """Another wording of a question; where the post has replies, a deletion comes as an edit too."""
        event: Mapping[str, Any] = body["event"]
        message: Mapping[str, Any] = event["message"]
        # A deleted post that has replies stays as a stone.
        if message.get("subtype") == "tombstone":
            previous: Mapping[str, Any] = event.get("previous_message") or message
            await self._delete(body, previous)
            return
        seconds = _count_seconds(message)
        if seconds is None or not await self._is_question(body, message):
            return
        edit = read_post(body, {**message, "channel": event["channel"], "channel_type": event.get("channel_type")})
        if edit:
            await self._changes.edit(edit, seconds)

    async def receive_deletion(self, body: dict[str, Any]) -> None:
        """A question that is gone."""
        event: Mapping[str, Any] = body["event"]
        previous: Mapping[str, Any] = event.get("previous_message") or {}
        await self._delete(body, {**previous, "ts": event["deleted_ts"]})

    async def _delete(self, body: Mapping[str, Any], post: Mapping[str, Any]) -> None:
        if not await self._is_question(body, post):
            return
        channel, ts = body["event"]["channel"], post["ts"]
        conversation_key = name_conversation(find_team(body), channel, post.get("thread_ts") or ts)
        await self._changes.delete(name_post(channel, ts), conversation_key)

    async def _is_question(self, body: Mapping[str, Any], post: Mapping[str, Any]) -> bool:
        """Whether a post was asked of us; what people say to each other is not stored."""
        event: Mapping[str, Any] = body["event"]
        previous: Mapping[str, Any] = event.get("previous_message") or {}
        if post.get("text") == previous.get("text") and post is event.get("message"):
            # Slack unfurled a link, or counted a reply.
            return False
        mention = f"<@{find_bot_user(body)}"
        if event.get("channel_type") == "im" or any(mention in (one.get("text") or "") for one in (post, previous)):
            return previous.get("user") != find_bot_user(body) or not previous
        return await self._changes.is_question(name_post(event["channel"], post["ts"]))


def _count_seconds(message: Mapping[str, Any]) -> int | None:
    """Full seconds from a post to its edit; None where that is too long, or nobody edited."""
    edited: Mapping[str, Any] = message.get("edited") or {}
    try:
        seconds = int(float(edited["ts"])) - int(float(message["ts"]))
    except (KeyError, ValueError):
        return None
    return seconds if 0 <= seconds <= EDIT_SECONDS else None
