"""Golden questions in the tables: once each, reviewed, judged, and gone with the person they are asked as."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.golden import GoldenQuestion
from bot.golden_questions import GoldenQuestions
from core.database import Database
from core.errors import InvalidInputError, NotFoundError
from core.model_server import ModelServer
from tests.forgetting import build_forgetting

LEAVE = GoldenQuestion("", "en", "How many days of leave?", "23 days.", ["23 days"], ["leave.md"], ["everyone"], False)
SALARY = replace(LEAVE, language="ko", question="연봉은 얼마인가요?", answer="", accept=[], sources=[])


async def add(database: Database, golden: GoldenQuestion = LEAVE, by: str = "user:ann") -> int:
    id_ = await GoldenQuestions(database).add(golden, by=by)
    assert id_ is not None
    return id_


async def test_a_question_is_stored_once_for_the_same_people(database: Database) -> None:
    table = GoldenQuestions(database)
    id_ = await add(database)
    assert await table.add(replace(LEAVE, answer="another"), by="user:bo") is None
    await add(database, replace(LEAVE, principals=["group:hr"]))
    first, second = await table.find()
    assert (first.id, first.state, first.missing, first.added_by) == (id_, "waits", ["leave.md"], "user:ann")
    assert second.asked == replace(LEAVE, id=f"golden-{second.id}", principals=["group:hr"])


@pytest.mark.parametrize(
    "changes", [{"sources": []}, {"accept": []}, {"question": " "}, {"accept": [" "]}, {"question": "a" * 601}]
)
async def test_what_cannot_be_asked_is_refused(database: Database, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError):
        await GoldenQuestions(database).add(replace(LEAVE, **changes), by="user:ann")


async def test_the_last_word_counts_and_rejected_ones_are_not_asked(database: Database) -> None:
    table = GoldenQuestions(database)
    leave, salary = await add(database), await add(database, SALARY)
    await table.review(leave, "reject", by="user:ann")
    await table.review(salary, "reject", by="user:ann")
    await table.review(salary, "accept", by="user:bo")
    assert [one.id for one in await table.find_asked()] == [f"golden-{salary}"]
    assert [one.state for one in await table.find()] == ["rejected", "accepted"]
    assert (await table.remove([leave, leave + 99]), [one.id for one in await table.find()]) == ([leave], [salary])
    with pytest.raises(NotFoundError, match="golden list"):
        await table.get(leave)


async def test_what_people_said_of_answers_holds_until_the_question_is_another(database: Database) -> None:
    table = GoldenQuestions(database)
    leave = await add(database)
    await table.review(leave, "accept", by="user:ann", said="It is 25 days.", is_right=True)
    await table.review(leave, "accept", by="user:bo", said="It is 25 days.", is_right=False)
    await table.review(leave, "accept", by="user:bo", said="It is 23 days.", adapter="night-1", is_right=True)
    await table.review(leave, "accept", by="user:cy", said="Ask them.")
    judged = {one.said: one.is_right for one in await table.find_judged()}
    assert judged == {"It is 25 days.": False, "It is 23 days.": True}
    await table.edit(leave, question="How many days of sick leave?", answer="9", accept=["9 days"])
    await table.review(leave, "edit", by="user:bo", said="It is 23 days.")
    assert await table.find_judged() == []
    assert (await table.get(leave)).asked.accept == ["9 days"]


async def test_forgetting_takes_names_and_the_questions_that_are_asked_as_that_person(database: Database) -> None:
    table = GoldenQuestions(database)
    leave = await add(database)
    await add(database, replace(LEAVE, question="What is in my file?", principals=["user:ann"]), by="user:bo")
    await table.review(leave, "accept", by="user:ann")
    server = ModelServer("http://127.0.0.1:9", "base")
    await build_forgetting(database, server, Path("none")).forget("user:ann", by="test")
    (left,) = await table.find()
    assert (left.id, left.added_by, left.state) == (leave, "erased", "accepted")
    assert await database.fetch_tuples(b"SELECT reviewer FROM golden_reviews") == [("erased",)]
