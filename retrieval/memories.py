"""Memories as administrators see them: each with its state, documents and uses, and out with one."""

from collections.abc import Mapping
from typing import Any, Literal

from core.database import Database
from core.errors import NotFoundError
from core.sql import load_queries

QUERIES = load_queries(__file__)

State = Literal["standing", "waiting", "stale", "withdrawn", "removed"]


class Memories:
    """Lists and removes; whoever calls it may read everything."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_all(
        self, *, state: State | None = None, before: int | None = None, limit: int = 20
    ) -> list[dict[str, Any]]:
        """Memories, newest answers first, with how often each stood in a prompt; `before` is an id."""
        values = {"id": None, "state": state, "before": before, "limit": limit}
        return await self._database.fetch_dicts(QUERIES["find_listed"], values)

    async def get(self, memory_id: int, *, most_uses: int = 20) -> Mapping[str, Any]:
        """One memory with its documents and the answers that it stood in the prompt of.

        Raises:
            NotFoundError: nothing is remembered of this answer.
        """
        values = {"id": memory_id, "state": None, "before": None, "limit": 1}
        rows = await self._database.fetch_dicts(QUERIES["find_listed"], values)
        if not rows:
            raise NotFoundError(f"nothing is remembered of answer {memory_id}; `nightbake memory list` shows all")
        documents = await self._database.fetch_dicts(QUERIES["find_documents"], {"id": memory_id})
        used_in = await self._database.fetch_dicts(QUERIES["find_uses"], {"id": memory_id, "limit": most_uses})
        return {**rows[0], "documents": documents, "used_in": used_in}

    async def remove(self, memory_id: int, *, by: str) -> None:
        """Leave it out from the next question on, for good; whatever is voted on its answer does not bring it back.

        Raises:
            NotFoundError: nothing is remembered of this answer, or it was removed before.
        """
        if not await self._database.fetch_dicts(QUERIES["remove"], {"id": memory_id, "by": by}):
            raise NotFoundError(f"nothing to remove of answer {memory_id}; `nightbake memory list` shows all")
