"""Teams' messages that say a place in the line, in the conversation of the question."""

from collections.abc import Mapping
from typing import Any

from bot.teams.connector import TeamsConnector, TeamsError
from bot.teams.reading import make_reply_key
from bot.teams.render import render_text
from bot.teams.reply import find_place


class TeamsNotices:
    """Sends, edits and deletes; keys name the conversation and the message."""

    def __init__(self, connector: TeamsConnector) -> None:
        self._connector = connector

    async def say_place(self, payload: Mapping[str, Any], text: str) -> str | None:
        """Send it.

        Raises:
            TeamsError: the conversation cannot be written to.
        """
        reference = await find_place(self._connector, payload)
        activity_id = await self._connector.send(reference, render_text(text), patient=False)
        return make_reply_key(reference["conversation"]["id"], activity_id)

    async def change_place(self, payload: Mapping[str, Any], key: str, text: str) -> bool:
        """Edit it.

        Raises:
            TeamsError: it is gone, or Teams wants a pause.
        """
        reference = await find_place(self._connector, payload)
        await self._connector.update(reference, key.rpartition("|")[2], render_text(text), patient=False)
        return True

    async def remove_place(self, payload: Mapping[str, Any], key: str) -> None:
        """Delete it.

        Raises:
            TeamsError: Teams refused.
        """
        reference = await find_place(self._connector, payload)
        try:
            await self._connector.delete(reference, key.rpartition("|")[2])
        except TeamsError as error:
            if not error.is_refusal:
                raise
