"""Slack's messages that say a place in the line, in the thread of the question."""

from collections.abc import Mapping
from typing import Any

from bot.slack.api import QUIET, SlackApi, SlackError
from bot.slack.pace import SharedPaces
from bot.slack.render import render_status


class SlackNotices:
    """Posts, edits and deletes; keys are `channel:ts`.

    Args:
        paces: shared with the answers, for Slack counts edits of both together.
    """

    def __init__(self, api: SlackApi, paces: SharedPaces) -> None:
        self._api = api
        self._paces = paces

    async def say_place(self, payload: Mapping[str, Any], text: str) -> str | None:
        """Post it; None for a command, which Slack answers for us.

        Raises:
            SlackError: the channel cannot be written to.
        """
        if payload.get("response_url"):
            return None
        place = {"channel": payload["channel"], "thread_ts": payload["thread_ts"]}
        blocks = render_status(text)
        said = await self._api.call(payload["team"], "chat.postMessage", **place, text=text, blocks=blocks, **QUIET)
        return f"{said['channel']}:{said['ts']}"

    async def change_place(self, payload: Mapping[str, Any], key: str, text: str) -> bool:
        """Edit it; False where something else was edited just now.

        Raises:
            SlackError: it is gone, or Slack wants a pause.
        """
        if not self._paces.find(payload["team"], payload["channel"]).edits.take():
            return False
        channel, ts = key.split(":")
        blocks = render_status(text)
        await self._api.offer(payload["team"], "chat.update", channel=channel, ts=ts, text=text, blocks=blocks)
        return True

    async def remove_place(self, payload: Mapping[str, Any], key: str) -> None:
        """Delete it.

        Raises:
            SlackError: Slack refused.
        """
        channel, ts = key.split(":")
        try:
            await self._api.call(payload["team"], "chat.delete", channel=channel, ts=ts)
        except SlackError as error:
            if error.reason != "message_not_found":
                raise
