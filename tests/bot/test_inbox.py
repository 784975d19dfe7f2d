"""At-least-once delivery: stored before acknowledged, one owner at a time, nothing lost and nothing twice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.inbox import Claimed, Event, Inbox
from core.database import Database


@pytest.fixture
async def inbox(database: Database) -> AsyncIterator[Inbox]:
    yield Inbox(database)


def make_event(key: str, *, conversation: str = "c1", kind: Any = "question", text: str = "Why?") -> Event:
    return Event("web", key, conversation, kind, {"text": text, "person": "user:ann"})


async def claim(inbox: Inbox, worker: str = "w1") -> Claimed:
    claimed = await inbox.claim(worker)
    assert claimed
    return claimed


async def end_lease(database: Database, inbox_id: int) -> None:
    """What the clock does after half a minute of silence."""
    await database.execute(
        b"UPDATE inbox SET lease_expires_at = now() - interval '1 second' WHERE id = %(id)s", {"id": inbox_id}
    )


async def become_available(database: Database) -> None:
    await database.execute(b"UPDATE inbox SET available_at = now()")


async def test_an_event_is_stored_when_receive_returns(inbox: Inbox, database: Database) -> None:
    receipt = await inbox.receive(make_event("e1"))
    rows = await database.fetch_dicts(b"SELECT id, event_key, payload ->> 'text' AS text FROM inbox")
    assert rows == [{"id": receipt.id, "event_key": "e1", "text": "Why?"}]


async def test_a_second_delivery_is_the_same_event(inbox: Inbox) -> None:
    first = await inbox.receive(make_event("e1"))
    second = await inbox.receive(make_event("e1", text="Why, again?"))
    assert (first.is_new, second.is_new, second.id) == (True, False, first.id)


async def test_two_deliveries_in_one_batch_are_one_event(inbox: Inbox) -> None:
    receipts = await asyncio.gather(*(inbox.receive(make_event("e1")) for _ in range(5)))
    assert sorted(receipt.is_new for receipt in receipts) == [False, False, False, False, True]
    assert len({receipt.id for receipt in receipts}) == 1


async def test_deliveries_to_several_processes_at_once_are_one_event(database: Database) -> None:
    inboxes = [Inbox(database) for _ in range(6)]
    for number in range(10):
        receipts = await asyncio.gather(*(inbox.receive(make_event(f"e{number}")) for inbox in inboxes))
        assert len({receipt.id for receipt in receipts}) == 1
        assert [receipt.is_new for receipt in receipts].count(True) == 1


async def test_the_same_key_on_another_platform_is_another_event(inbox: Inbox) -> None:
    await inbox.receive(make_event("e1"))
    other = await inbox.receive(Event("slack", "e1", "c1", "question", {}))
    assert other.is_new


async def test_text_that_jsonb_cannot_hold_is_stored_without_it(inbox: Inbox) -> None:
    await inbox.receive(Event("web", "e\x00\ud8001", "c1", "question", {"a\x00": ["b\x00\udfff", {"c": "d\x07"}]}))
    assert (await claim(inbox)).payload == {"a": ["b", {"c": "d"}]}


async def test_answers_within_a_conversation_keep_their_order(inbox: Inbox) -> None:
    for key in ("e1", "e2"):
        await inbox.receive(make_event(key, text=key))
    first = await claim(inbox)
    assert await inbox.claim("w2") is None
    await inbox.finish(first)
    assert [first.payload["text"], (await claim(inbox, "w2")).payload["text"]] == ["e1", "e2"]


async def test_conversations_do_not_wait_for_each_other(inbox: Inbox) -> None:
    for key in ("e1", "e2"):
        await inbox.receive(make_event(key, conversation=key))
    assert [(await claim(inbox)).conversation_key for _ in range(2)] == ["e1", "e2"]


async def test_a_vote_does_not_wait_for_the_next_answer(inbox: Inbox) -> None:
    await inbox.receive(make_event("e1"))
    await inbox.receive(make_event("e2", kind="feedback"))
    assert [(await claim(inbox)).kind for _ in range(2)] == ["feedback", "question"]


async def test_of_many_workers_one_owns_an_event(inbox: Inbox) -> None:
    for number in range(20):
        await inbox.receive(make_event(f"e{number}", conversation=f"c{number}"))
    claimed = await asyncio.gather(*(inbox.claim(f"w{number}") for number in range(40)))
    ids = [one.id for one in claimed if one]
    # A worker that lost the race for a row may come back empty-handed, but never with another's row.
    assert ids and len(ids) == len(set(ids))


async def test_an_event_goes_over_when_its_lease_is(inbox: Inbox, database: Database) -> None:
    receipt = await inbox.receive(make_event("e1"))
    await claim(inbox, "dead")
    assert await inbox.claim("w2") is None
    await end_lease(database, receipt.id)
    again = await claim(inbox, "w2")
    assert (again.id, again.attempts) == (receipt.id, 2)


async def test_a_lease_is_kept_by_its_owner_only(inbox: Inbox, database: Database) -> None:
    await inbox.receive(make_event("e1"))
    claimed = await claim(inbox, "w1")
    await end_lease(database, claimed.id)
    await inbox.extend(replace(claimed, claimed_by="w2"))
    assert await claim(inbox, "w3")


async def test_a_worker_that_has_an_event_again_ends_it_once(inbox: Inbox, database: Database) -> None:
    """Its slots share its name, and one may not know yet that it lost the event to another."""
    await inbox.receive(make_event("e1"))
    former = await claim(inbox, "w1")
    await end_lease(database, former.id)
    latter = await claim(inbox, "w1")
    assert not await inbox.extend(former)
    await inbox.finish(former)
    await inbox.bury(former, error="too late")
    assert await inbox.count_open() == 1
    await inbox.finish(latter)
    assert await inbox.count_open() == 0


@pytest.mark.parametrize("clock", ["available_at", "lease_expires_at"])
async def test_a_clock_that_was_set_back_holds_nobody_up(inbox: Inbox, database: Database, clock: str) -> None:
    await inbox.receive(make_event("k1"))
    await database.execute(f"UPDATE inbox SET {clock} = now() + interval '13 hours'".encode())
    assert (await claim(inbox)).attempts == 1


async def test_an_extended_lease_is_not_handed_over(inbox: Inbox, database: Database) -> None:
    await inbox.receive(make_event("e1"))
    claimed = await claim(inbox, "w1")
    await end_lease(database, claimed.id)
    await inbox.extend(claimed)
    assert await inbox.claim("w2") is None


async def test_an_owner_that_comes_back_late_takes_nothing_from_the_next(inbox: Inbox, database: Database) -> None:
    await inbox.receive(make_event("e1"))
    late = await claim(inbox, "w1")
    await end_lease(database, late.id)
    await claim(inbox, "w2")
    await inbox.retry(late, error="too late", pause_seconds=0)
    await inbox.bury(late, error="too late")
    await inbox.finish(late)
    assert await inbox.claim("w3") is None
    assert await inbox.count_open() == 1


async def test_an_event_given_back_waits_for_its_pause(inbox: Inbox, database: Database) -> None:
    await inbox.receive(make_event("e1"))
    await inbox.retry(await claim(inbox), error="away", pause_seconds=60)
    assert await inbox.claim("w1") is None
    await become_available(database)
    assert (await claim(inbox)).attempts == 2


async def test_a_pause_is_as_long_as_it_says(inbox: Inbox, database: Database) -> None:
    await inbox.receive(make_event("e1"))
    await inbox.retry(await claim(inbox), error="away", pause_seconds=90)
    query = b"SELECT extract(epoch FROM available_at - now())::float AS seconds FROM inbox"
    assert 60 < (await database.fetch_dicts(query))[0]["seconds"] <= 90


async def test_a_finished_event_is_never_delivered_again(inbox: Inbox, database: Database) -> None:
    await inbox.receive(make_event("e1"))
    await inbox.finish(await claim(inbox))
    await inbox.receive(make_event("e1"))
    assert await inbox.claim("w1") is None


async def test_a_buried_event_stays_with_its_error_and_lets_the_next_through(inbox: Inbox, database: Database) -> None:
    for key in ("e1", "e2"):
        await inbox.receive(make_event(key, text=key))
    await inbox.bury(await claim(inbox), error="ValueError: no")
    assert (await claim(inbox)).payload["text"] == "e2"
    rows = await database.fetch_dicts(b"SELECT event_key, error FROM inbox WHERE buried_at IS NOT NULL")
    assert rows == [{"event_key": "e1", "error": "ValueError: no"}]


async def test_open_events_are_counted(inbox: Inbox) -> None:
    for key in ("e1", "e2", "e3"):
        await inbox.receive(make_event(key, conversation=key))
    await inbox.finish(await claim(inbox))
    await inbox.bury(await claim(inbox), error="no")
    assert await inbox.count_open() == 1


async def test_news_wakes_a_waiting_worker(inbox: Inbox) -> None:
    waiting = asyncio.create_task(inbox.wait_for_news(60))
    await inbox.receive(make_event("e1"))
    await asyncio.wait_for(waiting, 10)


async def test_each_event_wakes_one_worker(inbox: Inbox) -> None:
    waiting = [asyncio.create_task(inbox.wait_for_news(60)) for _ in range(4)]
    await asyncio.sleep(0)
    for key in ("e1", "e1", "e2"):
        await inbox.receive(make_event(key))
    _, still = await asyncio.wait(waiting, timeout=0.2)
    for task in still:
        task.cancel()
    await asyncio.gather(*still, return_exceptions=True)
    assert len(still) == 2


async def test_what_came_while_nobody_waited_is_looked_at_once(inbox: Inbox) -> None:
    await inbox.receive(make_event("e1"))
    await inbox.wait_for_news(60)
    late = asyncio.create_task(inbox.wait_for_news(60))
    await asyncio.wait({late}, timeout=0.1)
    assert not late.done()
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
