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
    found = estimate_mean([0.1, 0.9])
    assert (found.value, found.low, found.high, found.count) == (0.5, 0.1, 0.9, 2)


def test_the_same_scores_and_seed_give_the_same_interval() -> None:
    scores = [0.1, 0.9, 0.4, 1.0, 0.0, 0.6]
    assert estimate_mean(scores, seed=3) == estimate_mean(scores, seed=3)
    assert draw_weights(6, 5, seed=3).tolist() != draw_weights(6, 5, seed=4).tolist()


def test_five_right_answers_of_five_are_no_certainty() -> None:
    alone = estimate_mean([1.0] * 5)
    # Wilson: 1 / (1 + 1.96 x 1.96 / 5).
    assert (alone.value, alone.low, alone.high) == (1.0, pytest.approx(0.5655, abs=1e-4), 1.0)
    # Of groups, Clopper and Pearson: the share of which five of five are right one time in forty.
    together = estimate_mean([1.0] * 10, groups=[0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
    assert (together.low, together.high) == (pytest.approx(0.025 ** (1 / 5)), 1.0)


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


def test_four_better_answers_and_none_worse_may_be_a_coin() -> None:
    base = [0.0] * 40
    four, six = ([1.0] * count + [0.0] * (40 - count) for count in (4, 6))
    by_four, by_six = estimate_difference(four, base), estimate_difference(six, base)
    # Two of 2 ** 4 tosses are as extreme, and two of 2 ** 6.
    assert by_four.chance == pytest.approx(2 / 16, abs=0.02) and by_six.chance == pytest.approx(2 / 64, abs=0.01)
    assert (by_four.is_clear, by_six.is_clear) == (False, True)


def test_better_and_worse_answers_outweigh_each_other() -> None:
    found = estimate_difference([1.0] * 6 + [0.0] * 3, [0.0] * 6 + [1.0] * 3)
    # Six or more of nine tosses alike: 2 x (84 + 36 + 9 + 1) / 512.
    assert found.value == pytest.approx(3 / 9)
    assert found.chance == pytest.approx(0.508, abs=0.03)


def test_two_equal_ways_are_rarely_told_apart() -> None:
    # One question of ten is answered by luck; the rest alike.
    random = np.random.default_rng(3)
    pairs = ((random.random((2, 60)) < np.where(np.arange(60) < 50, 1.0, 0.5)).astype(float) for _ in range(300))
    clear = [estimate_difference(one.tolist(), other.tolist(), rounds=500).is_clear for one, other in pairs]
    assert sum(clear) / len(clear) <= 0.06


def test_tosses_are_of_groups_where_questions_belong_together() -> None:
    better, groups = [1.0] * 10 + [0.0] * 10, [at // 5 for at in range(20)]
    assert estimate_difference(better, [0.0] * 20).is_clear
    # Two documents of four: one of two tosses is as extreme.
    assert estimate_difference(better, [0.0] * 20, groups=groups).chance == pytest.approx(0.5, abs=0.05)


def test_questions_of_one_document_count_as_one() -> None:
    # Ten documents, each with ten questions that stand or fall together.
    scores = [float(document % 2) for document in range(10) for _ in range(10)]
    groups = [document for document in range(10) for _ in range(10)]
    apart, together = estimate_mean(scores), estimate_mean(scores, groups=groups)
    assert (apart.count, together.count) == (100, 10)
    # The spread of a mean falls with the root of what was drawn: here by sqrt(10).
    ratio = (together.high - together.low) / (apart.high - apart.low)
    assert ratio == pytest.approx(math.sqrt(10), rel=0.1)


def test_a_draw_of_the_longer_document_twice_is_no_more_than_all_right() -> None:
    found = estimate_mean([0.1] + [0.9] * 9, groups=["note", *["handbook"] * 9])
    assert (found.low, found.high, found.count) == (pytest.approx(0.1), pytest.approx(0.9), 2)


@pytest.mark.parametrize(("count", "share"), [(80, 0.7), (20, 0.95), (20, 0.1)])
def test_nineteen_intervals_of_twenty_hold_the_truth(count: int, share: float) -> None:
    random = np.random.default_rng(7)
    # Right or wrong, and the same told in halves, which is drawn.
    for worth in (1.0, 0.5):
        exams = (worth * random.binomial(1, share, size=count) for _ in range(400))
        found = [estimate_mean(exam.tolist(), rounds=500) for exam in exams]
        held = [one.low <= share * worth <= one.high for one in found]
        assert sum(held) / len(held) >= 0.93


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
