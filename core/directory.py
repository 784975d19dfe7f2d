"""What platforms say of people, groups and rooms, kept with the time it was read; until it was read, it is unknown.

A list is read from the platform as a whole. A change that the platform tells of makes it unknown again, also where the
change came while it was being read, so that nothing older than the last change is ever believed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from core.database import Database
from core.group_commit import to_json_rows
from core.sql import load_queries

QUERIES = load_queries(__file__)

PersonKind = Literal["member", "guest", "external", "bot", "gone"]
RoomKind = Literal["public", "private"]

# Events may be missed while a platform cannot reach us, so what was read is not believed for ever.
LIST_SECONDS = 3_600
PERSON_SECONDS = 86_400
# Of lists whose changes no platform tells of: who is taken out of a group reads nothing of it a minute later.
UNTOLD_SECONDS = 45


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the platform's directory knows them.

    Attributes:
        is_admin: of the platform's workspace.
        email: one person on two platforms has one; nothing is granted by it.
        changed_at: by the platform's clock.
    """

    person: str
    kind: PersonKind
    changed_at: datetime
    is_admin: bool = False
    email: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """A place where several people read.

    Attributes:
        room: what the keys of its conversations begin with, before a colon.
        kind: `public`: any employee may come in and read.
        is_shared: with people of another company.
        creator: who may set what holds there.
    """

    room: str
    kind: RoomKind
    is_shared: bool
    creator: str | None


@dataclass(frozen=True, slots=True)
class ListState:
    """How far a list is known; `version` goes back to `put_…` with what was read."""

    version: int
    is_known: bool


@dataclass(frozen=True, slots=True)
class _Name:
    name: str


class Directory:
    """Stores and finds; asks no platform."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put_people(self, people: Sequence[Person]) -> None:
        """Store people; an older word does not replace a newer one, and only says that it was heard again.

        Employees with the same e-mail are one voter from then on, and what one of them said last of learning holds.
        """
        rows = [asdict(one) | {"changed_at": one.changed_at.isoformat()} for one in people]
        await self._database.execute(QUERIES["put_people"], {"rows": to_json_rows(rows)})
        names = {"people": [one.person for one in people]}
        await self._database.execute(QUERIES["unite"], names)
        await self._database.execute(QUERIES["share_consents"], names)

    async def find_person(self, person: str) -> Person | None:
        """One person, however long ago they were read."""
        return await self._database.fetch_one(QUERIES["find_person"], {"person": person}, Person)

    async def find_same(self, person: str) -> list[str]:
        """All names of this person: employees on several platforms who have one e-mail. At least the name itself."""
        rows = await self._database.fetch_all(QUERIES["find_same"], {"person": person}, _Name)
        return [row.name for row in rows] or [person]

    async def find_unknown(self, people: Sequence[str]) -> list[str]:
        """Those who must be read before anything is shown to them."""
        parameters = {"people": list(people), "seconds": PERSON_SECONDS}
        return [row.name for row in await self._database.fetch_all(QUERIES["find_unknown"], parameters, _Name)]

    async def find_state(self, name: str, *, seconds: int = LIST_SECONDS) -> ListState:
        """Whether the members of a room, or the groups of a workspace, are known.

        Args:
            seconds: how long what was read is believed.
        """
        parameters = {"name": name, "seconds": seconds}
        found = await self._database.fetch_one(QUERIES["find_state"], parameters, ListState)
        return found or ListState(0, is_known=False)

    async def forget_list(self, name: str) -> None:
        """A change was told: what is known of this list, and what is being read just now, holds no more."""
        await self._database.execute(QUERIES["forget_list"], {"name": name})

    async def forget_lists(self, prefix: str) -> None:
        """All lists whose names begin so are to be read anew."""
        await self._database.execute(QUERIES["forget_lists"], {"prefix": prefix})

    async def put_room(self, room: Room, members: Sequence[str], version: int) -> bool:
        """Replace a room with its members; False where it changed since `version` was read, and must be read again."""
        parameters = {**asdict(room), "members": list(members)}
        return await self._put_list(room.room, version, ("put_room", "put_members"), parameters)

    async def put_groups(self, workspace: str, groups: Mapping[str, Sequence[str]], version: int) -> bool:
        """Replace the groups of a workspace, principal by its people; False where they changed since."""
        rows = [{"principal": name, "person": person} for name, people in groups.items() for person in people]
        parameters = {"workspace": workspace, "rows": to_json_rows(rows)}
        return await self._put_list(workspace, version, ("put_groups",), parameters)

    async def find_room(self, room: str) -> Room | None:
        """A room as it was read last."""
        return await self._database.fetch_one(QUERIES["find_room"], {"room": room}, Room)

    async def find_members(self, room: str) -> list[str]:
        """The people of a room as they were read last."""
        return [row.name for row in await self._database.fetch_all(QUERIES["find_members"], {"room": room}, _Name)]

    async def has_outsiders(self, room: str) -> bool:
        """Whether somebody in the room is no employee, or is not known to be one."""
        return bool(await self._database.fetch_dicts(QUERIES["find_outsiders"], {"room": room}))

    async def _put_list(
        self, name: str, version: int, queries: Sequence[str], parameters: Mapping[str, object]
    ) -> bool:
        async with self._database.transaction() as connection:
            claimed = await connection.execute(QUERIES["claim_list"], {"name": name, "version": version})
            if not await claimed.fetchone():
                return False
            for query in queries:
                await connection.execute(QUERIES[query], parameters)
            return True
