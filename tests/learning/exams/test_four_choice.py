"""Four-choice scores: who knows, who guesses and who likes a letter."""

import random

import pytest

from learning.exams.bootstrap import Estimate, NothingMeasuredError
from learning.exams.four_choice import (
    Choice,
    Likelihood,
    build_orders,
    choose_likeliest,
    correct_for_chance,
    measure_places,
    read_letter,
    score_exam,
    score_items,
)


def ask(item: str, right: int, choose) -> list[Choice]:
    """All orders of an item whose right option is `right`, answered by `choose(order, place of the right one)`."""
    return [Choice(item, order, order.index(right), choose(order, order.index(right))) for order in build_orders(item)]


def test_every_option_stands_in_every_place_once() -> None:
    orders = build_orders("what is a day off?")
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert all(sorted(order[place] for order in orders) == [0, 1, 2, 3] for place in range(4))
    assert build_orders("what is a day off?") == orders
    assert len({build_orders(f"item {at}")[0] for at in range(40)}) == 4


def test_a_sum_prefers_the_short_option_and_a_mean_does_not() -> None:
    short, long = Likelihood(-4.0, tokens=2, characters=5), Likelihood(-6.0, tokens=6, characters=10)
    assert choose_likeliest([short, long]) == 0
    # -2 against -1 a token, -0.8 against -0.6 a character.
    assert choose_likeliest([short, long], length="tokens") == 1
    assert choose_likeliest([short, long], length="characters") == 1


def test_equally_likely_options_are_no_choice() -> None:
    assert choose_likeliest([Likelihood(-1.0, 1, 1), Likelihood(-1.0, 1, 1), Likelihood(-3.0, 1, 1)]) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("B", 1),
        (" b)", 1),
        ("**C**", 2),
        ("(D) 54 dollars", 3),
        ("A. first", 0),
        ("B번입니다.", 1),
        ("B입니다", 1),
        ("정답은 C입니다. A는 틀립니다.", 2),
        ("정답: D", 3),
        ("A good answer is C", 2),
        ("The correct answer is **B**, as gate A is shut.", 1),
        ("It must be D because of the rule", 3),
        ("B, because the form says so", 1),
        ("A or B", None),
        ("A, B or D", None),
        ("A) 54 dollars\nB) 60 dollars", None),
        ("A) 54 dollars\nB) 60 dollars\nAnswer: B", 1),
        ("A red badge belongs to an employee", None),
        ("A is right", 0),
        ("54 dollars", None),
        ("", None),
        ("The documents do not say.", None),
        ("Don't know, DNA", None),
    ],
)
def test_a_letter_is_read_or_not_guessed(text: str, place: int | None) -> None:
    assert read_letter(text) == place


def test_who_always_says_a_is_as_good_as_chance() -> None:
    choices = [choice for at in range(20) for choice in ask(f"item {at}", at % 4, lambda order, right: 0)]
    found = score_exam(choices)
    assert found.right.value == 0.25
    assert (found.above_chance.value, found.every_order.value) == (0.0, 0.0)
    assert found.places.chosen == (1.0, 0.0, 0.0, 0.0)
    assert found.places.right == (1.0, 0.0, 0.0, 0.0)
    assert (found.places.spread, found.places.steady, found.places.unread) == (1.0, 0.0, 0.0)


def test_who_knows_half_of_it_has_half_of_it_above_nothing() -> None:
    knows = [choice for at in range(10) for choice in ask(f"known {at}", 2, lambda order, right: right)]
    silent = [choice for at in range(10) for choice in ask(f"unknown {at}", 2, lambda order, right: None)]
    found = score_exam(knows + silent)
    assert (found.right.value, found.every_order.value, found.right.count) == (0.5, 0.5, 20)
    assert found.above_chance.value == pytest.approx(1 / 3)
    assert (found.places.steady, found.places.unread, found.places.spread) == (0.5, 0.5, 0.0)


def test_a_steady_mistake_is_steady_and_wrong() -> None:
    choices = ask("item", 2, lambda order, right: order.index(0))
    assert measure_places(choices).steady == 1.0
    assert score_items(choices) == {"item": 0.0}


def test_the_interval_of_who_guesses_holds_chance() -> None:
    dice = random.Random(5)
    choices = [c for at in range(200) for c in ask(f"item {at}", at % 4, lambda order, right: dice.randrange(4))]
    found = score_exam(choices).above_chance
    assert found.low < 0 < found.high
    # Four answers an item are not four items: the deviation of a share of 4 is sqrt(3) / 8, of 200 such 0.0153.
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.0153 / 0.75, rel=0.2)


def test_chance_is_taken_off_the_interval_too() -> None:
    found = correct_for_chance(Estimate(0.7, 0.25, 1.0, 9))
    assert (found.value, found.low, found.high, found.count) == (pytest.approx(0.6), 0.0, 1.0, 9)


def test_items_of_one_document_count_together() -> None:
    choices = [c for at in range(8) for c in ask(str(at), 0, lambda order, right, at=at: right if at < 4 else None)]
    documents = {str(at): "handbook" if at < 4 else "fees" for at in range(8)}
    assert score_exam(choices, groups=documents).right.count == 2


def test_an_item_that_was_asked_less_often_is_refused() -> None:
    choices = ask("one", 0, lambda order, right: right) + ask("two", 0, lambda order, right: right)[:3]
    for broken in (choices, [], [*choices, choices[-1]]):
        with pytest.raises(NothingMeasuredError):
            score_items(broken)
