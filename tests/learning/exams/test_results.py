"""From answers to numbers, worked out by hand."""

import json

import pytest

from learning.exams.comparison import read_comparison
from learning.exams.four_choice import Choice, build_orders
from learning.exams.results import (
    Answers,
    OpenAnswer,
    compare_all,
    estimate_quantile,
    measure_all,
    name_measure,
)
from learning.judges import Verdict


def sit(item: str, right: int) -> list[Choice]:
    """An item right in so many of its four orders."""
    orders = build_orders(item)
    return [Choice(item, order, order.index(0), order.index(int(at >= right))) for at, order in enumerate(orders)]


def say(question: str, answer: str, *, is_right: bool, seconds: float = 1.0, **changes: object) -> OpenAnswer:
    values: dict[str, object] = {"reference": "It is 23 days.", "seconds": seconds, "prompt_tokens": 100}
    return OpenAnswer(question, "en", f"of {question}", answer, is_right=is_right, **(values | changes))


def make_exam_answers() -> Answers:
    answers = Answers(items={"a": "one", "b": "two"})
    answers.choices["generation"] = {"rag": [*sit("a", 4), *sit("b", 2)], "base": [*sit("a", 1), *sit("b", 1)]}
    answers.open = {
        "base": [say("q1", "No idea.", is_right=False), say("q2", "It is 23 days.", is_right=True)],
        "rag": [
            say("q1", "It is 23 days.", is_right=True, cell="found_right", seconds=3.0),
            say("q2", "It is 23 days.", is_right=True, cell="missed_right", prompt_tokens=None),
        ],
    }
    answers.verdicts = {"clear": {"rag": [Verdict(True, "geval"), Verdict(None, "first")]}}
    answers.grades = {"clear": {"base": {"q1": 0.0, "q2": 0.5}, "rag": {"q1": 1.0}}}
    answers.judged = {"accepted texts": ([True, False, True], [True, True, True])}
    answers.needles = {"rag": [True, False]}
    return answers


def test_every_measure_is_a_table_of_ways_in_their_order() -> None:
    tables = {table.measure: table for table in compare_all(make_exam_answers())}
    assert list(tables) == ["four-choice, by letter", "golden questions right", "ROUGE-L, English", "G-Eval, clear"]
    letter = tables["four-choice, by letter"]
    assert [(row.way, row.score.value) for row in letter.rows] == [("base", 0.25), ("rag", 0.75)]
    assert letter.rows[1].gain is not None and letter.rows[1].gain.value == pytest.approx(0.5)
    assert [row.score.value for row in tables["golden questions right"].rows] == [0.5, 1.0]
    assert [row.score.value for row in tables["ROUGE-L, English"].rows] == [0.5, 1.0]
    assert (tables["G-Eval, clear"].questions, tables["G-Eval, clear"].left_out) == (1, 1)


def test_numbers_stand_as_json_without_a_word_of_an_answer() -> None:
    found = measure_all(make_exam_answers())
    text = json.dumps(found, allow_nan=False)
    assert "23 days" not in text and "idea" not in text
    assert found["golden"]["rag"]["cells"] == {"found_right": 1, "missed_right": 1}
    assert found["four_choice"]["generation"]["rag"]["above_chance"]["value"] == pytest.approx(2 / 3)
    assert (found["duels"]["clear"]["rag"]["wins"], found["duels"]["clear"]["rag"]["survived"]) == (1, 0.5)
    assert found["speed"]["rag"]["most"]["value"] == 3.0
    assert found["speed"]["rag"]["prompt_tokens"]["value"] == 100
    assert found["needle"]["rag"]["value"] == 0.5
    assert found["agreement"]["accepted texts"]["same"]["value"] == pytest.approx(2 / 3)
    assert found["bleu"]["en"]["rag"]["score"]["value"] == pytest.approx(100)


def test_a_stored_run_gives_back_its_tables() -> None:
    stored = json.loads(json.dumps(measure_all(make_exam_answers())))["comparisons"]
    assert [read_comparison(one) for one in stored] == compare_all(make_exam_answers())


def test_a_stored_measure_has_its_name_in_both_languages() -> None:
    stored = [one.measure for one in compare_all(make_exam_answers())]
    assert [name_measure(one, "en") for one in stored] == stored
    assert [name_measure(one, "ko") for one in stored] == [
        one.measure for one in compare_all(make_exam_answers(), "ko")
    ]


def test_one_way_alone_is_a_table_without_a_gain() -> None:
    answers = make_exam_answers()
    answers.open = {"rag": answers.open["rag"]}
    table = next(one for one in compare_all(answers) if one.measure == "golden questions right")
    assert [(row.way, row.gain) for row in table.rows] == [("rag", None)]
    assert measure_all(Answers())["comparisons"] == []


def test_half_and_most_of_ten_seconds() -> None:
    seconds = [float(number) for number in range(1, 11)]
    assert (estimate_quantile(seconds, 0.5).value, estimate_quantile(seconds, 0.95).value) == (5.0, 10.0)
    half = estimate_quantile(seconds, 0.5)
    assert 1 <= half.low <= 5 <= half.high <= 10
