"""The log: begun before answered, finished once, voted on by one row a judgement."""

import asyncio
import time
from dataclasses import replace

import pytest

from core.adapters import Adapters
from core.database import Database
from core.errors import NotFoundError
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.prompt import Message
from core.records import Feedback, Outcome, Question

QUESTION = Question("web", "web:c1", "user:ann", ["everyone"], "How many days of leave?", "en")


async def test_an_answer_is_stored_with_what_it_takes_to_say_it_again(database: Database) -> None:
    interactions = Interactions(database)
    begun = await interactions.begin(QUESTION)
    messages: list[Message] = [{"role": "user", "content": "How many days of leave?"}]
    await interactions.finish(Outcome(begun.id, "23 days. [1]", "generated", messages=messages, citations=[1]))
    stored = await interactions.get(begun.id)
    assert (stored.answer, stored.messages, stored.citations) == ("23 days. [1]", messages, [1])


async def test_concurrent_questions_get_their_own_ids_in_order(database: Database) -> None:
    interactions = Interactions(database)
    questions = [replace(QUESTION, text=f"question {number}") for number in range(300)]
    begun = await asyncio.gather(*(interactions.begin(question) for question in questions))
    stored = await asyncio.gather(*(interactions.get(one.id) for one in begun))
    assert [one.question for one in stored] == [question.text for question in questions]


async def test_the_same_inbox_row_begins_one_interaction(database: Database) -> None:
    rows = await database.fetch_dicts(
        b"INSERT INTO inbox (platform, event_key, conversation_key, kind, payload) "
        b"VALUES ('web', 'e1', 'c', 'question', '{}') RETURNING id"
    )
    interactions = Interactions(database)
    question = replace(QUESTION, inbox_id=rows[0]["id"])
    assert await interactions.begin(question) == await interactions.begin(question)


async def test_one_bad_row_of_a_batch_fails_alone(database: Database) -> None:
    interactions = Interactions(database)
    bad = replace(QUESTION, language="tlh")
    results = await asyncio.gather(
        interactions.begin(QUESTION), interactions.begin(bad), interactions.begin(QUESTION), return_exceptions=True
    )
    assert [isinstance(result, Exception) for result in results] == [False, True, False]


async def test_control_characters_and_lone_surrogates_are_stored_without_them(database: Database) -> None:
    interactions = Interactions(database)
    begun = await interactions.begin(replace(QUESTION, text="a\x00b\ud800c\x1bd"))
    assert (await interactions.get(begun.id)).question == "abcd"


async def test_the_last_vote_of_a_person_counts(database: Database) -> None:
    begun = await Interactions(database).begin(QUESTION)
    votes = FeedbackLog(database)
    await votes.record(Feedback(begun.id, "user:ann", 1, "web"))
    await votes.record(Feedback(begun.id, "user:ann", -1, "web", correction="23 days"))
    current = await votes.find_current(begun.id)
    assert [(vote.value, vote.correction) for vote in current] == [(-1, "23 days")]


async def test_what_was_said_last_stands_though_our_clock_is_behind(database: Database) -> None:
    begun, said_at = await Interactions(database).begin(QUESTION), time.time() + 60
    votes = FeedbackLog(database)
    await votes.record(Feedback(begun.id, "user:ann", -1, "web", said_at=said_at + 0.1))
    await votes.record(Feedback(begun.id, "user:ann", 1, "web", said_at=said_at))
    assert await votes.get_value(begun.id, "user:ann") == -1


@pytest.mark.parametrize("said_at", [None, -1e300, 0.5, 4e9, 1e300])
async def test_a_wrong_clock_silences_nobody(database: Database, said_at: float | None) -> None:
    begun = await Interactions(database).begin(QUESTION)
    votes = FeedbackLog(database)
    await votes.record(Feedback(begun.id, "user:ann", 1, "web", said_at=said_at))
    await votes.record(Feedback(begun.id, "user:ann", -1, "web"))
    assert await votes.get_value(begun.id, "user:ann") == -1


async def test_a_withdrawn_vote_is_gone(database: Database) -> None:
    begun = await Interactions(database).begin(QUESTION)
    votes = FeedbackLog(database)
    await votes.record(Feedback(begun.id, "user:ann", 1, "web"))
    await votes.record(Feedback(begun.id, "user:ann", 0, "web"))
    assert await votes.find_current(begun.id) == []


async def test_a_vote_for_an_unknown_answer_says_so(database: Database) -> None:
    with pytest.raises(NotFoundError, match="no answer with the id 4711"):
        await FeedbackLog(database).record(Feedback(4711, "user:ann", 1, "web"))


async def test_a_repeated_event_counts_once(database: Database) -> None:
    begun = await Interactions(database).begin(QUESTION)
    votes = FeedbackLog(database)
    for value in (1, -1):
        await votes.record(Feedback(begun.id, "user:ann", value, "slack_reaction", event_key="slack:Ev1"))
    assert await votes.get_value(begun.id, "user:ann") == 1


async def test_a_switch_changes_the_adapter_of_the_next_question_only(database: Database) -> None:
    adapters, interactions = Adapters(database), Interactions(database)
    await adapters.register(name="night-1", folder="/a", base_model="base", sha256="00", manifest={})
    before = await interactions.begin(QUESTION)
    await adapters.switch("night-1", by="test", reason="better")
    after = await interactions.begin(QUESTION)
    await adapters.switch(await adapters.get_previous_name(), by="test", reason="roll back")
    rolled_back = await interactions.begin(QUESTION)
    assert (before.adapter, after.adapter, rolled_back.adapter) == (None, "night-1", None)


async def test_states_of_adapters_follow_the_switches(database: Database) -> None:
    adapters = Adapters(database)
    for name in ("night-1", "night-2", "night-3", "night-4"):
        await adapters.register(name=name, folder="/a", base_model="base", sha256="00", manifest={})
    await adapters.switch("night-1", by="test", reason="first")
    await adapters.switch("night-2", by="test", reason="second")
    await adapters.reject("night-3", "worse on held-out pairs")
    states = {adapter.name: adapter.state for adapter in await adapters.find_all()}
    assert states == {"night-1": "retired", "night-2": "active", "night-3": "rejected", "night-4": "candidate"}


async def test_switching_to_an_unknown_adapter_changes_nothing(database: Database) -> None:
    adapters = Adapters(database)
    with pytest.raises(NotFoundError, match="nightbake adapters"):
        await adapters.switch("night-9", by="test", reason="typo")
    assert await adapters.find_switches() == []
