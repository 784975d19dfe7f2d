"""Each check refuses what it is for, and only that: the drafts pass where nothing is changed."""

from typing import Any

import pytest

from core.prompt import REFUSALS
from learning.exercises.checks import find_fault
from learning.exercises.draft import Draft
from learning.exercises.seen import Seen
from tests.learning.exercises.making import FERRY, make_choice, make_draft, make_related

NEGATIVES = (make_related("Bicycles are kept in the shed."), make_related("Cars wait at the gate.", document=3))

ALLOWANCE = 'According to "Trips", what is the daily allowance for region "{}"?'


def judge(draft: Draft, *, items: Seen | None = None, exam: Seen | None = None) -> str | None:
    return find_fault(draft, items=items or Seen(), exam=exam or Seen())


@pytest.mark.parametrize("draft", [make_draft(), make_choice(), make_draft(kind="rag", negatives=NEGATIVES)])
def test_a_good_draft_has_no_fault(draft: Draft) -> None:
    assert judge(draft) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"question": "When does it leave according to this passage?"}, "form"),
        ({"answer": ""}, "form"),
        ({"question": "배는 언제 떠나나요?"}, "language"),
        ({"clue": f"{FERRY} Call Ann at 010-1234-5678."}, "private"),
        ({"question": "Is it right that it leaves at 07:50?"}, "leaks"),
        ({"answer": "It leaves at 09:50."}, "unsupported"),
        ({"kind": "rag", "negatives": NEGATIVES[:1]}, "few_negatives"),
        ({"kind": "rag", "negatives": (NEGATIVES[0], make_related("It sails 07:50."))}, "negative_answers"),
        ({"kind": "unanswerable", "negatives": NEGATIVES}, "form"),
    ],
)
def test_an_open_question_fails_by_its_fault(changes: dict[str, Any], reason: str) -> None:
    assert judge(make_draft(**changes)) == reason


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("at 07:30", "at 07:50", "at 08:10"), "form"),
        (("at 07:30", "at 07:50", "at 08:10", "none of the above"), "form"),
        (("at 07:30", "at 07:50", "at 08:10", "At 08:10!"), "two_right"),
        (("at 07:30", "at 07:50", "at 08:10", "at 07:50 sharp"), "two_right"),
        (("at 07:30", "at 07:50", "at 08:10", "the ferry"), "distractor_true"),
        (("at 7", "at 07:50", "at 8", "at noon, or when the fog has lifted"), None),
        (("at noon, if it is dry", "at 07:50", "at ten, if it is dry", "at nine, if it is dry"), "guessable_length"),
    ],
)
def test_a_four_choice_item_fails_by_its_options(options: tuple[str, ...], reason: str | None) -> None:
    assert judge(make_choice(options=options)) == reason


def test_the_same_question_again_is_a_duplicate_and_another_row_of_a_table_is_none() -> None:
    items = Seen()
    items.add('What is the daily allowance for the region "Japan"? (Trips)', "71 dollars")
    clue = "Japan: 71 dollars. Europe: 83 dollars."
    again = make_draft(question=ALLOWANCE.format("Japan"), answer="71 dollars", clue=clue)
    other = make_draft(question=ALLOWANCE.format("Europe"), answer="83 dollars", clue=clue)
    assert (judge(again, items=items), judge(other, items=items)) == ("duplicate", None)


def test_a_question_of_the_exam_is_never_trained_on() -> None:
    exam = Seen()
    exam.add("When does the ferry leave, please?", "At 07:50.")
    exam.add("How many bicycles does the ferry carry?", "Eight.")
    assert judge(make_draft(question="When does the ferry leave?"), exam=exam) == "exam"


def test_questions_that_differ_in_a_number_are_different() -> None:
    items = Seen()
    items.add("What does level 3 earn?", "300 won")
    assert not items.holds("What does level 4 earn?", "300 won")


def test_refusals_to_different_questions_are_different_items() -> None:
    items = Seen()
    items.add(ALLOWANCE.format("Japan"), REFUSALS["en"])
    assert not items.holds(ALLOWANCE.format("Europe"), REFUSALS["en"])
