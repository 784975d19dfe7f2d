"""What admins decide about a night: its adapter is approved or taken back, nights are paused or resumed.

The same for every platform. A click may come late, twice, or beside another admin's: each is held against what is
served now, and one that has been overtaken changes nothing and says why.
"""

from dataclasses import dataclass
from typing import Any, Literal

from core.audit import record_act
from core.database import Database
from core.errors import ModelServerError, NotFoundError
from core.pauses import Pauses
from core.serving import Serving
from core.sql import load_queries

QUERIES = load_queries(__file__)

Act = Literal["approve", "roll_back", "pause", "resume"]
ACTS: tuple[Act, ...] = ("approve", "roll_back", "pause", "resume")

# Why nothing was changed, or that it was.
Outcome = Literal[
    "done", "is_served", "is_rejected", "was_overtaken", "is_not_served", "is_paused", "is_running", "failed"
]


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of what is served: to this adapter (None is the base model), by whom."""

    name: str | None
    switched_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Night:
    """A finished night as admins see it now.

    Attributes:
        adapter_state: of the night's adapter, None where it made none.
        paused_by: who paused the nights, None while they run.
        since: what was switched after the night's end, oldest first.
    """

    id: int
    adapter: str | None
    adapter_state: str | None
    paused_by: str | None
    since: list[dict[str, Any]]

    @property
    def switches(self) -> list[Switch]:
        """What was switched since, oldest first."""
        return [Switch(**one) for one in self.since]

    def find_acts(self) -> list[Act]:
        """What may be decided now."""
        acts: list[Act] = []
        if self.adapter_state == "candidate" and not self.since:
            acts.append("approve")
        if self.adapter_state in ("active", "trial"):
            acts.append("roll_back")
        return [*acts, "resume" if self.paused_by else "pause"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a click; `error` says why the model server would not."""

    outcome: Outcome
    error: str = ""


class Desk:
    """Takes acts of people whose right to them has been checked."""

    def __init__(self, database: Database, serving: Serving) -> None:
        self._database = database
        self._serving = serving
        self._pauses = Pauses(database)

    async def get_night(self, run_id: int) -> Night:
        """A night as it stands now.

        Raises:
            NotFoundError: no night has this id.
        """
        found = await self._database.fetch_one(QUERIES["get_night"], {"id": run_id}, Night)
        if found is None:
            raise NotFoundError(f"no night has the id {run_id}; `nightbake report` shows the latest")
        return found

    async def decide(self, act: Act, *, run_id: int, by: str, event_key: str) -> Decision:
        """Do it, unless it has been overtaken; every change leaves a row in the audit log.

        Call it for one act at a time: the state is read first. The same `event_key` is done once.
        """
        night = await self.get_night(run_id)
        if act in ("pause", "resume"):
            return await self._pause(act == "pause", by=by, event_key=event_key)
        if any(_carries(switch, event_key) for switch in night.switches):
            return Decision("done")
        if hindrance := _find_hindrance(act, night):
            return Decision(hindrance)
        try:
            if act == "approve":
                await self._serving.promote(night.adapter, by=by, reason=f"approved, {event_key}")
            else:
                await self._serving.roll_back(by=by, reason=f"rolled back, {event_key}")
        except ModelServerError as error:
            return Decision("failed", str(error))
        return Decision("done")

    async def record_refusal(self, act: Act, *, run_id: int, by: str) -> None:
        """Somebody who may not tried to; the audit log shall know."""
        refused = f"refused: {act.replace('_', ' ')}"
        await record_act(self._database, actor=by, act=refused, subject=f"night {run_id}")

    async def _pause(self, paused: bool, *, by: str, event_key: str) -> Decision:
        if await self._pauses.set(paused, by=by, event_key=event_key):
            return Decision("done")
        last = await self._pauses.find()
        if last and last.event_key == event_key:
            return Decision("done")
        return Decision("is_paused" if paused else "is_running")


def _find_hindrance(act: Act, night: Night) -> Outcome | None:
    if act == "roll_back":
        return None if night.adapter_state in ("active", "trial") else "is_not_served"
    if night.adapter_state == "active":
        return "is_served"
    if night.adapter_state == "rejected":
        return "is_rejected"
    return "was_overtaken" if night.since or night.adapter_state != "candidate" else None


def _carries(switch: Switch, event_key: str) -> bool:
    return switch.reason.endswith(f", {event_key}")
