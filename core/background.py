"""Work that goes on beside everything else: one turn after the other, until it is stopped or there is none left."""

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import Protocol

from core.errors import NightbakeError

log = logging.getLogger(__name__)


def was_cancelled() -> bool:
    """Whether this task was told to end, also where its work has swallowed that: a loop asks after each turn.

    `asyncio.wait_for` of Python 3.11 gives its result where what it waits for is done in the same moment
    (python/cpython#86296), and psycopg waits so for PostgreSQL.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Loop(Protocol):
    """What runs beside everything else."""

    async def start(self) -> None:
        """Begin."""
        ...

    async def stop(self) -> None:
        """End."""
        ...


class BackgroundWork(ABC):
    """A subclass says what one turn is; an error ends a turn, is logged, and the next turn comes all the same.

    Args:
        what: is done, as the log names it.
        pause_seconds: from the end of one turn to the next.
    """

    def __init__(self, what: str, *, pause_seconds: float) -> None:
        self._what = what
        self._pause_seconds = pause_seconds
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether turns are still to come."""
        return self._task is not None and not self._task.done()

    async def start(self) -> None:
        """Begin; the first turn comes at once."""
        self._task = asyncio.create_task(self.loop(), name=self._what)

    async def stop(self) -> None:
        """End; a turn that is under way is cut short, and done again after the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def loop(self) -> None:
        """Turns until one says that it was the last."""
        while True:
            if await self._try_turn() or was_cancelled():
                return
            await asyncio.sleep(self._pause_seconds)

    @abstractmethod
    async def turn(self) -> bool:
        """One turn of work; whether it was the last."""

    async def _try_turn(self) -> bool:
        try:
            return await self.turn()
        except NightbakeError as error:
            log.warning("work left for later", extra={"work": self._what, "reason": str(error)})
        except Exception:
            log.exception("work failed and is tried again", extra={"work": self._what})
        return False
