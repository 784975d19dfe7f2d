"""What a reviewer is shown of pairs, exercises and answers: those from documents that they may read themselves."""

from aiohttp import web

from bot.web.people import PERSON, VISITOR
from bot.web.places import FindPrincipals


class Reviewing:
    """Whose rights the lists for reviewers are read with.

    Args:
        find_principals: what a person of the web may read now.
    """

    def __init__(self, find_principals: FindPrincipals) -> None:
        self._find_principals = find_principals

    async def find_principals(self, request: web.Request) -> list[str] | None:
        """The principals of a reviewer; None for an administrator, who sees all that people said and were told."""
        if request[VISITOR].role == "admin":
            return None
        return await self._find_principals(request[PERSON])
