"""A channel's settings: a form for who made the channel and for the workspace's admins, and what follows from them."""

import asyncio
import json
import logging
from typing import Any

from bot.inbox import Claimed, Event, Inbox
from bot.room_settings import RoomSettings, RoomSettingsLog
from bot.slack.api import SlackApi, SlackError
from bot.slack.directory import SlackDirectory
from bot.slack.events import SlackEvents, find_team
from bot.slack.names import name_person, name_room
from bot.slack.render_settings import SETTINGS, read_settings, render_settings, say_settings
from core.prompt import Language, detect_language

log = logging.getLogger(__name__)

# The form must be open 3 s after the command.
OPEN_SECONDS = 2.0

SET_ROOM = "set_room"


class SlackSettings:
    """Opens the form, takes it, and keeps what it says."""

    def __init__(self, *, api: SlackApi, inbox: Inbox, settings: RoomSettingsLog, people: SlackDirectory) -> None:
        self._api = api
        self._inbox = inbox
        self._settings = settings
        self._people = people

    def open_doors(self, events: SlackEvents) -> None:
        """Take the form that was sent."""
        events.on("view", SETTINGS, self._receive_form)

    async def open_form(self, body: dict[str, Any]) -> str | None:
        """Open it for a command; why not, where it cannot be."""
        team, channel, language = find_team(body), body["channel_id"], detect_language(body.get("text") or "")
        if channel.startswith("D"):
            return say_settings("not_here", language)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                if not await self.may_set(team, channel, name_person(team, body["user_id"])):
                    return say_settings("refused", language)
                settings = await self._settings.get(name_room(team, channel))
                view = render_settings(team, channel, settings, await self._settings.find_sources(), language)
                await self._api.call(team, "views.open", trigger_id=body["trigger_id"], view=view)
        except (SlackError, TimeoutError) as error:
            log.warning("settings could not be opened", extra={"channel": channel, "error": str(error)})
            return say_settings("unknown", language)
        return None

    async def may_set(self, team: str, channel: str, person: str) -> bool:
        """Whether a person made the channel or is an admin of the workspace; employees only.

        Raises:
            SlackError: Slack does not tell.
        """
        found, room = await self._people.find_person(team, person), await self._people.find_room(team, channel)
        if found is None or room is None or found.kind != "member":
            return False
        return found.is_admin or room.creator == person

    async def set_room(self, claimed: Claimed) -> None:
        """Keep what the form says, if its sender may still say it.

        Raises:
            SlackError: Slack does not tell who may.
        """
        payload = claimed.payload
        if await self.may_set(payload["team"], payload["channel"], payload["person"]):
            room = name_room(payload["team"], payload["channel"])
            await self._settings.set(room, RoomSettings(**payload["settings"]), by=payload["person"])

    async def find_language(self, claimed: Claimed) -> Language | None:
        """That of the channel in which an event happened; None where the question's is right."""
        if claimed.payload.get("direct"):
            return None
        room = name_room(claimed.payload["team"], claimed.payload["channel"])
        return (await self._settings.get(room)).language

    async def hears_questions(self, team: str, channel: str) -> bool:
        """Whether questions that are addressed to nobody are answered there."""
        return (await self._settings.get(name_room(team, channel))).listens == "questions"

    async def _receive_form(self, body: dict[str, Any]) -> None:
        view = body["view"]
        place, said = json.loads(view["private_metadata"]), read_settings(view)
        payload = {
            **place,
            "person": name_person(find_team(body), body["user"]["id"]),
            "settings": {
                "listens": said.listens,
                "sources": said.sources,
                "language": said.language,
                "allows_training": said.allows_training,
            },
        }
        key = f"{name_room(place['team'], place['channel'])}:settings"
        await self._inbox.receive(Event("slack", f"settings:{view['id']}", key, SET_ROOM, payload))
