"""Teams' directory: who reads a chat or channel, who is a guest, who is in which group; read when needed.

Who will see a reply decides what is searched, so whatever Teams or Graph refuse to tell makes people unknown, who read
nothing. The members of a room come from the Connector, groups from Microsoft Graph and from a file.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from bot.audience import Readers
from bot.inbox import Claimed
from bot.teams.activities import TeamsActivities
from bot.teams.connector import TeamsConnector, TeamsError
from bot.teams.graph import Graph, name_by_mail
from bot.teams.groups_file import GroupsFile
from bot.teams.reading import Activity, find_room, find_roster, find_tenant, name_room
from bot.teams.reply import find_place
from core.directory import UNTOLD_SECONDS, Directory, Person, PersonKind, Room
from retrieval.sources.http import StatusError

log = logging.getLogger(__name__)

# In a room of more people their groups are not asked for: it gets what any employee may read.
MOST_PEOPLE = 100
# Graph's requests at once.
MOST_AT_ONCE = 8
# A room that changes while it is read is read again, and is unknown after so many times.
MOST_READINGS = 3


class TeamsDirectory:
    """Knows who will see a reply, and takes the events that change it.

    Args:
        tenants: of employees; people of others are of another company.
        graph: where the tenant's admin lets us look into the directory.
        groups: of people, by a file.
    """

    def __init__(
        self,
        *,
        connector: TeamsConnector,
        directory: Directory,
        tenants: Collection[str],
        graph: Graph | None = None,
        groups: GroupsFile | None = None,
    ) -> None:
        self._connector = connector
        self._directory = directory
        self._tenants = frozenset(tenants)
        self._graph = graph
        self._groups = groups
        self._asking = asyncio.Semaphore(MOST_AT_ONCE)
        self._has_begun = False

    def open_doors(self, activities: TeamsActivities) -> None:
        """Take changes of members."""
        activities.on("conversationUpdate", self.receive_change)
        activities.on("installationUpdate", self.receive_change)

    async def close(self) -> None:
        """Close connections."""
        if self._graph:
            await self._graph.close()

    async def receive_change(self, activity: Activity) -> None:
        """Somebody came or went, or a channel was shared: what is known of the room holds no more."""
        tenant = find_tenant(activity)
        for conversation in {find_room(activity["conversation"]["id"]), find_roster(activity)}:
            await self._directory.forget_list(name_room(tenant, conversation))

    async def find_readers(self, claimed: Claimed) -> Readers:
        """Who will see the reply to an event.

        Side effects: calls of Teams and Graph for what is not known yet.

        Raises:
            TeamsError: Teams is away for now; nobody is unknown for that.
            SourceAwayError: the same of Graph.
        """
        payload = claimed.payload
        alone = payload["direct"] or payload.get("private", False)
        room = None if alone else _name_room(payload)
        if not payload["known"]:
            return Readers("unknown", room=room)
        await self._begin()
        try:
            return await (self._find_one(payload) if alone else self._find_room_readers(payload))
        except TeamsError as error:
            if not error.is_refusal:
                raise
            log.warning("members cannot be read", extra={"room": room, "error": str(error)})
        except StatusError as error:
            log.warning("groups cannot be read", extra={"room": room, "error": str(error)})
        return Readers("unknown", room=room)

    async def find_person(self, payload: Mapping[str, Any]) -> Person | None:
        """Who an event is from, read now if need be; None where nobody tells.

        Args:
            payload: of the event, with the way back to its conversation.

        Raises:
            TeamsError: refused or away.
            SourceAwayError: the same of Graph.
        """
        name: str = payload["person"]
        if await self._directory.find_unknown([name]) and (read := await self._read_person(payload)):
            await self._directory.put_people([read])
        return None if await self._directory.find_unknown([name]) else await self._directory.find_person(name)

    async def learn(self, person: str) -> None:
        """Read a person and their groups, where they are not known and Graph or a file tells.

        Raises:
            SourceAwayError: Graph refused, or is away.
        """
        _, tenant, account = person.split(":", 2)
        await self._begin()
        is_unknown = bool(await self._directory.find_unknown([person]))
        graph = self._graph if self._graph and self._graph.tenant == tenant else None
        if is_unknown and graph and (read := await graph.find_person(account, person)):
            await self._directory.put_people([read])
        await self._read_groups([person])

    async def _begin(self) -> None:
        """What was read by another file is read anew."""
        if not self._has_begun and self._groups:
            await self._directory.forget_lists("groups:teams:")
        self._has_begun = True

    async def _find_one(self, payload: Mapping[str, Any]) -> Readers:
        person = await self.find_person(payload)
        if person is None:
            return Readers("unknown")
        await self._read_groups([person.person])
        return Readers("people", [person.person])

    async def _find_room_readers(self, payload: Mapping[str, Any]) -> Readers:
        name = _name_room(payload)
        room = await self._find_room(payload)
        if room is None:
            return Readers("unknown", room=name)
        if room.is_shared:
            return Readers("outside", room=name)
        people = await self._directory.find_members(room.room)
        if not people:
            return Readers("unknown", room=name)
        if len(people) > MOST_PEOPLE or room.kind == "public":
            return Readers("workspace", room=name, has_guests=await self._directory.has_outsiders(room.room))
        await self._read_groups(people)
        return Readers("people", people, room=name)

    async def _find_room(self, payload: Mapping[str, Any]) -> Room | None:
        """The room with its members; None where it changes faster than it can be read."""
        tenant, roster = _find_tenant(payload), _find_roster(payload)
        name = name_room(tenant, roster)
        for _ in range(MOST_READINGS):
            state = await self._directory.find_state(name)
            found = await self._directory.find_room(name) if state.is_known else None
            if found and not await self._directory.find_unknown(await self._directory.find_members(name)):
                return found
            people: list[Person] = []
            pages = self._connector.read_members(payload["reference"]["serviceUrl"], roster)
            async with aclosing(pages):
                async for page in pages:
                    people += [to_person(tenant, member, self._tenants) for member in page]
            await self._directory.put_people(people)
            is_shared = any(one.kind == "external" for one in people)
            room = Room(name, "public" if await self._is_open(payload) else "private", is_shared, None)
            if await self._directory.put_room(room, [one.person for one in people], state.version):
                return room
        return None

    async def _is_open(self, payload: Mapping[str, Any]) -> bool:
        """Whether any employee may come in and read: in a channel of a team that is not known to be closed."""
        team: Mapping[str, Any] | None = payload.get("team")
        if team is None or team.get("type") == "private":
            return False
        return not (self._graph and team.get("group")) or await self._graph.is_open(str(team["group"]))

    async def _read_person(self, payload: Mapping[str, Any]) -> Person | None:
        name: str = payload["person"]
        _, tenant, account = name.split(":", 2)
        if self._graph and self._graph.tenant == tenant:
            return await self._graph.find_person(account, name)
        place = await find_place(self._connector, payload)
        conversation = place["conversation"]["id"] if payload.get("aside") else _find_roster(payload)
        # A local client knows people by its own ids only.
        for known_as in dict.fromkeys((account, str(place["user"]["id"]))):
            member = await self._connector.find_member(place["serviceUrl"], conversation, known_as)
            if member and find_account(member) in ("", account):
                return to_person(tenant, member, self._tenants, name=name)
        return None

    async def _read_groups(self, people: Sequence[str]) -> None:
        """The groups of each person, all at once."""
        if self._graph or self._groups:
            await asyncio.gather(*(self._read_groups_of(person) for person in people))

    async def _read_groups_of(self, name: str) -> None:
        workspace = f"groups:{name}"
        state = await self._directory.find_state(workspace, seconds=UNTOLD_SECONDS)
        if state.is_known:
            return
        _, tenant, account = name.split(":", 2)
        person, groups, entra = await self._directory.find_person(name), list[str](), list[str]()
        if self._graph and self._graph.tenant == tenant:
            async with self._asking:
                entra = await self._graph.find_groups(account)
            groups = entra + (name_by_mail(person) if person else [])
        if self._groups:
            email = person.email if person and person.kind == "member" else None
            groups += self._groups.find([email, account, *(one.partition(":")[2] for one in entra)])
        await self._directory.put_groups(workspace, {group: [name] for group in groups}, state.version)


def to_person(tenant: str, member: Mapping[str, Any], tenants: Collection[str], *, name: str = "") -> Person:
    """A member as the Connector tells of them; whoever is not said to be an employee of ours is none.

    Args:
        tenant: of the conversation, by which its people are named.
        name: under which they are known already.
    """
    account = find_account(member)
    kind: PersonKind = "external"
    if account and member.get("tenantId", tenant) in (tenants or {tenant}):
        is_user = member.get("userRole", "user") == "user" and "#ext#" not in _find_login(member)
        kind = "member" if is_user else "guest"
    return Person(
        person=name or f"teams:{tenant}:{account or member.get('id')}",
        kind=kind,
        changed_at=datetime.now(UTC),
        email=member.get("email") or member.get("userPrincipalName"),
    )


def find_account(member: Mapping[str, Any]) -> str:
    """The directory's id of a member; empty where it is not told."""
    return str(member.get("aadObjectId") or member.get("objectId") or "")


def _find_login(member: Mapping[str, Any]) -> str:
    return str(member.get("userPrincipalName") or "").lower()


def _find_tenant(payload: Mapping[str, Any]) -> str:
    return str(payload["person"]).split(":", 2)[1]


def _find_roster(payload: Mapping[str, Any]) -> str:
    """Whose members are asked for; what was stored before rosters has none."""
    return payload.get("roster") or find_room(payload["reference"]["conversation"]["id"])


def _name_room(payload: Mapping[str, Any]) -> str:
    """The room whose settings hold."""
    return name_room(_find_tenant(payload), find_room(payload["reference"]["conversation"]["id"]))
