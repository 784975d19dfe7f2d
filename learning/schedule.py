"""When nights begin: every day at one time of day in one time zone; one that was missed is made up for, once."""

import logging
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

log = logging.getLogger(__name__)

# A machine that slept through the hour still has its night, unless the next one is near.
MISFIRE_SECONDS = 20 * 3600
CATCH_UP_SECONDS = 60


class NightSchedule:
    """Calls `begin` with the date of each night that is due.

    Args:
        night_time: `HH:MM` on the wall clock of `time_zone`.
        begin: works on the night of that date; it must hold for itself that a night is done once.
        has_night: whether that night was done, by whomever.
    """

    def __init__(
        self,
        *,
        night_time: str,
        time_zone: str,
        begin: Callable[[date], Awaitable[object]],
        has_night: Callable[[date], Awaitable[bool]],
    ) -> None:
        self._time = time.fromisoformat(night_time)
        self._zone = ZoneInfo(time_zone)
        self._begin = begin
        self._has_night = has_night
        self._scheduler = AsyncIOScheduler(timezone=self._zone)

    async def start(self) -> None:
        """Wait for the next night; if the latest one was missed, begin it in a minute, beside the start-up."""
        trigger = CronTrigger(hour=self._time.hour, minute=self._time.minute, timezone=self._zone)
        options = {"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_SECONDS}
        self._scheduler.add_job(self.turn, trigger, id="night", **options)
        due = self.find_due_night(datetime.now(self._zone))
        if not await self._has_night(due):
            soon = datetime.now(self._zone) + timedelta(seconds=CATCH_UP_SECONDS)
            self._scheduler.add_job(self.turn, "date", run_date=soon, id="catch up", **options)
        self._scheduler.start()

    async def stop(self) -> None:
        """Begin no more nights; one that runs is its caller's to cancel."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def turn(self) -> None:
        """The night that is due now, unless it was done; an error is logged, and the next night comes all the same."""
        night = self.find_due_night(datetime.now(self._zone))
        try:
            if not await self._has_night(night):
                await self._begin(night)
        except Exception:
            log.exception("the night ended with an error", extra={"night": str(night)})

    def find_next(self) -> datetime | None:
        """When the next night begins; None while stopped."""
        job = self._scheduler.get_job("night") if self._scheduler.running else None
        return job.next_run_time if job else None

    def find_due_night(self, now: datetime) -> date:
        """The date of the latest night that should have begun by now."""
        local = now.astimezone(self._zone)
        begun_today = local.timetz().replace(tzinfo=None) >= self._time
        return local.date() if begun_today else local.date() - timedelta(days=1)
