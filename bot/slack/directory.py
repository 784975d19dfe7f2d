"""Slack's directory: who reads a channel, who is a guest, who is in which group; read when needed, held until told.

Who will see a reply decides what is searched, so whatever Slack refuses to tell makes people unknown, who read nothing.
"""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from bot.audience import Readers
from bot.inbox import Claimed
from bot.slack.api import SlackApi, SlackError
from bot.slack.events import SlackEvents, find_team
from bot.slack.names import name_person, name_room
from core.directory import Directory, Person, PersonKind, Room

log = logging.getLogger(__name__)

ROOM_EVENTS = {
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "channel_archive": "channels:read",
    "channel_unarchive": "channels:read",
    "channel_shared": "channels:read",
    "channel_unshared": "channels:read",
    "group_archive": "groups:read",
    "group_unarchive": "groups:read",
}
PERSON_EVENTS = {"team_join": "users:read", "user_change": "users:read"}
GROUP_EVENTS = {
    "subteam_created": "usergroups:read",
    "subteam_members_changed": "usergroups:read",
    "subteam_updated": "usergroups:read",
}
EVENT_SCOPES = {**ROOM_EVENTS, **PERSON_EVENTS, **GROUP_EVENTS}
# What the same methods and events ask for in private channels and group messages, and for addresses.
FURTHER_SCOPES = frozenset({"groups:read", "mpim:read", "users:read.email"})

# More unknown people than this are read by the list of all.
MOST_ONE_BY_ONE = 20
PAGE = 500
# A room that changes while it is read is read again, and is unknown after so many times.
MOST_READINGS = 3

# Words of Slack's that pass; any other refusal stands.
_PASSING = ("ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")


class SlackDirectory:
    """Knows who will see a reply, and takes the events that change it."""

    def __init__(self, *, api: SlackApi, directory: Directory) -> None:
        self._api = api
        self._directory = directory

    def open_doors(self, events: SlackEvents) -> None:
        """Take the events; each is one statement."""
        for kind in ROOM_EVENTS:
            events.on("event", kind, self._receive_room)
        for kind in PERSON_EVENTS:
            events.on("event", kind, self._receive_person)
        for kind in GROUP_EVENTS:
            events.on("event", kind, self._receive_group)

    async def find_readers(self, claimed: Claimed) -> Readers:
        """Who will see the reply to an event.

        Side effects: calls of Slack's for what is not known yet.

        Raises:
            SlackError: Slack is away for now; nobody is unknown for that.
        """
        payload = claimed.payload
        team, channel = payload["team"], payload.get("channel") or ""
        is_private = payload.get("private", False)
        alone = is_private or payload["direct"]
        room = None if alone else name_room(team, channel)
        if payload["external"] and not is_private:
            return Readers("outside", room=room)
        try:
            if alone:
                await self._read_groups(team)
                known = not await self._read_people(team, [payload["person"]])
                return Readers("people", [payload["person"]]) if known else Readers("unknown")
            return await self._find_room_readers(team, channel)
        except SlackError as error:
            if is_passing(error):
                raise
            log.warning("the directory cannot be read", extra={"channel": channel, "error": str(error)})
            return Readers("unknown", room=room)

    async def find_room(self, team: str, channel: str) -> Room | None:
        """The room with who may set what holds there; None where Slack does not tell.

        Raises:
            SlackError: Slack refused, or is away.
        """
        name = name_room(team, channel)
        for _ in range(MOST_READINGS):
            state = await self._directory.find_state(name)
            if state.is_known:
                return await self._directory.find_room(name)
            told = (await self._api.call(team, "conversations.info", channel=channel))["channel"]
            members = [
                name_person(team, user)
                async for page in self._call(team, "conversations.members", channel=channel)
                for user in page["members"]
            ]
            if await self._directory.put_room(to_room(name, team, told), members, state.version):
                return await self._directory.find_room(name)
        return None

    async def find_person(self, team: str, person: str) -> Person | None:
        """A person, read now if need be.

        Raises:
            SlackError: Slack refused, or is away.
        """
        await self._read_people(team, [person])
        return await self._directory.find_person(person)

    async def learn(self, person: str) -> None:
        """Read a person and the groups of the workspace, where they are not known.

        Raises:
            SlackError: Slack refused, or is away.
        """
        team = person.split(":")[1]
        await self._read_groups(team)
        await self._read_people(team, [person])

    async def _find_room_readers(self, team: str, channel: str) -> Readers:
        room = await self.find_room(team, channel)
        if room is None:
            return Readers("unknown", room=name_room(team, channel))
        if room.is_shared:
            return Readers("outside", room=room.room)
        await self._read_groups(team)
        people = await self._directory.find_members(room.room)
        if not people or await self._read_people(team, people):
            return Readers("unknown", room=room.room)
        if room.kind == "public":
            return Readers("workspace", room=room.room, has_guests=await self._directory.has_outsiders(room.room))
        return Readers("people", people, room=room.room)

    async def _read_people(self, team: str, people: Sequence[str]) -> list[str]:
        """Read those who are not known; who is still unknown then."""
        unknown = await self._directory.find_unknown(people)
        if len(unknown) > MOST_ONE_BY_ONE:
            async with aclosing(self._call(team, "users.list")) as pages:
                async for page in pages:
                    await self._directory.put_people([to_person(team, user) for user in page["members"]])
            unknown = await self._directory.find_unknown(people)
        for person in unknown:
            user = person.rpartition(":")[2]
            try:
                told = await self._api.call(team, "users.info", user=user, include_locale="true")
            except SlackError as error:
                if error.reason != "user_not_found":
                    raise
                continue
            await self._directory.put_people([to_person(team, told["user"])])
        return await self._directory.find_unknown(unknown) if unknown else []

    async def _read_groups(self, team: str) -> None:
        """Groups of users; a workspace whose plan or admin allows none has none."""
        workspace = f"slack:{team}"
        state = await self._directory.find_state(workspace)
        if state.is_known:
            return
        try:
            listed = await self._api.call(team, "usergroups.list", include_users="true")
            told: list[dict[str, Any]] = listed["usergroups"]
        except SlackError as error:
            if is_passing(error):
                raise
            log.info("no groups of users", extra={"team": team, "error": str(error)})
            told = []
        groups = {f"slack:{team}:{one['id']}": _read_users(team, one) for one in told if not one.get("date_delete")}
        await self._directory.put_groups(workspace, groups, state.version)

    async def _call(self, team: str, method: str, **arguments: str) -> AsyncGenerator[Any]:
        """Page by page."""
        cursor = ""
        while True:
            further: dict[str, str] = {"cursor": cursor} if cursor else {}
            page = await self._api.call(team, method, limit=PAGE, **arguments, **further)
            yield page
            metadata: Mapping[str, str] = page.get("response_metadata") or {}
            cursor = metadata.get("next_cursor", "")
            if not cursor:
                return

    async def _receive_room(self, body: dict[str, Any]) -> None:
        channel = body["event"].get("channel")
        if channel:
            await self._directory.forget_list(name_room(find_team(body), channel))

    async def _receive_person(self, body: dict[str, Any]) -> None:
        await self._directory.put_people([to_person(find_team(body), body["event"]["user"])])

    async def _receive_group(self, body: dict[str, Any]) -> None:
        await self._directory.forget_list(f"slack:{find_team(body)}")


def _read_users(team: str, group: Mapping[str, Any]) -> list[str]:
    users: list[str] = group.get("users") or []
    return [name_person(team, user) for user in users]


def is_passing(error: SlackError) -> bool:
    """Whether the same call may well be answered later."""
    return error.reason in _PASSING or error.reason.startswith(("nothing", "status 5"))


def to_person(team: str, user: Mapping[str, Any]) -> Person:
    """A user object of Slack's, as our workspace sees them."""
    profile: Mapping[str, Any] = user.get("profile") or {}
    return Person(
        person=name_person(team, user["id"]),
        kind=_judge(team, user),
        changed_at=datetime.fromtimestamp(user.get("updated") or 0, UTC),
        is_admin=bool(user.get("is_admin") or user.get("is_owner")),
        email=profile.get("email"),
        locale=user.get("locale"),
    )


def to_room(name: str, team: str, channel: Mapping[str, Any]) -> Room:
    """A conversation object of Slack's; one that does not say that it is open is not."""
    is_open = channel.get("is_private") is False and not channel.get("is_mpim")
    creator = channel.get("creator")
    return Room(
        room=name,
        kind="public" if is_open else "private",
        is_shared=bool(channel.get("is_ext_shared") or channel.get("is_pending_ext_shared")),
        creator=name_person(team, creator) if creator else None,
    )


def _judge(team: str, user: Mapping[str, Any]) -> PersonKind:
    """Whoever is not said to be an employee of ours is none; in a Grid people belong to several workspaces."""
    if user.get("deleted"):
        return "gone"
    if user.get("is_bot") or user["id"] == "USLACKBOT":
        return "bot"
    grid: Mapping[str, Any] = user.get("enterprise_user") or {}
    if user.get("is_stranger") or (user.get("team_id") != team and team not in (grid.get("teams") or ())):
        return "external"
    if user.get("is_restricted") is False and user.get("is_ultra_restricted") is False:
        return "member"
    return "guest"
