"""An answer ended by the one who asked: the wish is stored with the question, so any process may be the one to obey."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from core.database import Database
from core.errors import DatabaseError
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)
# How often a process looks for wishes while it answers: one statement, however many answers are under way.
LOOK_SECONDS = 0.25

Result = TypeVar("Result")


class StoppedError(Exception):
    """The one who asked wants no more of this answer."""


@dataclass(frozen=True, slots=True)
class _Requested:
    id: int


class Stops:
    """Wishes to stop, by inbox id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watched: dict[int, asyncio.Event] = {}
        self._looking: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def request(self, inbox_id: int, person: str) -> bool:
        """Store the wish; False where this person has no such question that is still open."""
        parameters = {"id": inbox_id, "person": person}
        return bool(await self._database.fetch_all(QUERIES["request"], parameters, _Requested))

    async def run(self, inbox_id: int | None, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of `work`, which is cancelled as soon as the wish is seen; one without an inbox row cannot be.

        Raises:
            StoppedError: it was cancelled so. Work that is done by then is not stopped.
        """
        if inbox_id is None:
            return await work
        task, wish = asyncio.create_task(work), asyncio.create_task(self._watch(inbox_id).wait())
        try:
            await asyncio.wait({task, wish}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise StoppedError
        finally:
            self._watched.pop(inbox_id, None)
            self._news.set()
            for one in (task, wish):
                one.cancel()
            await asyncio.gather(task, wish, return_exceptions=True)

    def _watch(self, inbox_id: int) -> asyncio.Event:
        self._news.set()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="stops")
        return self._watched.setdefault(inbox_id, asyncio.Event())

    async def _look(self) -> None:
        """Look while anything is watched; a database that is away is waited out, as everywhere."""
        while self._watched:
            self._news.clear()
            try:
                parameters = {"ids": list(self._watched)}
                for found in await self._database.fetch_all(QUERIES["find_requested"], parameters, _Requested):
                    if wish := self._watched.get(found.id):
                        wish.set()
            except DatabaseError as error:
                log.warning("wishes to stop could not be read", extra={"error": str(error)})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_SECONDS)
