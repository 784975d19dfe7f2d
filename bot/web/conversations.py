"""A person's questions on the web: whose they are, what became of them, and what was said about the answers."""

from dataclasses import dataclass
from typing import Any

from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)
MOST_TURNS = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in the inbox; `is_over` where no worker will touch it again."""

    id: int
    person: str
    text: str
    is_over: bool


@dataclass(frozen=True, slots=True)
class _Owner:
    asker: str


class Conversations:
    """Read-only: the inbox and the log hold what is found here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_question(self, inbox_id: int, person: str) -> Asked | None:
        """A question that this person asked on the web."""
        parameters = {"id": inbox_id, "person": person}
        return await self._database.fetch_one(QUERIES["find_question"], parameters, Asked)

    async def find_answer(self, inbox_id: int, person: str) -> dict[str, Any] | None:
        """The finished interaction of a question by its columns, with the person's own vote."""
        rows = await self._database.fetch_dicts(QUERIES["find_answer"], {"id": inbox_id, "person": person})
        return rows[0] if rows else None

    async def find_turns(self, conversation_key: str, person: str) -> list[dict[str, Any]]:
        """The latest turns, oldest first: columns as in `find_answer`; unanswered ones have no `finished_at`."""
        parameters = {"conversation_key": conversation_key, "person": person, "limit": MOST_TURNS}
        return await self._database.fetch_dicts(QUERIES["find_turns"], parameters)

    async def is_asker(self, interaction_id: int, person: str) -> bool:
        """Whether this person asked on the web what this interaction answers."""
        owner = await self._database.fetch_one(QUERIES["find_asker"], {"id": interaction_id}, _Owner)
        return owner is not None and owner.asker == person
