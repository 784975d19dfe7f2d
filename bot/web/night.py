"""The night that a person starts from the console: one at a time in this process, and what became of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

RunNight = Callable[[], Awaitable[object]]


class NightButton:
    """Starts a night in the background.

    Args:
        run_night: returns at the night's end; None where this process cannot run nights.
    """

    def __init__(self, run_night: RunNight | None) -> None:
        self._run_night = run_night
        self._task: asyncio.Task[None] | None = None
        self.error: str | None = None

    @property
    def exists(self) -> bool:
        """Whether a night can be started here."""
        return self._run_night is not None

    @property
    def is_running(self) -> bool:
        """Whether the night that was started here goes on."""
        return self._task is not None and not self._task.done()

    def press(self) -> bool:
        """Start a night; False where one that was started here goes on, or none can be."""
        if self._run_night is None or self.is_running:
            return False
        self.error = None
        self._task = asyncio.create_task(self._run(self._run_night), name="night from the console")
        return True

    async def close(self) -> None:
        """Cancel the night; it resumes at its stored stage when a night is run again."""
        if self._task and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, run_night: RunNight) -> None:
        try:
            await run_night()
        except Exception as error:
            log.exception("the night failed")
            self.error = f"{type(error).__name__}: {error}"[:500]
