"""Who has an adapter of their own: one row and one name each. Everyone's adapter needs no row."""

from dataclasses import dataclass

from core.database import Database
from core.errors import NotFoundError
from core.sql import load_queries
from learning.permission import EVERYONE

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Audience:
    """People who are served one adapter; all of them have `principal`.

    Attributes:
        name: what its adapters' names begin with.
    """

    name: str
    principal: str


DEFAULT = Audience("night", EVERYONE)


class Audiences:
    """Add and find audiences; `collect` makes the data of one of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, name: str, principal: str) -> None:
        """Give an audience a name; naming it again changes who it is."""
        await self._database.execute(QUERIES["add"], {"name": name, "principal": principal})

    async def find_all(self) -> list[Audience]:
        """Everyone first, then the others by name."""
        return [DEFAULT, *await self._database.fetch_all(QUERIES["find_all"], None, Audience)]

    async def get(self, name: str) -> Audience:
        """One audience.

        Raises:
            NotFoundError: none has this name.
        """
        found = [audience for audience in await self.find_all() if audience.name == name]
        if not found:
            raise NotFoundError(f"no audience named {name!r}")
        return found[0]
