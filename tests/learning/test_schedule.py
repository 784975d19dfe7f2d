"""When nights are due, in the time zone of the people."""

import asyncio
from datetime import UTC, date, datetime

import pytest

from learning.schedule import NightSchedule


def make_schedule(done: set[date], begun: list[date]) -> NightSchedule:
    async def begin(night: date) -> None:
        begun.append(night)
        done.add(night)

    async def has_night(night: date) -> bool:
        return night in done

    return NightSchedule(night_time="02:00", time_zone="Asia/Seoul", begin=begin, has_night=has_night)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        # Seoul is nine hours ahead: 02:00 there is 17:00 UTC of the day before.
        (datetime(2026, 11, 20, 16, 59, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 20, 17, 0, tzinfo=UTC), date(2026, 11, 21)),
    ],
)
def test_the_due_night_turns_at_the_local_hour(now: datetime, due: date) -> None:
    assert make_schedule(set(), []).find_due_night(now) == due


async def test_a_missed_night_is_made_up_for_once() -> None:
    begun: list[date] = []
    schedule = make_schedule(set(), begun)
    await schedule.turn()
    await schedule.turn()
    assert len(begun) == 1


async def test_the_next_night_is_planned_and_stopping_forgets_it() -> None:
    schedule = make_schedule(set(), [])
    await schedule.start()
    planned = schedule.find_next()
    assert planned and (planned.hour, planned.minute, str(planned.tzinfo)) == (2, 0, "Asia/Seoul")
    await schedule.stop()
    await asyncio.sleep(0)
    assert schedule.find_next() is None


async def test_a_night_that_fails_does_not_end_the_schedule() -> None:
    async def fail(_: date) -> None:
        raise RuntimeError("disk on fire")

    async def never(_: date) -> bool:
        return False

    await NightSchedule(night_time="02:00", time_zone="UTC", begin=fail, has_night=never).turn()
