"""An adapter on trial: a share of the conversations is its own, and their votes end the trial well or badly."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.adapters import Adapters, Served
from core.advisory_lock import hold_lock
from core.background import BackgroundWork
from core.database import Database
from core.locks import Lock
from core.pauses import Pauses
from core.serving import Serving
from core.sql import load_queries
from learning.break_even import Figures
from learning.harm import Harm, Vote, find_harm
from learning.report import write_reports
from learning.runs import Runs, State

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

ACTOR = "nightbake"
LOOK_SECONDS = 60.0

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class _Untold:
    run_id: int
    facts: dict[str, Any]


class TrialWatch(BackgroundWork):
    """Looks at the votes every minute; of several replicas one at a time.

    Args:
        hours: after this a trial in which no harm was found serves everybody.
        figures: what answers cost and save, for the report.
    """

    def __init__(
        self,
        database: Database,
        serving: Serving,
        *,
        hours: float,
        figures: Figures | None = None,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__("trial", pause_seconds=LOOK_SECONDS)
        self._database = database
        self._serving = serving
        self._adapters = Adapters(database)
        self._runs = Runs(database)
        self._length = timedelta(hours=hours)
        self._clock = clock
        self._figures = figures

    async def turn(self) -> bool:
        """End the trial where it is due; there is always a next one."""
        served = await self._adapters.find_serving()
        async with hold_lock(self._database, Lock.SERVING, wait=False) as held:
            if held and served and served.trial:
                await self._look(served)
            if held:
                await self._tell()
        return False

    async def _look(self, served: Served) -> None:
        """Harm ends it at once; without it the end comes by the clock, and waits while nights are paused."""
        harm = find_harm(await self._database.fetch_all(QUERIES["find_votes"], None, Vote))
        if harm.is_harmful:
            await self._end(served, harm, "trial_harmful")
        elif self._clock() - served.switched_at >= self._length and not await Pauses(self._database).is_paused():
            await self._end(served, harm, "trial_passed")

    async def _end(self, served: Served, harm: Harm, outcome: str) -> None:
        """One row that says what was found, unless others switched meanwhile."""
        assert served.trial
        passed = outcome == "trial_passed"
        facts = asdict(harm) | {"adapter": served.trial, "share": served.share, "outcome": outcome}
        if not await self._serving.end_trial(served, promote=passed, by=ACTOR, reason=outcome, facts=facts):
            return
        if not passed:
            await self._adapters.reject(served.trial, outcome)
        level = logging.INFO if passed else logging.ERROR
        log.log(level, "the trial has ended", extra={"adapter": served.trial, "outcome": outcome})

    async def _tell(self) -> None:
        """Write the reports of nights anew whose adapter's trial has ended; also after a crash between the two."""
        for untold in await self._database.fetch_all(QUERIES["find_untold"], None, _Untold):
            outcome = untold.facts["outcome"]
            state: State = "done" if outcome == "trial_passed" else "refused"
            run = await self._runs.get(untold.run_id)
            told = replace(run, trial=untold.facts)
            await write_reports(self._database, told, state=state, reason=outcome, error=None, figures=self._figures)
            await self._runs.finish(run.id, state, reason=outcome)
            await self._runs.update(run.id, trial=untold.facts)
