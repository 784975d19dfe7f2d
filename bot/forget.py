"""Forget me: everything that a person asked, was answered and judged is erased, on every platform the same way.

What stays is said: messages in the chat itself, reports of past nights, the audit, and adapters that were trained on it
until a later night replaces them.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

from bot.inbox import Claimed
from core.database import Database
from core.locks import Lock
from core.sql import load_queries
from retrieval.examples import forget_examples

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased.

    Attributes:
        questions: with their answers; `votes` are the person's own, and those of others on these answers.
        adapters: that were trained on it.
    """

    questions: int
    votes: int
    pairs: int
    adapters: list[str]


# Tells the person, on their platform, that it is done.
TellErased = Callable[[Claimed, Erased], Awaitable[None]]


async def erase(database: Database, person: str, *, by: str, keep_inbox: int | None = None) -> Erased:
    """Erase a person, in one transaction; once more erases what came since.

    Args:
        by: who did it, for the audit.
        keep_inbox: the event that asks for it, which must outlive a crash.
    """
    async with database.transaction() as connection:
        # Before any row, in the order in which the search learns: else each would wait for what the other holds.
        await connection.execute(QUERIES["lock"], {"key": Lock.INDEX})
        ids = await _find(connection, "find_interactions", {"person": person})
        theirs = {"person": person, "ids": ids}
        adapters = await _find(connection, "find_adapters", theirs)
        await forget_examples(connection, person=person, interaction_ids=ids)
        pairs = await _erase(connection, "erase_pairs", theirs)
        votes = await _erase(connection, "erase_votes", theirs)
        for name in ("erase_requests", "erase_replies"):
            await _erase(connection, name, theirs)
        questions = await _erase(connection, "erase_interactions", theirs)
        await _erase(connection, "erase_inbox", {**theirs, "keep_id": keep_inbox})
        erased = Erased(questions, votes, pairs, adapters)
        if questions or votes or pairs:
            counts = {"questions": questions, "votes": votes, "pairs": pairs, "adapters": adapters, "by": by}
            await connection.execute(QUERIES["record"], counts)
    return erased


class Forgetting:
    """The handler: erases, tells the person, and leaves nothing of the wish itself.

    Args:
        tell: by platform.
    """

    def __init__(self, database: Database, *, tell: Mapping[str, TellErased]) -> None:
        self._database = database
        self._tell = tell

    async def __call__(self, claimed: Claimed) -> None:
        """Bears repetition: a second time there is nothing left to erase."""
        erased = await erase(self._database, claimed.payload["person"], by="forget-me", keep_inbox=claimed.id)
        if erased.adapters:
            log.warning("adapters were trained on what was erased", extra={"adapters": ", ".join(erased.adapters)})
        if tell := self._tell.get(claimed.platform):
            await tell(claimed, erased)
        await self._database.execute(QUERIES["blank_event"], {"id": claimed.id})


async def _find(connection: AsyncConnection[Any], name: str, parameters: Mapping[str, Any]) -> list[Any]:
    cursor = await connection.execute(QUERIES[name], parameters)
    return [value for (value,) in await cursor.fetchall()]


async def _erase(connection: AsyncConnection[Any], name: str, parameters: Mapping[str, Any]) -> int:
    return (await connection.execute(QUERIES[name], parameters)).rowcount
