"""A better answer now: who disliked an answer is told once when an adapter that learnt from it answers.

Told are votes of people that a night really trained on, while that adapter serves, in working hours and not for ever:
who asked again since knows it already, and old news are none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)

LEASE_SECONDS = 300
# Over a weekend and a holiday.
NEWS_HOURS = 96
MOST_AT_ONCE = 3
FIRST_HOUR, LAST_HOUR, WORKING_DAYS = 9, 18, 5


@dataclass(frozen=True, slots=True)
class Better:
    """A question that is answered by what its asker taught.

    Attributes:
        payload: of the question's event, with the way back to the person.
    """

    feedback_id: int
    interaction_id: int
    person: str
    question: str
    language: str
    given_at: datetime
    payload: dict[str, Any]


class BetterAnswers:
    """Those of one platform."""

    def __init__(self, database: Database, platform: str) -> None:
        self._database = database
        self._platform = platform

    async def find_due(self) -> dict[str, list[Better]]:
        """What people have not been told yet, by person, a few a person."""
        parameters = {"platform": self._platform, "hours": NEWS_HOURS, "most": MOST_AT_ONCE}
        due: dict[str, list[Better]] = {}
        for one in await self._database.fetch_all(QUERIES["find_due"], parameters, Better):
            due.setdefault(one.person, []).append(one)
        return due

    async def claim(self, news: Sequence[Better]) -> list[Better]:
        """Own them for `LEASE_SECONDS`; those that no other replica has or had."""
        ids = [one.feedback_id for one in news]
        rows = await self._database.fetch_dicts(QUERIES["claim"], {"ids": ids, "seconds": LEASE_SECONDS})
        mine = {row["feedback_id"] for row in rows}
        return [one for one in news if one.feedback_id in mine]

    async def set_told(self, news: Sequence[Better]) -> None:
        """They are told, or cannot be."""
        await self._database.execute(QUERIES["set_told"], {"ids": [one.feedback_id for one in news]})


def is_working_time(now: datetime, zone: ZoneInfo) -> bool:
    """Whether people may be disturbed; nights end when they sleep."""
    local = now.astimezone(zone)
    return local.weekday() < WORKING_DAYS and FIRST_HOUR <= local.hour < LAST_HOUR
