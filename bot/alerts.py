"""What needs an admin: told once when it has lasted, and once more when it is over; all replicas share the rows."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from core.background import BackgroundWork
from core.database import Database
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

LOOK_SECONDS = 15.0
# How long a thing must be so before it is told, and before it is told to be over.
BAD_SECONDS, GOOD_SECONDS = 120.0, 60.0
# An alert that no process has confirmed for so long is over: its process is gone.
UNSEEN_SECONDS = 900.0

AlertKind = Literal["model_server", "inbox", "socket"]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Observation:
    """How one thing is at this moment; `subject` tells several of a kind apart."""

    kind: AlertKind
    is_bad: bool
    subject: str = ""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that needs an admin, until `cleared_at`."""

    id: int
    kind: AlertKind
    subject: str
    facts: dict[str, Any]
    raised_at: datetime
    cleared_at: datetime | None


Look = Callable[[], Awaitable[Observation]]


class Alerts:
    """Raise, clear and find; an open alert of a kind and subject is there once, however many replicas see it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def raise_alert(self, observation: Observation) -> None:
        """Open an alert, or confirm the open one."""
        parameters = {
            "kind": observation.kind,
            "subject": observation.subject,
            "facts": Jsonb(observation.facts),
        }
        await self._database.execute(QUERIES["raise"], parameters)

    async def clear(self, observation: Observation) -> None:
        """Close the open alert, if any."""
        await self._database.execute(QUERIES["clear"], {"kind": observation.kind, "subject": observation.subject})

    async def clear_unseen(self) -> None:
        """Close what no process confirms any more."""
        await self._database.execute(QUERIES["clear_unseen"], {"seconds": UNSEEN_SECONDS})

    async def get(self, alert_id: int) -> Alert:
        """One alert that is known to exist."""
        found = await self._database.fetch_one(QUERIES["get"], {"id": alert_id}, Alert)
        assert found, "alerts are never deleted"
        return found


class Watch(BackgroundWork):
    """Looks at every thing again and again.

    Args:
        looks: one for each thing; a look that fails counts as bad for nobody and is logged.
    """

    def __init__(self, alerts: Alerts, looks: Sequence[Look], *, clock: Clock = time.monotonic) -> None:
        super().__init__("watch", pause_seconds=LOOK_SECONDS)
        self._alerts = alerts
        self._looks = looks
        self._clock = clock
        # Since when each thing has been as it is now.
        self._since: dict[tuple[str, str], tuple[bool, float]] = {}

    async def turn(self) -> bool:
        """Look at everything once; there is always a next time."""
        for look in self._looks:
            try:
                await self._take(await look())
            except Exception:
                log.exception("one part could not be looked at")
        await self._alerts.clear_unseen()
        return False

    async def _take(self, seen: Observation) -> None:
        now, key = self._clock(), (seen.kind, seen.subject)
        was_bad, since = self._since.get(key, (seen.is_bad, now))
        if was_bad != seen.is_bad:
            since = now
        self._since[key] = (seen.is_bad, since)
        if seen.is_bad and now - since >= BAD_SECONDS:
            await self._alerts.raise_alert(seen)
        elif not seen.is_bad and now - since >= GOOD_SECONDS:
            await self._alerts.clear(seen)
