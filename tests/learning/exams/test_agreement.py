"""Judges against people, by hand."""

import random

import pytest

from learning.exams.agreement import estimate_kappa, find_kappa, measure_judge
from learning.exams.bootstrap import NothingMeasuredError

# Cohen's classic: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no.
TABLE = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15


def test_kappa_takes_chance_off() -> None:
    # Same 35 of 50; by chance 0.5 x 0.6 + 0.5 x 0.4 = 0.5.
    assert find_kappa(TABLE) == pytest.approx((0.7 - 0.5) / 0.5)


def test_kappa_of_three_words() -> None:
    # Same 3 of 4; by chance 1/4 x 2/4 + 2/4 x 1/4 + 1/4 x 1/4 = 5/16.
    assert find_kappa([(1, 1), (2, 2), (2, 1), (3, 3)]) == pytest.approx((12 / 16 - 5 / 16) / (11 / 16))


def test_kappas_interval_is_that_of_the_formula() -> None:
    found = estimate_kappa(TABLE)
    # Standard error for large samples: sqrt(0.7 x 0.3 / 50) / 0.5 = 0.1296.
    assert found is not None and found.value == pytest.approx(0.4)
    assert (found.low, found.high) == pytest.approx((0.4 - 1.96 * 0.1296, 0.4 + 1.96 * 0.1296), abs=0.04)


def test_a_judge_that_throws_a_coin_agrees_by_chance() -> None:
    coin = random.Random(2)
    people = [coin.random() < 0.8 for _ in range(300)]
    found = measure_judge([coin.random() < 0.8 for _ in people], people)
    assert found.same is not None and found.kappa is not None
    # It looks well by its share, for most items are good.
    assert found.same.value > 0.6
    assert found.kappa.low < 0 < found.kappa.high


def test_a_judge_that_always_says_yes_is_worth_nothing() -> None:
    found = measure_judge([True] * 10, [True] * 9 + [False])
    assert found.same is not None and found.same.value == 0.9
    assert found.kappa is not None and found.kappa.value == 0.0


def test_kappa_has_no_value_where_nothing_differs() -> None:
    found = measure_judge([True] * 5, [True] * 5)
    assert found.same is not None and found.same.value == 1.0 and found.same.low < 0.6
    assert found.kappa is None
    assert find_kappa([]) is None


def test_items_without_a_word_of_both_are_told_and_left_out() -> None:
    found = measure_judge(["A", None, "B", "A"], ["A", "B", "A", None])
    assert (found.items, found.decided) == (3, 2 / 3)
    assert found.same is not None and (found.same.value, found.same.count) == (0.5, 2)
    silent = measure_judge([None], ["A"])
    assert (silent.decided, silent.same, silent.kappa) == (0.0, None, None)


def test_without_people_there_is_nothing_to_agree_with() -> None:
    with pytest.raises(NothingMeasuredError, match="review some first"):
        measure_judge(["A"], [None])
    with pytest.raises(NothingMeasuredError, match="1 and 2"):
        measure_judge(["A"], ["A", "B"])
