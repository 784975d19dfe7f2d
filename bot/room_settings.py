"""What holds in a room: when the assistant speaks, where it searches, in which language, and whether it may learn."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from core.database import Database
from core.prompt import Language
from core.sql import load_queries

QUERIES = load_queries(__file__)

Listens = Literal["mentions", "questions"]


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """The settings of one room; as they are made, those of a room that nobody has set.

    Attributes:
        listens: `questions`: also those that are addressed to nobody.
        sources: whose documents are searched; None: all.
        language: of the assistant's own words; None: the question's.
        allows_training: whether nights may learn from what is said there.
    """

    listens: Listens = "mentions"
    sources: Sequence[str] | None = None
    language: Language | None = None
    allows_training: bool = True


@dataclass(frozen=True, slots=True)
class _Source:
    source: str


class RoomSettingsLog:
    """Gets and sets; each change is audited."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, room: str) -> RoomSettings:
        """The settings of a room."""
        found = await self._database.fetch_one(QUERIES["get"], {"room": room}, RoomSettings)
        return found or RoomSettings()

    async def set(self, room: str, settings: RoomSettings, *, by: str) -> None:
        """Replace them; whether `by` may do so is the caller's question. Counts from the next event on."""
        await self._database.execute(QUERIES["set"], {"room": room, "by": by, **asdict(settings)})

    async def find_sources(self) -> list[str]:
        """The sources that hold documents, by name."""
        return [row.source for row in await self._database.fetch_all(QUERIES["find_sources"], None, _Source)]
