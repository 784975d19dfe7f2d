"""Break-even: worked out by hand from the defaults, 20 saved, 40 for a person, 1000 at 5 % for somebody's trust."""

import pytest

from learning.break_even import (
    Accuracy,
    Figures,
    Gain,
    count_more,
    find_needed,
    judge,
    sum_spending,
    value_answer,
)
from learning.evaluate import wilson_interval

FIGURES = Figures()


def test_a_wrong_answer_costs_a_persons_answer_and_its_share_of_lost_trust() -> None:
    assert FIGURES.wrong == 40 + 1000 * 0.05 == 90


def test_right_answers_pay_for_wrong_ones_at_nine_in_eleven() -> None:
    assert find_needed(FIGURES) == pytest.approx(90 / 110)
    assert value_answer(90 / 110, FIGURES) == pytest.approx(0)
    assert value_answer(1.0, FIGURES) == 20
    assert value_answer(0.5, FIGURES) == -35


def test_where_nothing_is_at_stake_anything_is_good_enough() -> None:
    nothing = Figures(saved=0, human_answer=0, lost_trust=0)
    assert (find_needed(nothing), judge(Accuracy(0, 10, "golden"), nothing).state) == (0, "good")


@pytest.mark.parametrize(("right", "count", "state"), [(97, 100, "good"), (60, 100, "not_yet"), (41, 50, "unknown")])
def test_it_is_good_enough_only_where_the_whole_interval_is(right: int, count: int, state: str) -> None:
    found = judge(Accuracy(right, count, "golden"), FIGURES)
    assert found.state == state
    assert found.low <= right / count <= found.high
    assert found.value == pytest.approx(right / count * 110 - 90)


def test_without_a_judged_answer_nothing_is_claimed() -> None:
    for accuracy in (None, Accuracy(0, 0, "votes")):
        found = judge(accuracy, FIGURES)
        assert (found.state, found.share, found.value, found.more) == ("unknown", None, None, None)


def test_so_many_more_answers_decide_and_one_less_does_not() -> None:
    # 0.9 against 0.5: 1.96² * 0.25 / 0.16 = 6.002, so seven in all.
    assert count_more(0.9, 0, 0.5) == 7
    share, needed = 0.9, find_needed(FIGURES)
    wanted = count_more(share, 10, needed)
    assert wanted is not None
    assert wilson_interval(share, 10 + wanted)[0] >= needed > wilson_interval(share, 9 + wanted)[0]
    assert count_more(0.5, 10, 0.5) is None


def test_a_night_that_came_to_nothing_is_paid_for_by_those_that_were_served() -> None:
    figures = Figures(hour=3.0, watts=500)
    spent = sum_spending([3600, 1800, 1800], [Gain(6, 9, 12, 400)], figures)
    assert (spent.nights, spent.hours, spent.accepted) == (3, 2.0, 1)
    assert (spent.cost, spent.cost_each, spent.hours_each, spent.energy_kwh) == (6.0, 6.0, 2.0, 1.0)
    # A quarter more of 400 answers, each worth 110, over two hours.
    assert spent.returned == pytest.approx(0.25 * 400 * 110 / 2)
    assert spent.returned_low is not None and spent.returned_high is not None
    assert spent.returned_low < 0 < spent.returned < spent.returned_high, "twelve questions prove little"


def test_what_was_not_measured_and_what_has_no_price_is_not_made_up() -> None:
    spent = sum_spending([3600], [Gain(0, 0, 0, 400)], FIGURES)
    assert (spent.returned, spent.cost, spent.cost_each, spent.energy_kwh) == (None, None, None, None)
    nothing = sum_spending([], [], Figures(hour=3.0))
    assert (nothing.hours, nothing.cost, nothing.cost_each, nothing.hours_each) == (0, 0, None, None)
