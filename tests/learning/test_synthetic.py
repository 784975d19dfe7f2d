"""Pairs with a side that nobody judged."""

from learning.labels import Answer
from learning.synthetic import build_distractors, build_faithful, find_distractor
from tests.learning.making import NOON, judge, make_answer, make_vote

OWN = {
    "number": 1, "chunk_id": 7, "title": "Leave", "heading_path": "", "text": "Annual leave is 23 days a year.",
    "allow": ["everyone"],
}  # fmt: skip
BESIDE = OWN | {"number": 2, "chunk_id": 8, "text": "Interns get 11 days of leave."}


def liked_answer(**changes: object) -> Answer:
    return make_answer(1, "Annual leave is 23 days a year. [1]", passages=[OWN, BESIDE], **changes)


def test_a_liked_answer_is_chosen_over_the_passage_beside_its_own() -> None:
    pair = build_distractors([judge(liked_answer(), make_vote(1, 1, "a", 1))], most=1)[0]
    assert (pair.origin, pair.rejected) == ("distractor", "Interns get 11 days of leave. [2]")
    assert (pair.chosen, pair.voters) == ("Annual leave is 23 days a year. [1]", ("a",))


def test_a_passage_that_carries_the_answer_too_does_not_distract() -> None:
    same = OWN | {"number": 2, "chunk_id": 9}
    assert find_distractor(make_answer(1, "Annual leave is 23 days a year. [1]", passages=[OWN, same])) is None


def test_a_passage_about_something_else_does_not_distract() -> None:
    far = BESIDE | {"text": "The canteen opens at noon."}
    assert find_distractor(make_answer(1, "Annual leave is 23 days a year. [1]", passages=[OWN, far])) is None


def test_no_more_distractors_than_asked_for() -> None:
    liked = [judge(liked_answer(), make_vote(1, 1, "a", 1))] * 3
    assert (len(build_distractors(liked, most=2)), build_distractors(liked, most=0)) == (2, [])


def test_a_quotation_is_chosen_over_the_unsupported_text_that_it_replaced() -> None:
    quoted = make_answer(1, "Annual leave is 23 days a year. [1]", generated="You get 40 days.", mode="quoted")
    pair = build_faithful([quoted], most=1)[0]
    assert (pair.origin, pair.rejected, pair.voters, pair.feedback_ids) == ("faithful", "You get 40 days.", (), ())


def test_a_replaced_text_that_its_passages_carry_is_no_unfaithful_side() -> None:
    quoted = make_answer(1, "Annual leave is 23 days a year. [1]", generated="Leave is 23 days.", mode="quoted")
    assert build_faithful([quoted], most=1) == []


def test_a_pair_without_a_vote_is_as_old_as_its_answer() -> None:
    quoted = make_answer(
        1, "Annual leave is 23 days a year. [1]", generated="You get 40 days.", mode="quoted", finished_at=NOON
    )
    assert build_faithful([quoted], most=1)[0].given_at == NOON
