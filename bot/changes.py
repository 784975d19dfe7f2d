"""Questions that change while they are answered: stopped by the asker, edited within a minute, deleted.

Everything is found by the keys of the inbox, which follow from the post, so events may come twice, in any order and
at any replica. What an edit replaces is answered no more; the edit is a question of its own, answered in the same
message after what went before in its conversation. A platform reads its events and names its posts: `post:POST` is
the key of a question, and its payload holds `post` and `said_at`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from bot.inbox import Claimed, Event, Inbox
from bot.worker import Handler
from core.database import Database
from core.records import Platform
from core.sql import load_queries

QUERIES = load_queries(__file__)

DELETION = "deletion"
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
    """Changes of one platform's questions: stored, and told to their replies."""

    def __init__(self, platform: Platform, *, inbox: Inbox, database: Database) -> None:
        self._platform: Platform = platform
        self._inbox = inbox
        self._database = database

    async def edit(self, edited: Event, seconds: int) -> None:
        """Store another wording of a question, and stop the answer under way: the new one takes its place.

        Args:
            edited: the question as it reads now.
            seconds: from the post to the edit, `EDIT_SECONDS` at the most.
        """
        post = edited.payload["post"]
        payload = {**edited.payload, "edited": seconds}
        await self._inbox.receive(replace(edited, event_key=f"edit:{post}:{seconds}", payload=payload))
        await self._stop([f"post:{post}", *_name_edits(post, range(seconds))])

    async def delete(self, post: str, conversation_key: str) -> None:
        """Store that a question is gone: its answer is stopped, and what was shown of it is removed."""
        await self._inbox.receive(Event(self._platform, f"delete:{post}", conversation_key, DELETION, {"post": post}))
        await self._stop(_name_all(post))

    async def stop_all(self, conversation_key: str, person: str, until: datetime) -> None:
        """End what this person had asked in a conversation until then."""
        parameters = {"conversation_key": conversation_key, "person": person, "until": until}
        await self._database.execute(QUERIES["stop_in_conversation"], self._with_platform(parameters))

    async def is_question(self, post: str) -> bool:
        """Whether a post was asked of us, in whatever wording."""
        return bool(await self._find(_name_all(post)))

    async def find_fate(self, payload: Mapping[str, Any]) -> Fate:
        """What became of a question since it was stored."""
        post = payload.get("post")
        if post is None:
            # A command, a button: nobody can edit it.
            return "stands"
        deleted = f"delete:{post}"
        newer = _name_edits(post, range(payload.get("edited", -1) + 1, EDIT_SECONDS + 1))
        found = await self._find([deleted, *newer])
        return "deleted" if deleted in found else "replaced" if found else "stands"

    async def find_earlier_reply(self, payload: Mapping[str, Any]) -> str | None:
        """The message in which an earlier wording was answered; a question that is tried again gets one of its own."""
        if not (keys := _name_earlier(payload)):
            return None
        found = await self._database.fetch_one(QUERIES["find_reply"], self._with_platform({"keys": keys}), _ReplyKey)
        return found.reply_key if found else None

    async def find_earlier_parts(self, payload: Mapping[str, Any]) -> list[str]:
        """The other messages of earlier wordings' answers: what did not fit into the first, and buttons."""
        if not (keys := _name_earlier(payload)):
            return []
        found = await self._database.fetch_all(QUERIES["find_parts"], self._with_platform({"keys": keys}), _ReplyKey)
        return [part.reply_key for part in found]

    async def _find(self, keys: list[str]) -> set[str]:
        rows = await self._database.fetch_all(QUERIES["find"], self._with_platform({"keys": keys}), _Key)
        return {row.event_key for row in rows}

    async def _stop(self, keys: list[str]) -> None:
        await _stop(self._database, self._platform, keys)

    def _with_platform(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"platform": self._platform, **parameters}


def take_deletions(database: Database) -> Handler:
    """Stop again, for a process may have died between storing the deletion and stopping."""

    async def take(claimed: Claimed) -> None:
        await _stop(database, claimed.platform, _name_all(claimed.payload["post"]))

    return take


async def _stop(database: Database, platform: Platform, keys: list[str]) -> None:
    await database.execute(QUERIES["stop"], {"platform": platform, "keys": keys})


def _name_earlier(payload: Mapping[str, Any]) -> list[str]:
    """The wordings before this one; none for what was not edited, or is tried again and gets a message of its own."""
    if "edited" not in payload or "again_of" in payload:
        return []
    post = payload["post"]
    return [f"post:{post}", *_name_edits(post, range(payload["edited"]))]


def _name_edits(post: str, seconds: range) -> list[str]:
    return [f"edit:{post}:{second}" for second in seconds]


def _name_all(post: str) -> list[str]:
    return [f"post:{post}", *_name_edits(post, range(EDIT_SECONDS + 1))]
