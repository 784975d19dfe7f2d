"""A person's questions on the web: whose they are, what became of them, and what was said about the answers.

An answer is shown for as long as the person may read every document that it was given from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.phrases import say
from bot.web.places import FindPrincipals
from core.database import Database
from core.sql import load_queries
from retrieval.access import Access

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
    """Read-only: the inbox and the log hold what is found here.

    Args:
        find_principals: what a person of the web may read now.
    """

    def __init__(self, database: Database, find_principals: FindPrincipals) -> None:
        self._database = database
        self._access = Access(database)
        self._find_principals = find_principals

    async def find_question(self, inbox_id: int, person: str) -> Asked | None:
        """A question that this person asked on the web."""
        parameters = {"id": inbox_id, "person": person}
        return await self._database.fetch_one(QUERIES["find_question"], parameters, Asked)

    async def find_answer(self, inbox_id: int, person: str) -> dict[str, Any] | None:
        """The finished interaction of a question by its columns, with the person's own vote."""
        rows = await self._database.fetch_dicts(QUERIES["find_answer"], {"id": inbox_id, "person": person})
        return (await self._withhold(rows, person))[0] if rows else None

    async def find_turns(self, conversation_key: str, person: str) -> list[dict[str, Any]]:
        """The latest turns, oldest first: columns as in `find_answer`; unanswered ones have no `finished_at`."""
        parameters = {"conversation_key": conversation_key, "person": person, "limit": MOST_TURNS}
        return await self._withhold(await self._database.fetch_dicts(QUERIES["find_turns"], parameters), person)

    async def is_asker(self, interaction_id: int, person: str) -> bool:
        """Whether this person asked on the web what this interaction answers."""
        owner = await self._database.fetch_one(QUERIES["find_asker"], {"id": interaction_id}, _Owner)
        return owner is not None and owner.asker == person

    async def _withhold(self, rows: Sequence[dict[str, Any]], person: str) -> list[dict[str, Any]]:
        """The rows without the words of answers that were given from what the person may not read any more."""
        shown = [{passage["document_id"] for passage in row["passages"] or ()} for row in rows]
        wanted = sorted(set[int]().union(*shown))
        may_read = (
            await self._access.find_visible(wanted, await self._find_principals(person)) if wanted else set[int]()
        )
        return [
            row if documents <= may_read else _without_words(row) for row, documents in zip(rows, shown, strict=True)
        ]


def _without_words(row: dict[str, Any]) -> dict[str, Any]:
    told = say("withheld", "ko" if row["language"] == "ko" else "en")
    return {**row, "answer": told, "search_notice": None, "mode_reason": None, "passages": [], "citations": []}
