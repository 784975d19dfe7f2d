"""Intervals: numbers by hand, and the share of exams in which they hold the truth."""

import math

import numpy as np
import pytest

from learning.exams.bootstrap import (
    NothingMeasuredError,
    draw_weights,
    estimate_difference,
    estimate_mean,
    estimate_statistic,
)


def test_of_two_questions_one_right_every_second_draw_is_a_half() -> None:
    # Draws of two: both wrong 1/4, one of each 1/2, both right 1/4.
    means = draw_weights(2, 4000, seed=1) @ [0.0, 1.0] / 2
    shares = [float((means == value).mean()) for value in (0.0, 0.5, 1.0)]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.02)
    found = estimate_mean([0.0, 1.0])
    assert (found.value, found.low, found.high, found.count) == (0.5, 0.0, 1.0, 2)


def test_the_same_scores_and_seed_give_the_same_interval() -> None:
    scores = [0.1, 0.9, 0.4, 1.0, 0.0, 0.6]
    assert estimate_mean(scores, seed=3) == estimate_mean(scores, seed=3)
    assert draw_weights(6, 5, seed=3).tolist() != draw_weights(6, 5, seed=4).tolist()


def test_five_right_answers_of_five_are_no_certainty() -> None:
    found = estimate_mean([1.0] * 5)
    assert (found.value, found.high) == (1.0, 1.0)
    # Clopper and Pearson: the share of which five of five are right one time in forty.
    assert found.low == pytest.approx(0.025 ** (1 / 5))


def test_two_ways_that_never_differed_may_differ_unseen() -> None:
    found = estimate_difference([1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
    assert found.value == 0.0
    assert (found.low, found.high) == pytest.approx((-(1 - 0.025 ** (1 / 3)), 1 - 0.025 ** (1 / 3)))
    assert not found.is_clear


def test_pairing_sees_a_small_gain_that_the_spread_of_questions_hides() -> None:
    hard = np.linspace(0.0, 0.9, 40)
    better = hard + np.tile([0.02, 0.06], 20)
    gain = estimate_difference(better.tolist(), hard.tolist())
    assert gain.value == pytest.approx(0.04)
    assert gain.is_clear and 0.03 < gain.low < 0.04 < gain.high < 0.05
    assert estimate_mean(better.tolist()).low < hard.mean()


def test_questions_of_one_document_count_as_one() -> None:
    # Ten documents, each with ten questions that stand or fall together.
    scores = [float(document % 2) for document in range(10) for _ in range(10)]
    groups = [document for document in range(10) for _ in range(10)]
    apart, together = estimate_mean(scores), estimate_mean(scores, groups=groups)
    assert (apart.count, together.count) == (100, 10)
    # The spread of a mean falls with the root of what was drawn: here by sqrt(10).
    ratio = (together.high - together.low) / (apart.high - apart.low)
    assert ratio == pytest.approx(math.sqrt(10), rel=0.1)


def test_nineteen_intervals_of_twenty_hold_the_truth() -> None:
    random = np.random.default_rng(7)
    exams = (random.binomial(1, 0.7, size=80).astype(float).tolist() for _ in range(400))
    held = [found.low <= 0.7 <= found.high for found in (estimate_mean(exam, rounds=500) for exam in exams)]
    assert 0.92 <= sum(held) / len(held) <= 0.98


def test_a_number_of_all_questions_leaves_out_draws_in_which_it_has_no_value() -> None:
    def odds(weights: np.ndarray) -> float:
        return float(weights[0] / weights[1]) if weights[1] else math.nan

    found = estimate_statistic(2, odds)
    # What is left: the first is drawn once beside the second, or not at all.
    assert (found.value, found.low, found.high) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("scores", "baseline", "words"),
    [([], [], "at least one"), ([0.5], [0.5, 1.0], "1 and 2"), ([3.0], [0.5], "from 0 to 1"), ([math.nan], [0], "0")],
)
def test_nothing_is_made_up(scores: list[float], baseline: list[float], words: str) -> None:
    with pytest.raises(NothingMeasuredError, match=words):
        estimate_difference(scores, baseline)
