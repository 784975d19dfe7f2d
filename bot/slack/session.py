"""Slack's own signs of life: a line above the composer and a Stop button. The message itself says as much."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import Any

from bot.slack.api import SlackApi, SlackError

log = logging.getLogger(__name__)

# A status line is worth no more waiting than this.
STATUS_SECONDS = 1.5


class Session:
    """The thread of one question; whatever fails here is logged only.

    Args:
        place: payload of the question.
    """

    def __init__(self, api: SlackApi, place: Mapping[str, Any]) -> None:
        self._api = api
        self._team: str = place["team"]
        self._thread = {"channel_id": place["channel"], "thread_ts": place["thread_ts"]}

    async def begin(self, status: str) -> None:
        """Show the line and the button."""
        line = self._api.call(self._team, "assistant.threads.setStatus", **self._thread, status=status)
        await self._try(line, self._set("processing"))

    async def end(self) -> None:
        """Take the button away; ending a stream does it too."""
        await self._try(self._set("active"))

    def _set(self, status: str) -> Awaitable[Any]:
        return self._api.call(self._team, "agents.sessions.setStatus", **self._thread, status=status)

    async def _try(self, *calls: Awaitable[Any]) -> None:
        try:
            async with asyncio.timeout(STATUS_SECONDS):
                said = await asyncio.gather(*calls, return_exceptions=True)
        except TimeoutError:
            return
        for error in said:
            if isinstance(error, SlackError):
                log.debug("no session", extra={**self._thread, "error": str(error)})
            elif isinstance(error, BaseException):
                raise error
