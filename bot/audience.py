"""Private or public: a reply uses only what everyone who will see it may read. Unknown people may read nothing.

The platform says who sees a reply; the rule is the same for all of them.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from bot.inbox import Claimed
from bot.room_settings import RoomSettingsLog
from retrieval.access import ANYBODY_DENIED, EVERYONE, PUBLIC, SOURCE, Access

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Readers:
    """Who will see a reply.

    Attributes:
        kind: `people`: those that are listed, of whom each is known; `workspace`: any employee; `outside`: people of
            another company; `unknown`: nobody could say.
        room: whose settings hold; None where the reply is for one person alone.
        has_guests: whether people who are no employees read along, where any employee may.
    """

    kind: Literal["people", "workspace", "outside", "unknown"]
    people: list[str] = field(default_factory=list[str])
    room: str | None = None
    has_guests: bool = False


# With `private` in the payload the reply is for its `person` alone, wherever it was asked for.
FindReaders = Callable[[Claimed], Awaitable[Readers]]


class Audiences:
    """What the readers of a reply may all read.

    Args:
        find_readers: by platform.
    """

    def __init__(self, access: Access, settings: RoomSettingsLog, find_readers: Mapping[str, FindReaders]) -> None:
        self._access = access
        self._settings = settings
        self._find_readers = find_readers

    async def find(self, claimed: Claimed) -> list[str]:
        """A list for the filter of documents; empty where anybody is unknown.

        In a room that any employee may read, it is what an employee without any group may read, and nothing that
        anybody is denied. The same of what is public, where guests or people of another company read along.
        """
        readers = await self._find_readers[claimed.platform](claimed)
        principals = await self._find_principals(readers)
        if not principals or readers.room is None:
            return principals
        sources = (await self._settings.get(readers.room)).sources
        return principals if sources is None else [*principals, *(SOURCE + source for source in sources or [""])]

    async def find_own(self, claimed: Claimed) -> list[str]:
        """What the person of an event may read where nobody else sees it."""
        return await self.find(replace(claimed, payload={**claimed.payload, "private": True}))

    async def _find_principals(self, readers: Readers) -> list[str]:
        match readers.kind:
            case "people":
                return await self._access.find_common_principals(readers.people)
            case "workspace":
                return [*([] if readers.has_guests else [EVERYONE]), PUBLIC, ANYBODY_DENIED]
            case "outside":
                return [PUBLIC, ANYBODY_DENIED]
            case "unknown":
                log.warning("readers of a reply are unknown, so nothing is shown", extra={"room": readers.room})
                return []
