"""Rounds as rows: they go on after a stop, forget with people, and are what experiments are measured by."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.errors import InvalidInputError, NotFoundError
from core.exams import Exam, Exams
from core.model_server import ModelServer
from learning.advice.advise import build_advice
from learning.advice.diagnosis import Diagnosis, Run
from learning.advice.disliked import agrees, find_disliked, narrow
from learning.advice.experiments import Experiments, measure_exam
from learning.advice.rounds import Diagnosed, Rounds
from learning.advice.steps import Prices
from learning.break_even import Figures
from tests.forgetting import build_forgetting
from tests.learning.log import log_answer, make_passage, vote
from tests.learning.making import NOON

WORDS = {"en": "More synonyms.", "ko": "동의어 추가."}


def golden(number: int, *, is_right: bool) -> Diagnosed:
    context: Any = None if is_right else "retrieval"
    diagnosis = Diagnosis(f"golden:{number}", is_right, context, runs=[Run("now", is_right, 100, 10, 0.5)])
    return Diagnosed(diagnosis, f"sha{number}", "en", f"Question {number}?")


async def store_round(database: Database, *found: Diagnosed) -> int:
    rounds = Rounds(database)
    round_id = await rounds.begin(fingerprint="f", by="user:ann", adapter=None)
    for one in found:
        await rounds.record(round_id, one)
    advice = build_advice([one.diagnosis for one in found], Prices(Figures(), 10, 0.5), more=9)
    await rounds.end(round_id, advice=advice.to_json(), pictures={})
    return round_id


async def test_a_stopped_round_is_found_by_what_was_asked_of_whom(database: Database) -> None:
    rounds = Rounds(database)
    began = await rounds.begin(fingerprint="f", by="user:ann", adapter=None)
    await rounds.record(began, golden(1, is_right=False))
    assert (await rounds.find_unfinished("f"), await rounds.find_unfinished("other")) == (began, None)
    assert [one.diagnosis for one in await rounds.find_diagnosed(began)] == [golden(1, is_right=False).diagnosis]
    assert await rounds.begin(fingerprint="f", by="user:ann", adapter=None) > began
    assert await rounds.find_diagnosed(began) == [], "one that begins anew takes its place"


async def test_a_forgotten_persons_question_and_correction_go_with_them(database: Database) -> None:
    found: list[Diagnosed] = []
    for asker, voter in (("user:ann", "user:bo"), ("user:cy", "user:bo"), ("user:cy", "user:dee")):
        answer = await log_answer(database, f"Bikes of {asker}?", [make_passage("x", 1)], "No.")
        await database.execute(b"UPDATE interactions SET asker = %s WHERE id = %s", (asker, answer))
        await vote(database, answer, voter, -1, "Yes, 4.")
        (row,) = await database.fetch_dicts(b"SELECT max(id) AS id FROM feedback")
        diagnosis = Diagnosis(f"answer:{answer}", False, "missing")
        found.append(Diagnosed(diagnosis, "s", "en", None, answer, row["id"]))
    taken = Diagnosed(Diagnosis("golden:1", False, "missing"), "s", "en", "Bikes of user:ann?")
    round_id = await store_round(database, *found, taken)
    await Experiments(database).open(hypothesis=WORDS, change=WORDS, by="user:bo")
    forgetting = build_forgetting(database, ModelServer("http://127.0.0.1:9", "base"), Path("none"))
    await forgetting.forget("user:ann", by="user:admin")
    keys = [one.diagnosis.key for one in found]
    assert [one.diagnosis.key for one in await Rounds(database).find_diagnosed(round_id)] == keys[1:]
    await forgetting.forget("user:bo", by="user:admin")
    assert [one.diagnosis.key for one in await Rounds(database).find_diagnosed(round_id)] == keys[2:]
    assert [one.opened_by for one in await Experiments(database).find_all()] == ["erased"]
    await Rounds(database).record(round_id, found[0])
    assert len(await Rounds(database).find_diagnosed(round_id)) == 1, "what was forgotten meanwhile stays so"


async def test_a_later_round_says_what_was_mended_and_what_broke(database: Database) -> None:
    await store_round(database, golden(1, is_right=False), golden(2, is_right=False), golden(3, is_right=True))
    experiments = Experiments(database)
    opened = await experiments.open(hypothesis=WORDS, change=WORDS, by="user:ann", step="examples")
    with pytest.raises(InvalidInputError, match="examples"):
        await experiments.open(hypothesis=WORDS, change=WORDS, by="user:ann", step="examples")
    assert await experiments.measure(adapter=None) == 0, "the round that it began from is none"
    await store_round(database, golden(1, is_right=True), golden(2, is_right=False), golden(3, is_right=False))
    assert await experiments.measure(adapter=None) == 1
    (one,) = await experiments.find_all()
    assert one.after is not None and one.before["right"] == 1
    # One of two, Wilson: 9 % to 91 %.
    assert one.after == {"source": "advice", "asked": 3, "right": 1, "targets": 2, "mended": 1, "low": 0.0945,
                         "high": 0.9055, "broken": 1}  # fmt: skip
    await experiments.end(opened, "closed")
    with pytest.raises(NotFoundError):
        await experiments.end(opened, "dropped")
    assert [one.state for one in await experiments.find_told(since=NOON - timedelta(days=9999))] == ["closed"]
    assert await experiments.find_told(since=NOON + timedelta(days=9999)) == []


async def test_an_exam_of_the_served_adapter_measures_too(database: Database) -> None:
    await store_round(database, golden(1, is_right=False), golden(2, is_right=True))
    experiments = Experiments(database)
    await experiments.open(hypothesis=WORDS, change=WORDS, by="user:ann")
    cells = {"en": {"found_right": 2, "found_wrong": 0}}
    await Exams(database).record(by="user:ann", adapter="night-1", cells=cells, failed=[])
    assert await experiments.measure(adapter=None) == 0, "another adapter tells nothing of what people get"
    assert await experiments.measure(adapter="night-1") == 1
    (one,) = await experiments.find_all()
    assert one.after and (one.after["source"], one.after["mended"], one.after["broken"]) == ("exam", 1, 0)


def test_an_exam_of_other_questions_measures_nothing() -> None:
    before = {"asked_golden": 2, "wrong": ["golden:1"], "targets": ["golden:1"]}
    exam = Exam(1, NOON, "user:ann", None, {"en": {"found_right": 3, "found_wrong": 0}}, [])
    assert measure_exam(before, exam) is None


@pytest.mark.parametrize(
    ("answer", "is_same"),
    [
        ("Staff have 23 days of leave. [1]", True),
        ("You get 23 days of annual leave.", True),
        ("You get 22 days of annual leave.", False),
        ("The documents do not say.", False),
    ],
)
def test_an_answer_agrees_with_a_correction_by_its_numbers_and_terms(answer: str, is_same: bool) -> None:
    assert agrees(answer, "It is 23 days of annual leave.") == is_same
    assert not agrees(answer, "문서에 나와 있지 않습니다.") or "do not say" in answer


def test_an_asker_reads_no_more_than_then_and_no_more_than_now() -> None:
    then = ["everyone", "user:ann", "group:sales", "!group:board", "source:hr", "audience:7"]
    assert narrow(then, ["everyone", "user:ann", "group:it"]) == ["everyone", "user:ann", "!group:board", "source:hr"]


async def test_disliked_answers_without_a_right_one_are_no_question(database: Database) -> None:
    told = await log_answer(database, "Bikes?", [make_passage("x", 1)], "No.")
    await vote(database, told, "user:bo", -1, "Yes, 4.")
    silent = await log_answer(database, "Cars?", [make_passage("y", 2)], "No.")
    await vote(database, silent, "user:bo", -1)
    liked = await log_answer(database, "Trains?", [make_passage("z", 3)], "No.")
    await vote(database, liked, "user:bo", -1, "Yes.")
    for voter in ("user:cy", "user:dee"):
        await vote(database, liked, voter, 1)
    found = await find_disliked(database, since=NOON - timedelta(days=9999), limit=9)
    assert [(one.interaction_id, one.correction) for one in found] == [(told, "Yes, 4.")]
