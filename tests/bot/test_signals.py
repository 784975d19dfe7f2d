"""What a next question says of the answer before it, in both languages, and what it does not."""

import pytest

from bot.signals import Earlier, Signal, Signals, find_signal, measure_sameness
from core.database import Database
from core.interactions import Interactions
from core.records import Outcome, Question

ASKED = "How many days of annual leave do I have?"


def hear(said: str, question: str = "What is the travel allowance?", *, here: bool = True) -> Signal | None:
    return find_signal([Earlier(7, question, here, said)])


@pytest.mark.parametrize(
    "said",
    [
        "No, I meant unpaid leave",
        "no I was asking about interns",
        "I meant the Busan office.",
        "That's not what I asked",
        "That is wrong, it is 25",
        "No, that’s wrong.",
        "아니, 그게 아니라 육아휴직이요",
        "아니요. 인턴의 경우요",
        "그게 아니라 부산 사무소요",
        "제 말은 무급 휴가예요",
        "틀렸어요",
        "그걸 물어본 게 아니에요",
    ],
)
def test_an_objection_is_heard(said: str) -> None:
    assert hear(said) == Signal(7, "objection", 0.8)


@pytest.mark.parametrize(
    "said",
    [
        "No smoking areas in the building?",
        "Is there no leave for interns?",
        "Wrong invoice sent, what now?",
        "What is meant by leave?",
        "I mean it: thank you",
        "아니면 언제 신청하나요?",
        "아니 이거 어떻게 신청해요?",
        "잘못 송금하면 어떻게 하나요?",
        "그건 누가 승인하나요?",
    ],
)
def test_what_only_looks_like_one_is_none(said: str) -> None:
    assert hear(said) is None


def test_outside_the_conversation_an_objection_is_less_sure() -> None:
    assert hear("no, I meant unpaid leave", here=False) == Signal(7, "objection", 0.5)


@pytest.mark.parametrize(
    "said",
    [
        "how many days of annual leave do I have",
        "How many annual leave days do I have??",
    ],
)
def test_the_same_question_again_is_a_reask(said: str) -> None:
    signal = hear(said, ASKED)
    assert signal
    assert (signal.kind, 0.5 < signal.confidence <= 0.8) == ("reask", True)


def test_a_korean_question_asked_again_is_one() -> None:
    signal = hear("연차 휴가는 며칠인가요?", "연차 휴가 며칠인가요")
    assert signal
    assert signal.kind == "reask"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ASKED, "How many days of sick leave does an intern have?"),
        ("Leave carried over to 2024?", "Leave carried over to 2025?"),
        ("Who?", "Who?"),
        ("연차는 며칠인가요?", "출장비는 누가 승인하나요?"),
    ],
)
def test_another_question_is_none(one: str, other: str) -> None:
    assert measure_sameness(one, other) < 0.65


def test_a_reask_is_of_the_answer_that_it_repeats() -> None:
    earlier = [Earlier(8, "Where is the canteen?", True, ASKED), Earlier(7, ASKED, True, ASKED)]
    assert find_signal(earlier) == Signal(7, "reask", 0.8)


async def ask(database: Database, text: str, *, person: str = "user:ann", again_of: int | None = None) -> int:
    interactions = Interactions(database)
    begun = await interactions.begin(Question("web", "c", person, ["everyone"], text, "en", again_of=again_of))
    await interactions.finish(Outcome(begun.id, "…", "generated"))
    return begun.id


async def find_stored(database: Database) -> list[tuple[int, int, str]]:
    rows = await database.fetch_dicts(b"SELECT interaction_id, next_id, kind FROM signals ORDER BY id")
    return [(row["interaction_id"], row["next_id"], row["kind"]) for row in rows]


async def test_a_signal_is_stored_once_and_is_no_vote(database: Database) -> None:
    first, second = await ask(database, ASKED), await ask(database, ASKED)
    for _ in range(2):
        await Signals(database).note(second)
    assert await find_stored(database) == [(first, second, "reask")]
    assert await database.fetch_dicts(b"SELECT 1 FROM feedback") == []


async def test_after_ten_minutes_it_says_nothing(database: Database) -> None:
    first = await ask(database, ASKED)
    await database.execute(
        b"UPDATE interactions SET finished_at = finished_at - interval '601 seconds' WHERE id = %(id)s", {"id": first}
    )
    assert await Signals(database).note(await ask(database, ASKED)) is None


@pytest.mark.parametrize("other", ["another person", "tried again"])
async def test_what_is_no_guess_is_left_out(database: Database, other: str) -> None:
    first = await ask(database, ASKED)
    person, again_of = ("user:bo", None) if other == "another person" else ("user:ann", first)
    await Signals(database).note(await ask(database, ASKED, person=person, again_of=again_of))
    assert await find_stored(database) == []
