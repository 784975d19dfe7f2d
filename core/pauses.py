"""Whether nights run by themselves: an admin pauses them by one row, which every machine's schedule obeys."""

from dataclasses import dataclass
from datetime import datetime

from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Pause:
    """The last word on it: paused or not, by whom and since when."""

    paused: bool
    set_by: str
    event_key: str | None
    set_at: datetime


class Pauses:
    """Pause and resume; a night that a person starts by hand runs all the same, and switches nothing by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self) -> Pause | None:
        """The last word; None where nobody has said any, and nights run."""
        return await self._database.fetch_one(QUERIES["find"], None, Pause)

    async def is_paused(self) -> bool:
        """Whether nights stand still."""
        last = await self.find()
        return last is not None and last.paused

    async def set(self, paused: bool, *, by: str, event_key: str | None = None) -> bool:
        """Pause or resume, with a row in the audit log; False where it is so already.

        Args:
            event_key: the click behind it; the same one counts once.
        """
        parameters = {"paused": paused, "by": by, "event_key": event_key}
        return await self._database.fetch_one(QUERIES["set"], parameters, Pause) is not None
