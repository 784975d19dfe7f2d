"""Socket Mode: events over a connection that we open, so that nothing of the company's has to be reachable."""

import asyncio
import contextlib
import logging
import time

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)

PING_SECONDS = 10.0
SILENT_SECONDS = 90.0
LOOK_SECONDS = 5.0


class SlackSocket:
    """One Socket Mode connection with a watchdog.

    The SDK reconnects by itself while its own tasks live. The watchdog is for the rest: a connection on which
    neither an event nor the answer to a ping was heard for `silent_seconds` is replaced, whatever its state says.

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
    ) -> None:
        self.reconnects = 0
        self._app = app
        self._client = client
        self._app_token = app_token
        self._silent_seconds = silent_seconds
        self._look_seconds = look_seconds
        self._ping_seconds = ping_seconds
        self._handler: AsyncSocketModeHandler | None = None
        # When the watchdog last had reason to be content, and when Slack really said something.
        self._heard_at = self._spoke_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to connect; returns at once, for a Slack that is away must not keep the rest from starting."""
        handler = AsyncSocketModeHandler(
            self._app, self._app_token, web_client=self._client, ping_interval=self._ping_seconds, logger=log
        )
        handler.client.on_message_listeners.append(self._hear)
        self._handler = handler
        self._heard_at = self._spoke_at = time.time()
        self._tasks = [
            asyncio.create_task(handler.connect_async(), name="slack socket: connect"),
            asyncio.create_task(self.loop(), name="slack socket: watchdog"),
        ]

    async def stop(self) -> None:
        """Close the connection; what was not acknowledged is sent again to the next one that connects."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        if self._handler:
            await self._handler.close_async()
            self._handler = None

    async def is_connected(self) -> bool:
        """Whether events can arrive now."""
        return self._handler is not None and await self._handler.client.is_connected()

    async def is_heard(self) -> bool:
        """Whether anything came of late: false once the watchdog has acted in vain."""
        return time.time() - self._last_heard() < 2 * self._silent_seconds

    async def loop(self) -> None:
        """Look at the connection again and again; an error is logged and waited out."""
        while True:
            await asyncio.sleep(self._look_seconds)
            try:
                await self.turn()
            except Exception:
                log.exception("the Slack connection could not be replaced")

    async def turn(self) -> bool:
        """Replace the connection if it was silent for too long; whether it was."""
        assert self._handler
        client = self._handler.client
        heard_at = max(self._heard_at, client.last_ping_pong_time or 0.0)
        silence = time.time() - heard_at
        if silence < self._silent_seconds:
            return False
        log.warning("the Slack connection is silent, connecting anew", extra={"silence_seconds": round(silence)})
        self._heard_at = time.time()
        self.reconnects += 1
        await client.connect_to_new_endpoint(force=True)
        return True

    def _last_heard(self) -> float:
        pong = self._handler.client.last_ping_pong_time if self._handler else None
        return max(self._spoke_at, pong or 0.0)

    async def _hear(self, _: object) -> None:
        self._heard_at = self._spoke_at = time.time()
