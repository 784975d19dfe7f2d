"""Pairs of exercises: what is surely wrong, how many a night takes, and what is sampled once."""

from dataclasses import replace

import pytest

from core.prompt import REFUSALS
from learning.exercise_pairs import build_distractor_pairs, choose_count, is_wrong, make_exercise_pair, spread
from learning.permission import may_train
from tests.learning.test_mix import make_lesson

RAG = make_lesson(1, answer="Employees have 23 days of leave. [2]", wrong=("They have 30 days. [1]",))
NONE = make_lesson(2, "unanswerable", answer=REFUSALS["en"])
CHOICE = make_lesson(3, "four_choice", answer="B", wrong=("A", "C", "D"))


@pytest.mark.parametrize(
    ("lesson", "answer", "wrong"),
    [
        (RAG, "Employees have 23 days of leave. [2]", False),
        (RAG, "It is 23 days. [2]", False),
        (RAG, "The ferry leaves at the harbour. [1]", True),
        (RAG, REFUSALS["en"], True),
        (RAG, "", False),
        (NONE, REFUSALS["en"], False),
        (NONE, "It is 9 metres. [1]", True),
        (CHOICE, "B", False),
        (CHOICE, "C) at noon", True),
        # A word that begins with a letter of an option chooses none.
        (CHOICE, "Certainly the second one", False),
    ],
)
def test_only_what_is_surely_wrong_is_rejected(lesson: object, answer: str, wrong: bool) -> None:
    assert is_wrong(answer, lesson) == wrong  # type: ignore[arg-type]


def test_a_wrong_option_stands_against_the_right_one_in_the_exercises_own_prompt() -> None:
    (pair,) = build_distractor_pairs([replace(CHOICE, access=(("group:crew",),)), NONE])
    assert (pair.prompt, pair.chosen, pair.origin, pair.voters) == (CHOICE.prompt, "B", "exercise_distractor", ())
    assert pair.rejected in ("A", "C", "D") and pair.why[0] == "exercise:3"
    # The rule of who may be trained is that of all pairs.
    assert not may_train(pair.access, ()) and may_train(pair.access, (), "group:crew")


@pytest.mark.parametrize(("people", "count"), [(0, 200), (50, 150), (160, 40), (200, 50), (1000, 250)])
def test_exercises_fill_a_night_while_people_are_few(people: int, count: int) -> None:
    assert choose_count(people, 200, 0.25) == count
    assert choose_count(people, 0, 0.25) == 0


def test_what_the_model_got_wrong_goes_first_and_an_exercise_makes_one_pair() -> None:
    sampled = [make_exercise_pair(RAG, "The ferry. [1]", "exercise_sampled")]
    built = build_distractor_pairs([RAG, CHOICE])
    kept = spread({"exercise_sampled": sampled, "exercise_distractor": built}, 5)
    assert [(pair.origin, pair.why[0]) for pair in kept] == [
        ("exercise_sampled", "exercise:1"),
        ("exercise_distractor", "exercise:3"),
    ]
    assert len(spread({"exercise_distractor": built}, 1)) == 1
