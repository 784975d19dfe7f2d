"""The sequential test and the bet, with numbers worked out by hand."""

import math
import random
from itertools import product

import pytest

from learning.sequential import (
    STEP_DOWN,
    STEP_UP,
    bet_against_loss,
    find_bar,
    reach_chance,
    round_horizon,
    run_win_test,
    tail_probability,
)


def test_the_tail_of_a_coin() -> None:
    assert tail_probability(5, 5) == pytest.approx(1 / 32)
    assert tail_probability(4, 5) == pytest.approx(6 / 32)
    assert tail_probability(0, 5) == 1
    assert tail_probability(2, 2, 0.3) == pytest.approx(0.09)
    assert tail_probability(1100, 2000) == pytest.approx(4.2e-6, rel=0.05)


def test_the_chance_to_reach_a_bar_is_that_of_all_sequences() -> None:
    bar, length = 3 * STEP_UP, 7

    def reaches(throws: tuple[bool, ...]) -> bool:
        sums, log_odds = [], 0.0
        for won in throws:
            log_odds += STEP_UP if won else STEP_DOWN
            sums.append(log_odds)
        return max(sums) >= bar - 1e-9

    counted = sum(map(reaches, product((True, False), repeat=length))) / 2**length
    assert reach_chance(bar, length, 0.5) == pytest.approx(counted)


def test_four_judgements_prove_nothing_and_five_wins_of_five_do() -> None:
    # 4 of 4 is one chance in 16, 5 of 5 one in 32.
    assert find_bar(4, 0.05) == math.inf
    assert run_win_test([True] * 5, 0.05).side == "better"
    assert run_win_test([True] * 4 + [False], 0.05).side is None


def test_a_bar_is_never_that_of_fewer_judgements() -> None:
    assert all(round_horizon(count) >= count for count in range(1, 2000))
    assert find_bar(25, 0.05) < find_bar(100, 0.05) < find_bar(1000, 0.05) < math.log(20)


def test_the_first_bar_counts_and_what_comes_after_does_not() -> None:
    test = run_win_test([False] * 8 + [True] * 92, 0.05)
    # 0.8^7 = 0.2097 and 0.8^8 = 0.168, the floor is 0.2 / 0.95 = 0.2105.
    assert (test.side, test.used) == ("no_better", 7)


def test_a_look_after_every_judgement_ships_a_coin_in_at_most_one_night_of_twenty() -> None:
    assert all(reach_chance(find_bar(size, 0.05), size, 0.5) <= 0.05 for size in (25, 60, 130, 300))


def test_no_evidence_against_a_loss_without_answers() -> None:
    assert bet_against_loss([], 0.15) == 1.0


def test_answers_that_stay_the_same_rule_out_a_loss_in_the_end() -> None:
    assert bet_against_loss([0.0] * 10, 0.15) < 20 <= bet_against_loss([0.0] * 32, 0.15)


def test_a_rare_great_loss_is_rarely_taken_for_none() -> None:
    # Three answers of twenty lose everything: a mean loss of 0.15, which a t test accepts in 12 % of such nights.
    coin = random.Random(3)
    nights = [[-1.0 if coin.random() < 0.15 else 0.0 for _ in range(100)] for _ in range(2000)]
    # Three standard deviations above the level.
    assert sum(bet_against_loss(night, 0.15) >= 20 for night in nights) / 2000 <= 0.05 + 3 * 0.0049
