"""Reliability of raters, by hand."""

import pytest

from learning.reliability import choose_weights, estimate_reliability, to_chance, to_evidence


def test_one_turn_of_the_estimator() -> None:
    # Two against one at 0.8 each: the evidence is ln 4, so the answer is good by 0.8.
    votes = [(1, "a", 1), (1, "b", 1), (1, "c", -1)]
    found = estimate_reliability(votes, iterations=1)
    assert found == pytest.approx({"a": (4 + 0.8) / 6, "b": (4 + 0.8) / 6, "c": (4 + 0.2) / 6})


def test_a_second_turn_believes_those_who_agreed_a_little_less_doubtingly() -> None:
    # Evidence 2 ln(0.8 / 0.2) - ln(0.7 / 0.3) = 1.9253; the answer is good by 0.8727.
    votes = [(1, "a", 1), (1, "b", 1), (1, "c", -1)]
    found = estimate_reliability(votes, iterations=2)
    assert found == pytest.approx({"a": 4.8727 / 6, "b": 4.8727 / 6, "c": 4.1273 / 6}, abs=1e-4)


def test_a_vote_that_nobody_else_gave_says_nothing_of_its_rater() -> None:
    assert estimate_reliability([(1, "a", 1), (2, "a", -1)]) == {}


def test_a_rater_against_all_others_falls_and_is_never_turned_round() -> None:
    votes = [
        (answer, rater, -1 if rater == "troll" else 1) for answer in range(40) for rater in ("a", "b", "c", "troll")
    ]
    found = estimate_reliability(votes)
    assert (found["troll"], found["a"]) == (0.55, 0.95)


def test_the_order_of_votes_changes_nothing() -> None:
    votes = [(answer, rater, (-1) ** (answer // (at + 1))) for answer in range(30) for at, rater in enumerate("abc")]
    assert estimate_reliability(votes) == estimate_reliability(reversed(votes))


def test_a_person_weighs_as_much_as_the_heaviest_group() -> None:
    memberships = [("ann", "group:hr"), ("ann", "group:leads"), ("bo", "group:hr")]
    weights = choose_weights(memberships, {"group:hr": 3.0, "group:leads": 2.0, "bo": 5.0})
    assert (weights["ann"], weights["bo"]) == (3.0, 5.0)


@pytest.mark.parametrize("chance", [0.05, 0.5, 0.8])
def test_evidence_and_chance_are_each_others_inverse(chance: float) -> None:
    assert to_chance(to_evidence(chance)) == pytest.approx(chance)
