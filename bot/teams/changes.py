"""Questions that change while they are answered: stopped by the asker, edited within a minute, deleted.

Everything is found by the keys of the inbox, which follow from the message's room and id, so activities may come
twice, in any order and at any replica. What an edit replaces is answered no more; the edit is a question of its own,
answered in the same message after what went before in its conversation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.inbox import Claimed, Event, Inbox
from bot.stops import Stops
from bot.teams.activities import TeamsActivities
from bot.teams.posts import read_post, to_question
from bot.teams.reading import (
    Activity,
    is_direct,
    is_own,
    make_reply_key,
    name_conversation,
    name_person,
    read_time,
)
from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)

DELETION = "teams_deletion"
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

    def open_doors(self, activities: TeamsActivities) -> None:
        """Take edits and deletions."""
        activities.on("messageUpdate", self.receive_edit)
        activities.on("messageDelete", self.receive_deletion)

    async def stop_all(self, activity: Activity) -> None:
        """End what this person had asked here when they said so."""
        said_at = read_time(activity)
        if said_at is None:
            return
        parameters = {
            "conversation_key": name_conversation(activity),
            "person": name_person(activity),
            "said_at": said_at,
        }
        await self._database.execute(QUERIES["stop_in_conversation"], parameters)

    async def stop(self, inbox_id: int, person: str) -> bool:
        """End one question; False where it is not this person's, or over."""
        return await self._stops.request(inbox_id, person)

    async def receive_edit(self, activity: Activity) -> None:
        """Another wording of a question; the answer under way is stopped, the new one takes its place."""
        seconds = _count_seconds(activity)
        if _find_event(activity) != "editMessage" or seconds is None or is_own(activity):
            return
        post = _find_post(activity)
        edit = to_question(activity)
        if edit is None and await self._find(_name_all(post)):
            edit = read_post(activity)
        if edit is None:
            return
        payload = {**edit.payload, "edited": seconds}
        await self._inbox.receive(replace(edit, event_key=f"edit:{post}:{seconds}", payload=payload))
        await self._stop([f"post:{post}", *_name_edits(post, range(seconds))])

    async def receive_deletion(self, activity: Activity) -> None:
        """A question that is gone: its answer is stopped, and what was shown of it is removed.

        What was deleted is not sent along, so in a group or channel it counts where it was asked of us before.
        """
        post = _find_post(activity)
        if _find_event(activity) != "softDeleteMessage" or is_own(activity):
            return
        if not is_direct(activity) and not await self._find(_name_all(post)):
            return
        event = Event("teams", f"delete:{post}", name_conversation(activity), DELETION, {"post": post})
        await self._inbox.receive(event)
        await self._stop(_name_all(post))

    async def find_fate(self, payload: Mapping[str, Any]) -> Fate:
        """What became of a question since it was stored."""
        post = payload.get("post")
        if post is None:
            # Stored before messages had keys.
            return "stands"
        deleted = f"delete:{post}"
        newer = _name_edits(post, range(payload.get("edited", -1) + 1, EDIT_SECONDS + 1))
        found = {row.event_key for row in await self._find([deleted, *newer])}
        return "deleted" if deleted in found else "replaced" if found else "stands"

    async def find_earlier_reply(self, payload: Mapping[str, Any]) -> str | None:
        """The message in which an earlier wording of this question was answered; asked again it gets its own."""
        if "edited" not in payload or payload.get("again_of"):
            return None
        keys = [f"post:{payload['post']}", *_name_edits(payload["post"], range(payload["edited"]))]
        found = await self._database.fetch_one(QUERIES["find_reply"], {"keys": keys}, _ReplyKey)
        return found.reply_key if found else None

    async def take_deletion(self, claimed: Claimed) -> None:
        """Stop again, for a process may have died between storing the deletion and stopping."""
        await self._stop(_name_all(claimed.payload["post"]))

    async def _find(self, keys: list[str]) -> list[_Key]:
        return await self._database.fetch_all(QUERIES["find"], {"keys": keys}, _Key)

    async def _stop(self, keys: list[str]) -> None:
        await self._database.execute(QUERIES["stop"], {"keys": keys})


def _find_event(activity: Activity) -> str | None:
    channel: Activity = activity.get("channelData") or {}
    return channel.get("eventType")


def _find_post(activity: Activity) -> str:
    return make_reply_key(activity["conversation"]["id"], activity["id"])


def _count_seconds(activity: Activity) -> int | None:
    """Full seconds from a message to its edit; None where that is too long, or the id is no time as Teams' ids are."""
    edited_at, number = read_time(activity), str(activity["id"])
    if edited_at is None or not number.isdecimal():
        return None
    seconds = int(edited_at.timestamp() - int(number) / 1000)
    return seconds if 0 <= seconds <= EDIT_SECONDS else None


def _name_edits(post: str, seconds: range) -> list[str]:
    return [f"edit:{post}:{second}" for second in seconds]


def _name_all(post: str) -> list[str]:
    return [f"post:{post}", *_name_edits(post, range(EDIT_SECONDS + 1))]
