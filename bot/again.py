"""The same question once more: a second answer, drawn otherwise, that people can hold against the first."""

from dataclasses import dataclass
from typing import Any

from bot.inbox import Event, Inbox
from core.database import Database
from core.records import Platform
from core.sql import load_queries

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class _Asked:
    platform: Platform
    conversation_key: str
    payload: dict[str, Any]


class Again:
    """Asks again, on any platform whose questions come by the inbox."""

    def __init__(self, database: Database, inbox: Inbox) -> None:
        self._database = database
        self._inbox = inbox

    async def ask(self, interaction_id: int) -> bool:
        """Store the question of an answer anew, with everything that decides who may see what; False where it has none.

        An answer is tried again once, however many people ask for it; the second answer can be tried again itself.
        """
        asked = await self._database.fetch_one(QUERIES["find_question"], {"interaction_id": interaction_id}, _Asked)
        if asked is None:
            return False
        payload = {name: value for name, value in asked.payload.items() if name != "stop_requested"}
        await self._inbox.receive(
            Event(
                asked.platform,
                f"again:{interaction_id}",
                asked.conversation_key,
                "question",
                {**payload, "again_of": interaction_id},
            )
        )
        return True
