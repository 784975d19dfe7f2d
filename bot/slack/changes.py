"""Questions that change while they are answered: stopped by the asker, edited within a minute, deleted.

Everything is found by the keys of the inbox, which follow from the post's channel and time, so events may come
twice, in any order and at any replica. What an edit replaces is answered no more; the edit is a question of its own,
answered in the same message after what went before in its thread.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.inbox import Claimed, Event, Inbox
from bot.slack.events import SlackEvents, find_bot_user, find_person, find_team
from bot.slack.names import name_conversation, name_person
from bot.slack.posts import read_post
from bot.slack.render import STOP
from bot.stops import Stops
from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)
EVENT_SCOPES = {"agent_session_stopped": "assistant:write"}

# An edit after this is a correction of the record, no new question.
EDIT_SECONDS = 60

# What became of a question: it stands, a newer wording of it came, or it is gone.
Fate = Literal["stands", "replaced", "deleted"]


@dataclass(frozen=True, slots=True)
class _Key:
    event_key: str


@dataclass(frozen=True, slots=True)
class _ReplyKey:
    reply_key: str


class Changes:
    """Takes changes of questions, and tells replies what became of theirs."""

    def __init__(self, *, inbox: Inbox, database: Database) -> None:
        self._inbox = inbox
        self._database = database
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
        parameters = {
            "conversation_key": name_conversation(team, event["channel"], event.get("thread_ts")),
            "person": name_person(team, event.get("user") or ""),
            "asked_before": event["event_ts"],
        }
        await self._database.execute(QUERIES["stop_in_thread"], parameters)

    async def receive_click(self, body: dict[str, Any]) -> None:
        """Our own Stop button, in messages that Slack does not stream."""
        person = find_person(body)
        if (number := str(body["actions"][0].get("value"))).isdecimal():
            await self._stops.request(int(number), person)

    async def receive_edit(self, body: dict[str, Any]) -> None:
        """Another wording of a question; the answer under way is stopped, the new one takes its place."""
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
        if edit is None:
            return
        channel, ts = event["channel"], message["ts"]
        payload = {**edit.payload, "edited": seconds}
        await self._inbox.receive(replace(edit, event_key=f"edit:{channel}:{ts}:{seconds}", payload=payload))
        await self._stop([f"post:{channel}:{ts}", *_name_edits(channel, ts, range(seconds))])

    async def receive_deletion(self, body: dict[str, Any]) -> None:
        """A question that is gone: its answer is stopped, and what was shown of it is removed."""
        event: Mapping[str, Any] = body["event"]
        previous: Mapping[str, Any] = event.get("previous_message") or {}
        await self._delete(body, {**previous, "ts": event["deleted_ts"]})

    async def find_fate(self, payload: Mapping[str, Any]) -> Fate:
        """What became of a question since it was stored."""
        channel, ts = payload["channel"], payload["ts"]
        deleted = f"delete:{channel}:{ts}"
        newer = _name_edits(channel, ts, range(payload.get("edited", -1) + 1, EDIT_SECONDS + 1))
        found = {row.event_key for row in await self._find([deleted, *newer])}
        return "deleted" if deleted in found else "replaced" if found else "stands"

    async def find_earlier_reply(self, payload: Mapping[str, Any]) -> str | None:
        """The message in which an earlier wording was answered; a question that is tried again gets one of its own."""
        if "edited" not in payload or "again_of" in payload:
            return None
        channel, ts = payload["channel"], payload["ts"]
        keys = [f"post:{channel}:{ts}", *_name_edits(channel, ts, range(payload["edited"]))]
        found = await self._database.fetch_one(QUERIES["find_reply"], {"keys": keys}, _ReplyKey)
        return found.reply_key if found else None

    async def take_deletion(self, claimed: Claimed) -> None:
        """Stop again, for a process may have died between storing the deletion and stopping."""
        await self._stop(_name_all(claimed.payload["channel"], claimed.payload["ts"]))

    async def _delete(self, body: Mapping[str, Any], post: Mapping[str, Any]) -> None:
        if not await self._is_question(body, post):
            return
        channel, ts = body["event"]["channel"], post["ts"]
        conversation_key = name_conversation(find_team(body), channel, post.get("thread_ts") or ts)
        payload = {"channel": channel, "ts": ts}
        await self._inbox.receive(Event("slack", f"delete:{channel}:{ts}", conversation_key, "deletion", payload))
        await self._stop(_name_all(channel, ts))

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
        return bool(await self._find(_name_all(event["channel"], post["ts"])))

    async def _find(self, keys: list[str]) -> list[_Key]:
        return await self._database.fetch_all(QUERIES["find"], {"keys": keys}, _Key)

    async def _stop(self, keys: list[str]) -> None:
        await self._database.execute(QUERIES["stop"], {"keys": keys})


def _count_seconds(message: Mapping[str, Any]) -> int | None:
    """Full seconds from a post to its edit; None where that is too long, or nobody edited."""
    edited: Mapping[str, Any] = message.get("edited") or {}
    try:
        seconds = int(float(edited["ts"])) - int(float(message["ts"]))
    except (KeyError, ValueError):
        return None
    return seconds if 0 <= seconds <= EDIT_SECONDS else None


def _name_edits(channel: str, ts: str, seconds: range) -> list[str]:
    return [f"edit:{channel}:{ts}:{second}" for second in seconds]


def _name_all(channel: str, ts: str) -> list[str]:
    return [f"post:{channel}:{ts}", *_name_edits(channel, ts, range(EDIT_SECONDS + 1))]
