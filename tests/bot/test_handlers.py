"""What becomes of an event: a question is answered or declined, a judgement is recorded or dropped."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.handlers import FeedbackHandler, QuestionHandler
from bot.inbox import Claimed, Event, Inbox
from bot.phrases import say
from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.model_server import ModelServer
from core.records import Outcome, Question
from tests.bot.assistant import LEAVE, build_answerer
from tests.bot.recorded import ListSearch, RecordedPlatform
from tests.fakes.model_server import run_model_server

ANN = "user:ann"
ASKED = Claimed(
    1, "web", "c1", "question", {"text": "How many days?", "person": ANN}, 1, datetime(2026, 11, 21, tzinfo=UTC), "w1"
)
VOTED = replace(ASKED, kind="feedback")


async def begin(database: Database, reply_key: str = "reply-1") -> int:
    interactions = Interactions(database)
    begun = await interactions.begin(Question("web", "c1", ANN, ["everyone"], "How many days?", "en"))
    await interactions.set_reply_key(begun.id, reply_key)
    return begun.id


async def vote(database: Database, inbox_id: int, **payload: Any) -> None:
    """Handle one vote of Ann's."""
    handler = FeedbackHandler(feedback=FeedbackLog(database), interactions=Interactions(database))
    await handler(replace(VOTED, id=inbox_id, payload={"person": ANN, "source": "web", **payload}))


async def find_values(database: Database) -> list[int]:
    """Every stored judgement, in order."""
    return [row["value"] for row in await database.fetch_dicts(b"SELECT value FROM feedback ORDER BY id")]


async def test_a_vote_is_recorded_by_the_id_of_its_answer(database: Database) -> None:
    await vote(database, 1, interaction_id=await begin(database), value=1)
    assert await find_values(database) == [1]


async def test_a_vote_is_recorded_by_the_reply_it_stands_under(database: Database) -> None:
    number = await begin(database, "reply-7")
    await vote(database, 1, reply_key="reply-7", value=-1, correction="23 days", reason="wrong number")
    (stored,) = await FeedbackLog(database).find_current(number)
    assert (stored.value, stored.correction, stored.reason) == (-1, "23 days", "wrong number")


async def test_a_vote_on_a_message_that_is_no_answer_of_ours_is_dropped(database: Database) -> None:
    await begin(database)
    await vote(database, 1, reply_key="someone-elses", value=1)
    assert await find_values(database) == []


async def test_a_vote_on_a_reply_of_another_platform_is_dropped(database: Database) -> None:
    await begin(database, "reply-7")
    handler = FeedbackHandler(feedback=FeedbackLog(database), interactions=Interactions(database))
    payload = {"person": ANN, "source": "slack_reaction", "reply_key": "reply-7", "value": 1}
    await handler(replace(VOTED, platform="slack", payload=payload))
    assert await find_values(database) == []


async def test_a_vote_on_an_answer_that_does_not_exist_is_dropped(database: Database) -> None:
    await vote(database, 1, interaction_id=4711, value=1)
    assert await find_values(database) == []


async def test_an_event_handled_twice_counts_once(database: Database) -> None:
    number = await begin(database)
    for _ in range(2):
        await vote(database, 1, interaction_id=number, value=1)
    assert await find_values(database) == [1]


async def test_a_vote_taken_back_is_gone(database: Database) -> None:
    number = await begin(database)
    await vote(database, 1, interaction_id=number, value=1)
    await vote(database, 2, interaction_id=number, value=0, withdraws=1)
    assert await FeedbackLog(database).get_value(number, ANN) == 0


async def test_taking_back_a_vote_that_was_replaced_leaves_the_later_one(database: Database) -> None:
    number = await begin(database)
    await vote(database, 1, interaction_id=number, value=1)
    await vote(database, 2, interaction_id=number, value=-1)
    await vote(database, 3, interaction_id=number, value=0, withdraws=1)
    assert await FeedbackLog(database).get_value(number, ANN) == -1


async def test_what_was_said_before_and_comes_late_changes_nothing(database: Database) -> None:
    inbox, number = Inbox(database), await begin(database)

    async def say_at(said_at: float, **payload: Any) -> None:
        receipt = await inbox.receive(Event("slack", f"e{said_at}", "c1", "feedback", {"said_at": said_at}))
        await vote(database, receipt.id, interaction_id=number, said_at=said_at, **payload)

    await say_at(2.0, value=-1)
    await say_at(1.0, value=1)
    assert await FeedbackLog(database).get_value(number, ANN) == -1
    await say_at(4.0, value=0, withdraws=-1)
    await say_at(3.0, value=1)
    assert await FeedbackLog(database).get_value(number, ANN) == 0


async def test_a_vote_that_comes_after_its_withdrawal_does_not_count(database: Database) -> None:
    inbox, number = Inbox(database), await begin(database)
    for said_at, value, withdraws in ((2.0, 0, {"withdraws": 1}), (1.0, 1, {})):
        receipt = await inbox.receive(Event("slack", f"e{said_at}", "c1", "feedback", {"said_at": said_at}))
        await vote(database, receipt.id, interaction_id=number, said_at=said_at, value=value, **withdraws)
    assert await FeedbackLog(database).find_current(number) == []


@pytest.mark.parametrize("text", ["", " \n\t ", "???", "\x00\x07\u200b", "x" * 100_000])
async def test_what_is_no_question_is_declined_without_searching(database: Database, text: str) -> None:
    platform, search = RecordedPlatform(), ListSearch(LEAVE)
    async with run_model_server() as fake:
        client = ModelServer(fake.url, fake.model)
        handler = make_question_handler(database, platform, search, client)
        await handler(replace(ASKED, payload={"text": text, "person": ANN}))
        await client.close()
    assert (len(platform.replies[1].declined), platform.replies[1].closed, search.questions) == (1, [], [])


async def test_the_apology_names_the_answer_that_was_begun(database: Database) -> None:
    rows = await database.fetch_dicts(
        b"INSERT INTO inbox (platform, event_key, conversation_key, kind, payload) "
        b"VALUES ('web', 'e1', 'c1', 'question', '{}') RETURNING id"
    )
    question = Question("web", "c1", ANN, ["everyone"], "연차는 며칠인가요?", "ko", rows[0]["id"])
    begun = await Interactions(database).begin(question)
    platform = RecordedPlatform()
    handler = make_question_handler(database, platform, ListSearch(), ModelServer("http://127.0.0.1:9", "base"))
    await handler.give_up(replace(ASKED, id=rows[0]["id"], payload={"text": "연차는 며칠인가요?", "person": ANN}))
    apology = say("apology", "ko", id=begun.id)
    assert platform.replies[rows[0]["id"]].declined == [apology]
    stored = await Interactions(database).get(begun.id)
    assert (stored.mode, stored.mode_reason, stored.answer) == ("failed", "failed", apology)


@pytest.mark.parametrize("is_taken", [True, False])
async def test_an_answer_that_is_in_the_log_is_shown_in_place_of_an_apology(
    database: Database, is_taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = (await Inbox(database).receive(Event("web", "e1", "c1", "question", {}))).id
    interactions = Interactions(database)
    begun = await interactions.begin(Question("web", "c1", ANN, ["everyone"], "How many days?", "en", number))
    await interactions.finish(Outcome(begun.id, "23 [1]", "generated"))
    platform = RecordedPlatform()
    handler = make_question_handler(database, platform, ListSearch(), ModelServer("http://127.0.0.1:9", "base"))
    if not is_taken:
        monkeypatch.setattr("bot.answer.show_stored", fail_to_render)
    assert await handler.give_up(replace(ASKED, id=number)) is is_taken
    reply = platform.replies[number]
    assert (len(reply.closed), len(reply.declined)) == ((1, 0) if is_taken else (0, 1))
    assert (await interactions.get(begun.id)).answer == "23 [1]"


def fail_to_render(*_: Any, **__: Any) -> None:
    raise ConnectionError("the platform takes no such blocks")


async def test_the_apology_names_the_event_where_no_answer_was_begun(database: Database) -> None:
    platform = RecordedPlatform()
    handler = make_question_handler(database, platform, ListSearch(), ModelServer("http://127.0.0.1:9", "base"))
    await handler.give_up(replace(ASKED, id=77))
    assert platform.replies[77].declined == [say("apology", "en", id="i77")]


async def test_no_apology_is_made_for_a_vote(database: Database) -> None:
    platform = RecordedPlatform()
    handler = make_question_handler(database, platform, ListSearch(), ModelServer("http://127.0.0.1:9", "base"))
    await handler.give_up(VOTED)
    assert platform.replies == {}


def make_question_handler(
    database: Database, platform: RecordedPlatform, search: ListSearch, model_server: ModelServer
) -> QuestionHandler:
    interactions = Interactions(database)

    async def find_principals(_: Claimed) -> list[str]:
        return ["everyone"]

    return QuestionHandler(
        answerer=build_answerer(database, search, model_server),
        interactions=interactions,
        platforms={"web": platform},
        find_principals=find_principals,
    )
