"""An alert is raised when a thing has been bad for a while, once, and cleared when it has been good for a while."""

from typing import Any

import pytest

from bot.admin_messages import AdminMessages, Topic
from bot.alerts import BAD_SECONDS, GOOD_SECONDS, Alerts, Observation, Watch
from bot.inbox import Event, Inbox
from bot.looks import WAIT_SECONDS, look_at_inbox
from core.database import Database


class Thing:
    """A model server that is as a test says, and a clock."""

    def __init__(self) -> None:
        self.is_bad = False
        self.now = 0.0

    async def look(self) -> Observation:
        return Observation("model_server", self.is_bad)

    def clock(self) -> float:
        return self.now

    async def be(self, watches: list[Watch], *, is_bad: bool, seconds: float) -> None:
        """Stay so for a time, seen at its start and at its end."""
        self.is_bad = is_bad
        for pause in (1.0, seconds):
            self.now += pause
            for watch in watches:
                await watch.turn()


async def find_alerts(database: Database) -> list[bool]:
    """Whether each alert is over."""
    rows = await database.fetch_dicts(b"SELECT cleared_at IS NOT NULL AS over FROM alerts ORDER BY id")
    return [row["over"] for row in rows]


async def test_what_lasts_is_told_once_and_ends_once(database: Database) -> None:
    thing = Thing()
    replicas = [Watch(Alerts(database), [thing.look], clock=thing.clock) for _ in range(2)]
    await thing.be(replicas, is_bad=True, seconds=BAD_SECONDS - 1)
    assert await find_alerts(database) == []
    await thing.be(replicas, is_bad=True, seconds=30)
    await thing.be(replicas, is_bad=True, seconds=3600)
    assert await find_alerts(database) == [False]
    await thing.be(replicas, is_bad=False, seconds=GOOD_SECONDS - 1)
    assert await find_alerts(database) == [False]
    await thing.be(replicas, is_bad=False, seconds=2)
    assert await find_alerts(database) == [True]


async def test_what_comes_and_goes_is_not_told(database: Database) -> None:
    thing = Thing()
    watch = [Watch(Alerts(database), [thing.look], clock=thing.clock)]
    for _ in range(5):
        await thing.be(watch, is_bad=True, seconds=BAD_SECONDS / 2)
        await thing.be(watch, is_bad=False, seconds=1)
    assert await find_alerts(database) == []


async def test_an_alert_that_no_process_confirms_any_more_is_over(database: Database) -> None:
    await Alerts(database).raise_alert(Observation("socket", True, "a-machine-that-is-gone"))
    await database.execute(b"UPDATE alerts SET seen_at = now() - interval '1 hour'")
    await Watch(Alerts(database), []).turn()
    assert await find_alerts(database) == [True]


async def test_a_look_that_fails_does_not_hide_the_others(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> Observation:
        raise RuntimeError("no such thing")

    thing = Thing()
    watch = [Watch(Alerts(database), [fail, thing.look], clock=thing.clock)]
    await thing.be(watch, is_bad=True, seconds=BAD_SECONDS)
    assert await find_alerts(database) == [False]
    assert "one part could not be looked at" in caplog.text


@pytest.mark.parametrize(
    ("age", "change", "is_bad"),
    [
        (WAIT_SECONDS + 5, "claimed_by = NULL", True),
        (WAIT_SECONDS - 5, "claimed_by = NULL", False),
        (WAIT_SECONDS + 5, "lease_expires_at = now() + interval '20 s'", False),
        (WAIT_SECONDS + 5, "done_at = now()", False),
    ],
)
async def test_the_inbox_is_bad_where_events_wait_for_a_worker(
    database: Database, age: float, change: str, is_bad: bool
) -> None:
    await Inbox(database).receive(Event("slack", "post:1", "slack:1", "question", {}))
    parameters: dict[str, Any] = {"age": age}
    aged = f"UPDATE inbox SET available_at = now() - make_interval(secs => %(age)s), {change}"
    await database.execute(aged.encode(), parameters)
    assert (await look_at_inbox(database)()).is_bad == is_bad


async def test_admins_are_told_of_each_alert_and_its_end_once(database: Database) -> None:
    alerts, seen = Alerts(database), Observation("model_server", True)
    messages = AdminMessages(database, "slack")
    await alerts.raise_alert(seen)
    (due,) = await messages.find_due()
    assert [await messages.claim(due), await messages.claim(due)] == [True, False]
    await messages.set_posted(due, "C0ADMIN:1")
    await alerts.raise_alert(seen)
    assert await messages.find_due() == []
    await alerts.clear(seen)
    assert await messages.find_due() == [Topic("clear", due.id)]


async def test_an_alert_that_was_over_before_it_could_be_told_is_not_told(database: Database) -> None:
    alerts, seen = Alerts(database), Observation("model_server", True)
    await alerts.raise_alert(seen)
    await alerts.clear(seen)
    assert await AdminMessages(database, "slack").find_due() == []


async def test_a_message_whose_process_died_is_claimed_by_another(database: Database) -> None:
    await Alerts(database).raise_alert(Observation("model_server", True))
    messages = AdminMessages(database, "slack")
    (due,) = await messages.find_due()
    assert await messages.claim(due)
    assert await messages.find_due() == []
    await database.execute(b"UPDATE admin_messages SET lease_expires_at = now() - interval '1 s'")
    assert await messages.find_due() == [due]
    assert await messages.claim(due)
