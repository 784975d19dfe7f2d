"""Threads: what follows an answer of ours needs no mention, and a mention in an old thread is read with that thread."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.conversation import looks_like_question
from bot.inbox import Claimed, Event, Inbox
from bot.slack.api import SlackApi, SlackError
from bot.slack.events import SlackEvents, find_bot_user
from bot.slack.posts import PERSONAL_SUBTYPES, read_post, read_text, to_question
from core.database import Database
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)
EVENT_SCOPES = {
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.mpim": "mpim:history",
}

# Rooms whose settings may let us answer what is addressed to nobody.
OPEN_ROOMS = {"channel", "group"}
# Of a thread its first post and the latest are read, each up to a length.
POSTS_ASKED_FOR = 100
POSTS_READ = 20
POST_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class _Known:
    one: int


# Whether questions that are addressed to nobody are answered in a channel of a team.
HearsQuestions = Callable[[str, str], Awaitable[bool]]


class Threads:
    """Takes follow-ups, and reads what people said before they asked us.

    Args:
        hears_questions: by the channel's settings.
    """

    def __init__(self, *, api: SlackApi, inbox: Inbox, database: Database, hears_questions: HearsQuestions) -> None:
        self._hears_questions = hears_questions
        self._api = api
        self._inbox = inbox
        self._database = database

    def open_doors(self, events: SlackEvents) -> None:
        """Take posts; those that are not for us are not stored."""
        events.on("event", "message", self.receive)

    async def receive(self, body: dict[str, Any]) -> None:
        """A direct message, a post in a thread in which we answered, or a question that is addressed to nobody."""
        if event := to_question(body) or await self._find_follow_up(body) or await self._find_open_question(body):
            await self._inbox.receive(event)

    async def read(self, claimed: Claimed) -> Sequence[str]:
        """What people said in the thread before the question, oldest first; empty where it cannot be read.

        Side effects: one call of `conversations.replies`, where the question stands in a thread that is not ours yet.
        """
        payload = claimed.payload
        if payload["thread_ts"] == payload["ts"] or await self._is_known(claimed.conversation_key):
            return []
        try:
            answer = await self._api.call(
                payload["team"],
                "conversations.replies",
                channel=payload["channel"],
                ts=payload["thread_ts"],
                latest=payload["ts"],
                limit=POSTS_ASKED_FOR,
            )
        except SlackError as error:
            log.warning("the thread could not be read", extra={"channel": payload["channel"], "error": str(error)})
            return []
        return _choose(answer.get("messages") or [], before=payload["ts"])

    async def _find_follow_up(self, body: Mapping[str, Any]) -> Event | None:
        """A person's word to us in a thread of ours; one that begins with somebody else's name is for them."""
        event: Mapping[str, Any] = body["event"]
        if event.get("thread_ts") in (None, event.get("ts")):
            return None
        text = (event.get("text") or "").lstrip()
        if text.startswith("<@") and not text.startswith(f"<@{find_bot_user(body)}"):
            return None
        question = read_post(body, event)
        return question if question and await self._is_known(question.conversation_key) else None

    async def _find_open_question(self, body: Mapping[str, Any]) -> Event | None:
        """A question at the beginning of a thread, where the channel wants such questions answered."""
        event: Mapping[str, Any] = body["event"]
        if event.get("thread_ts") not in (None, event.get("ts")) or event.get("channel_type") not in OPEN_ROOMS:
            return None
        question = read_post(body, event)
        if question is None or "<@" in event["text"] or not looks_like_question(question.payload["text"]):
            return None
        return question if await self._hears_questions(question.payload["team"], question.payload["channel"]) else None

    async def _is_known(self, conversation_key: str) -> bool:
        parameters = {"conversation_key": conversation_key}
        return await self._database.fetch_one(QUERIES["find_answered"], parameters, _Known) is not None


def _choose(messages: Sequence[Mapping[str, Any]], *, before: str) -> list[str]:
    said = [
        text[:POST_CHARACTERS]
        for message in messages
        if message.get("user") and not message.get("bot_id") and message.get("subtype") in PERSONAL_SUBTYPES
        if float(message.get("ts") or 0) < float(before)
        if (text := read_text(message.get("text") or "", None))
    ]
    return said if len(said) <= POSTS_READ else [said[0], *said[1 - POSTS_READ :]]
