"""Limits: counted at receipt over all processes, told in both languages, and nothing else is held up by them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.inbox import Claimed, Event, Inbox, Receipt
from bot.limits import KIND, QuestionLimits, RefusalHandler
from core.database import Database
from core.records import Platform
from tests.bot.recorded import RecordedPlatform

PERSON = "slack:T1:U1"


def make(key: str, *, person: str = PERSON, platform: Platform = "slack", kind: str = "question") -> Event:
    return Event(platform, key, f"c-{key}", kind, {"text": "How much leave?", "person": person})


def open_inbox(database: Database, **limits: int) -> Inbox:
    return Inbox(database, limits=QuestionLimits(**limits).to_parameters())


async def receive(inbox: Inbox, *events: Event) -> list[Receipt]:
    return list(await asyncio.gather(*(inbox.receive(event) for event in events)))


def refusals(receipts: list[Receipt]) -> list[str | None]:
    return [receipt.refusal for receipt in receipts]


async def finish_all(database: Database) -> None:
    await database.execute(b"UPDATE inbox SET done_at = now()")


@pytest.fixture(params=["one batch", "one by one", "two processes"])
async def ask(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Any]:
    """Asks so many questions and gives their receipts, however they come in."""

    async def ask(events: list[Event], **limits: int) -> list[Receipt]:
        inboxes = [open_inbox(database, **limits) for _ in range(2)]
        if request.param == "one batch":
            return await receive(inboxes[0], *events)
        several = request.param == "two processes"
        return [await inboxes[several and number % 2].receive(event) for number, event in enumerate(events)]

    yield ask


async def test_so_many_questions_a_minute_are_taken_and_the_next_is_not(ask: Any) -> None:
    receipts = await ask([make(f"q{n}") for n in range(4)], person_per_minute=3)
    assert refusals(receipts) == [None, None, None, "person_per_minute"]
    assert all(receipt.is_new for receipt in receipts)


async def test_so_many_questions_wait_at_once(ask: Any, database: Database) -> None:
    assert refusals(await ask([make(f"q{n}") for n in range(3)], person_waiting=2)) == [None, None, "person_waiting"]
    await finish_all(database)
    assert refusals(await ask([make("later")], person_waiting=2)) == [None]


async def test_a_workspace_s_questions_count_together_and_others_do_not(ask: Any) -> None:
    people = ["slack:T1:U1", "slack:T1:U2", "slack:T2:U1", "slack:T1:U3"]
    events = [make(f"q{n}", person=person) for n, person in enumerate(people)]
    limits = {"workspace_per_minute": 2, "workspace_waiting": 100}
    assert refusals(await ask(events, **limits)) == [None, None, None, "workspace_per_minute"]


async def test_deliveries_of_one_question_count_once(ask: Any) -> None:
    receipts = await ask([make("q1"), make("q1"), make("q1"), make("q2")], person_per_minute=2)
    assert refusals(receipts) == [None] * 4


async def test_votes_have_no_limit(ask: Any) -> None:
    events = [make("q1"), *(make(f"v{n}", kind="feedback") for n in range(3))]
    assert refusals(await ask(events, person_per_minute=1, person_waiting=1)) == [None] * 4


async def test_a_minute_later_the_next_is_taken_and_the_refusal_says_when(database: Database) -> None:
    inbox = open_inbox(database, person_per_minute=1)
    await inbox.receive(make("q1"))
    await finish_all(database)
    refused = await inbox.receive(make("q2"))
    (row,) = await database.fetch_dicts(
        b"SELECT received_at + interval '1 minute' AS ends_at FROM inbox WHERE kind = 'question'"
    )
    await database.execute(b"UPDATE inbox SET received_at = now() - interval '61 seconds'")
    assert (refused.again_at, (await inbox.receive(make("q3"))).refusal) == (row["ends_at"], None)


async def test_a_refused_question_is_stored_once_and_stays_refused(database: Database) -> None:
    inbox = open_inbox(database, person_per_minute=1)
    await inbox.receive(make("q1"))
    first, again = await inbox.receive(make("q2")), await inbox.receive(make("q2"))
    rows = await database.fetch_dicts(b"SELECT kind FROM inbox ORDER BY id")
    assert ([row["kind"] for row in rows], first.is_new, again.is_new) == (["question", KIND], True, False)
    assert again.id == first.id


async def test_a_page_may_ask_again_with_the_same_key(database: Database) -> None:
    inbox = open_inbox(database, person_waiting=1)
    questions = [make(key, person="user:ann", platform="web") for key in ("q1", "q2")]
    await inbox.receive(questions[0])
    refused = await inbox.receive(questions[1])
    await finish_all(database)
    taken = await inbox.receive(questions[1])
    assert (refused.refusal, refused.id, refused.is_new) == ("person_waiting", 0, False)
    assert (taken.refusal, taken.is_new) == (None, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("How much leave?", "You have asked 1 questions within a minute. Please ask this one again in 60 s."),
        ("연차는 며칠인가요?", "1분 동안 질문 1개를 하셨습니다. 60초 뒤에 다시 질문해 주세요."),
    ],
)
async def test_the_worker_says_it_in_the_language_of_the_question(database: Database, text: str, words: str) -> None:
    limits = QuestionLimits(person_per_minute=1)
    inbox, platform = Inbox(database, limits=limits.to_parameters()), RecordedPlatform()
    await inbox.receive(make("q1"))
    await inbox.receive(Event("slack", "q2", "c2", "question", {"text": text, "person": PERSON}))
    claimed = await claim(inbox)
    assert claimed.kind == KIND
    await RefusalHandler(limits, {"slack": platform})(claimed)
    assert platform.replies[claimed.id].declined == [words]


async def claim(inbox: Inbox) -> Claimed:
    claimed = await inbox.claim("worker")
    assert claimed
    return claimed
