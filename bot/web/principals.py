"""What a person of the web may read: one who signed in reads as on Slack and Teams, by the same e-mail address."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.web.places import FindPrincipals
from core.database import Database
from core.directory import LIST_SECONDS, PERSON_SECONDS
from core.errors import NightbakeError
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

# Reads a person and their groups from the platform, where they are not known or known no more.
Learn = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Name:
    name: str


class Principals:
    """Finds principals.

    Args:
        find_principals: of whoever did not sign in.
        learn: by platform.
    """

    def __init__(self, database: Database, find_principals: FindPrincipals, learn: Mapping[str, Learn]) -> None:
        self._database = database
        self._find_principals = find_principals
        self._learn = learn

    async def find(self, person: str) -> list[str]:
        """A list for the filter of documents, as of now.

        Side effects: asks Slack and Teams for what is not known; what they do not tell grants nothing.
        """
        if not await self._database.fetch_all(QUERIES["is_signed_in"], {"person": person}, _Name):
            return await self._find_principals(person)
        for other in await self._database.fetch_all(QUERIES["find_names"], {"person": person}, _Name):
            await self._ask(other.name)
        parameters = {"person": person, "person_seconds": PERSON_SECONDS, "list_seconds": LIST_SECONDS}
        return [row.name for row in await self._database.fetch_all(QUERIES["find_held"], parameters, _Name)]

    async def _ask(self, name: str) -> None:
        learn = self._learn.get(name.partition(":")[0])
        if learn is None:
            return
        try:
            await learn(name)
        except NightbakeError as error:
            log.warning("a person's groups cannot be read", extra={"person": name, "error": str(error)})
