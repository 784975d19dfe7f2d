"""Who has an adapter of their own: one row and one name each. Everyone's adapter needs no row."""

import re
from dataclasses import dataclass

from core.database import Database
from core.errors import InvalidInputError, NotFoundError
from core.sql import load_queries
from learning.permission import EVERYONE

QUERIES = load_queries(__file__)

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


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
        """Give an audience a name; naming it again changes who it is.

        Raises:
            InvalidInputError: the name does not fit, or the principal is no group or is another audience's.
        """
        others = {audience.name: audience.principal for audience in await self.find_all() if audience.name != name}
        if name == DEFAULT.name or not _NAME.fullmatch(name):
            raise InvalidInputError(
                f"expected a name of a-z, 0-9 and hyphens other than {DEFAULT.name!r}, got {name!r}"
            )
        if not principal.startswith(("group:", "user:")) or principal in others.values():
            raise InvalidInputError(f"expected a group that is no audience yet, such as 'group:hr', got {principal!r}")
        await self._database.execute(QUERIES["add"], {"name": name, "principal": principal})

    async def find_all(self) -> list[Audience]:
        """Everyone first, then the others by name."""
        return [DEFAULT, *await self._database.fetch_all(QUERIES["find_all"], None, Audience)]

    async def find_own(self) -> list[Audience]:
        """Those that have an adapter of their own, by name."""
        return (await self.find_all())[1:]

    async def remove(self, name: str) -> None:
        """Let everyone's adapter answer an audience from the next question on.

        Raises:
            NotFoundError: none has this name.
        """
        audience = await self.get(name)
        if audience == DEFAULT:
            raise InvalidInputError(
                "everyone's adapter is no audience's; `nightbake adapters promote base` takes it away"
            )
        await self._database.execute(QUERIES["remove"], {"name": name})

    async def get_by_principal(self, principal: str) -> Audience:
        """One audience by who it is; one that was removed meanwhile goes by the principal's own letters."""
        found = [audience for audience in await self.find_all() if audience.principal == principal]
        return found[0] if found else Audience(re.sub(r"[^a-z0-9]+", "-", principal.casefold()).strip("-"), principal)

    async def get(self, name: str) -> Audience:
        """One audience.

        Raises:
            NotFoundError: none has this name.
        """
        found = [audience for audience in await self.find_all() if audience.name == name]
        if not found:
            raise NotFoundError(f"no audience named {name!r}")
        return found[0]
