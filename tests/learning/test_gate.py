"""The gate's decisions, with numbers worked out by hand."""

import random
from dataclasses import replace
from math import comb

import pytest

from learning.gate import Evidence, Limits, decide, find_needed_wins, tail_probability

GOOD = Evidence(wins=16, losses=4, grounded=0.9, reference_grounded=0.9, proven=True)
LIMITS = Limits(min_decisive=20)


def test_the_tail_of_the_fair_coin_is_exact() -> None:
    assert tail_probability(5, 5) == 1 / 32
    assert tail_probability(4, 5) == 6 / 32
    assert tail_probability(0, 5) == 1


def test_of_twenty_decisive_pairs_fifteen_must_be_won() -> None:
    # 15 or more of 20 fair throws: 21700 / 2^20 = 2.07 %; 14 or more: 60460 / 2^20 = 5.77 %.
    assert sum(comb(20, k) for k in range(15, 21)) == 21700
    assert find_needed_wins(20, 0.05) == 15


def test_four_pairs_are_never_significant() -> None:
    assert find_needed_wins(4, 0.05) == 5


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({}, "promote", "better"),
        ({"wins": 14, "losses": 6}, "refuse", "not_proven_better"),
        ({"wins": 4, "losses": 16}, "refuse", "worse"),
        ({"wins": 12, "losses": 2}, "abstain", "not_enough_evidence"),
        ({"grounded": 0.84}, "refuse", "less_grounded"),
        ({"grounded": 0.85}, "promote", "better"),
        ({"grounded": None}, "abstain", "not_served"),
        ({"proven": None}, "abstain", "not_served"),
        ({"proven": False}, "refuse", "not_the_trained_model"),
    ],
)
def test_verdicts(changes: dict, verdict: str, reason: str) -> None:
    decision = decide(replace(GOOD, **changes), LIMITS)
    assert (decision.verdict, decision.reason) == (verdict, reason)


def test_a_decision_carries_every_number_with_its_limit() -> None:
    checks = {check.name: (check.value, check.limit) for check in decide(GOOD, LIMITS).checks}
    # 16 or more of 20: 6196 / 2^20
    assert checks["p_value"] == (6196 / 2**20, 0.05)
    assert checks["wins"] == (16, 15)
    assert decide(GOOD, LIMITS).false_promotion_rate == 21700 / 2**20


def test_an_equal_adapter_is_promoted_in_at_most_one_night_of_twenty() -> None:
    coin = random.Random(7)
    nights = 4000
    promoted = 0
    for _ in range(nights):
        wins = sum(coin.random() < 0.5 for _ in range(60))
        promoted += decide(replace(GOOD, wins=wins, losses=60 - wins), LIMITS).verdict == "promote"
    # The exact rate is 4.6 % (37 of 60); three standard deviations above the level are 0.05 + 3 * 0.0034.
    assert promoted / nights < 0.06
