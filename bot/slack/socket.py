"""Socket Mode: events over a connection that we open, so that nothing of the company's has to be reachable."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from core.background import BackgroundWork

log = logging.getLogger(__name__)

PING_SECONDS = 10.0
SILENT_SECONDS = 90.0
LOOK_SECONDS = 5.0
# The SDK waits 10 s for a peer that is gone.
CLOSE_SECONDS = 15.0

# Given the Unix time at which Slack was last heard, None where it was not yet heard by this process.
OnReturn = Callable[[float | None], Awaitable[None]]


class SlackSocket(BackgroundWork):
    """One Socket Mode connection with a watchdog.

    The SDK reconnects by itself while its own tasks live and the address that it was given is good. The watchdog is for
    the rest: a connection on which neither an event nor the answer to a ping was heard for `silent_seconds` is replaced
    with everything that belongs to it, whatever its state says.

    Args:
        on_return: called when Slack is heard at first, and again after each silence; called anew until it succeeds.

    Attributes:
        reconnects: how often the watchdog had to act.
    """

    def __init__(
        self,
        *,
        app: AsyncApp,
        client: AsyncWebClient,
        app_token: str,
        silent_seconds: float = SILENT_SECONDS,
        look_seconds: float = LOOK_SECONDS,
        ping_seconds: float = PING_SECONDS,
        on_return: OnReturn | None = None,
    ) -> None:
        super().__init__("slack socket: watchdog", pause_seconds=look_seconds)
        self.reconnects = 0
        self._app = app
        self._client = client
        self._app_token = app_token
        self._silent_seconds = silent_seconds
        self._ping_seconds = ping_seconds
        self._on_return = on_return
        self._handler: AsyncSocketModeHandler | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._connected_at = self._began_at = 0.0
        self._heard_at: float | None = None
        self._pong_at: float | None = None
        # What is owed to `on_return`: whether Slack was away, and since when.
        self._is_away, self._away_since = True, None

    async def start(self) -> None:
        """Begin to connect; returns at once, for a Slack that is away must not keep the rest from starting."""
        self._began_at = time.time()
        self._open()
        await super().start()

    async def stop(self) -> None:
        """Close the connection; what was not acknowledged is sent again to the next one that connects."""
        await super().stop()
        await self._close()

    async def is_connected(self) -> bool:
        """Whether events can arrive now."""
        return self._handler is not None and await self._handler.client.is_connected()

    async def is_heard(self) -> bool:
        """Whether anything came of late: false once the watchdog has acted in vain."""
        return time.time() - max(self._heard_at or 0.0, self._began_at) < 2 * self._silent_seconds

    async def turn(self) -> bool:
        """Replace the connection if it was silent for too long."""
        self._listen_for_pong()
        heard_at = self._heard_at or 0.0
        if self._is_away and heard_at > self._connected_at:
            await self._return()
        silence = time.time() - max(heard_at, self._connected_at)
        if silence < self._silent_seconds:
            return False
        log.warning("the Slack connection is silent, connecting anew", extra={"silence_seconds": round(silence)})
        if not self._is_away:
            self._is_away, self._away_since = True, self._heard_at
        self.reconnects += 1
        await self._close()
        self._open()
        return False

    async def _return(self) -> None:
        if self._on_return:
            await self._on_return(self._away_since)
        self._is_away, self._away_since = False, None

    def _open(self) -> None:
        handler = AsyncSocketModeHandler(
            self._app, self._app_token, web_client=self._client, ping_interval=self._ping_seconds, logger=log
        )
        handler.client.on_message_listeners.append(self._hear)
        self._handler, self._connected_at, self._pong_at = handler, time.time(), None
        self._connecting = asyncio.create_task(handler.connect_async(), name="slack socket: connect")

    async def _close(self) -> None:
        """End the connection and the attempt to make it, which may wait forever at an address that has expired."""
        handler, self._handler = self._handler, None
        if handler is None:
            return
        if self._connecting:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await handler.close_async()
        except Exception as error:
            log.warning("a Slack connection was left open", extra={"error": f"{type(error).__name__}: {error}"})

    def _listen_for_pong(self) -> None:
        """Take an answered ping for a word; the SDK notes the first ping too, which may stay unanswered."""
        pong_at = self._handler.client.last_ping_pong_time if self._handler else None
        if pong_at and self._pong_at and pong_at > self._pong_at:
            self._heard_at = max(self._heard_at or 0.0, pong_at)
        self._pong_at = pong_at

    async def _hear(self, _: object) -> None:
        self._heard_at = time.time()
