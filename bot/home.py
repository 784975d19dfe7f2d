"""What a person finds about themselves: their questions, what came of their votes, and what they allow.

A vote counts as having changed something only where the ledger of a night says so, and a new answer is one that this
person was really given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from core.consent import Consents
from core.database import Database
from core.sql import load_queries
from core.wording import strip_citations
from retrieval.access import Access

QUERIES = load_queries(__file__)

RECENT = 5
JUDGED, JUDGED_DAYS = 3, 14

# served: in the training of an adapter that was put to work; trained: of one that was not; examined: kept to examine
# adapters with; unused: a night could not learn from it; refused: the person or the room refuses; waiting: no night
# has looked at it yet.
Effect = Literal["served", "trained", "examined", "unused", "refused", "waiting"]


@dataclass(frozen=True, slots=True)
class Recent:
    """A question of the person; asked several times it is the last one."""

    id: int
    question: str
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer that the person disliked, and what came of it.

    Attributes:
        served_at: since when an adapter that was trained on the vote answers, or answered.
        answer_now: what the person was answered to the same question since; None where they did not ask, or may not
            read any more what it is from.
    """

    id: int
    question: str
    given_at: datetime
    effect: Effect
    served_at: datetime | None
    answer_now: str | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Home:
    """All of it."""

    recent: list[Recent]
    judged: list[Judged]
    allows_training: bool


@dataclass(frozen=True, slots=True)
class _Judged:
    id: int
    question: str
    given_at: datetime
    effect: Effect
    served_at: datetime | None
    answer_now: str | None
    answered_at: datetime | None
    passages: list[dict[str, Any]] | None


class Homes:
    """Finds it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._access = Access(database)
        self._consents = Consents(database)

    async def find(self, person: str) -> Home:
        """What there is now."""
        recent = await self._database.fetch_all(QUERIES["find_recent"], {"person": person, "limit": RECENT}, Recent)
        parameters = {"person": person, "limit": JUDGED, "days": JUDGED_DAYS}
        judged = await self._database.fetch_all(QUERIES["find_judged"], parameters, _Judged)
        principals = await self._access.find_common_principals([person])
        return Home(
            recent,
            [await self._show(one, principals) for one in judged],
            await self._consents.allows_training(person),
        )

    async def _show(self, one: _Judged, principals: Sequence[str]) -> Judged:
        documents = {passage["document_id"] for passage in one.passages or ()}
        may_read = documents <= await self._access.find_visible(sorted(documents), principals)
        # The sources that its citations number are not shown beside it.
        now = strip_citations(one.answer_now) if may_read and one.answer_now else None
        return Judged(one.id, one.question, one.given_at, one.effect, one.served_at, now, one.answered_at)
