"""Votes of several people as one judgement."""

import pytest

from learning.labels import build_labels, combine_votes
from tests.learning.making import make_answer, make_vote

ANSWER = make_answer(1, "23 days. [1]")


@pytest.mark.parametrize(
    ("values", "value", "weight"),
    [([1], 1, 2 / 3), ([-1, -1], -1, 3 / 4), ([1, 1, 1, -1], 1, 4 / 6)],
)
def test_a_majority_of_three_quarters_is_a_judgement(values: list[int], value: int, weight: float) -> None:
    votes = [make_vote(at, 1, f"p{at}", one) for at, one in enumerate(values)]  # type: ignore[arg-type]
    judgement, _ = combine_votes(ANSWER, votes)
    assert judgement and (judgement.value, judgement.weight) == (value, pytest.approx(weight))


def test_two_against_one_is_no_judgement() -> None:
    votes = [make_vote(1, 1, "a", 1), make_vote(2, 1, "b", 1), make_vote(3, 1, "c", -1)]
    labels = build_labels(votes, {1: ANSWER})
    assert (labels.judgements, labels.dropped) == ([], dict.fromkeys((1, 2, 3), "disagreement"))


def test_the_outvoted_are_dropped_and_not_behind_the_judgement() -> None:
    votes = [make_vote(at, 1, f"p{at}", 1) for at in (1, 2, 3)] + [make_vote(4, 1, "d", -1)]
    labels = build_labels(votes, {1: ANSWER})
    assert [vote.feedback_id for vote in labels.judgements[0].votes] == [1, 2, 3]
    assert labels.dropped == {4: "disagreement"}


def test_a_taken_back_vote_and_an_unanswered_question_are_dropped_with_their_reason() -> None:
    labels = build_labels([make_vote(1, 1, "a", 0), make_vote(2, 2, "a", 1)], {1: ANSWER})
    assert labels.dropped == {1: "withdrawn", 2: "no_answer"}
