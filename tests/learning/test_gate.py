"""The gate's decisions, with numbers worked out by hand."""

import json
from dataclasses import replace
from typing import Any

import pytest

from learning.gate import Evidence, Limits, Outcome, Tally, decide, to_record

LIMITS = Limits()
SAFE = (Tally("secrets", 4, 4, 4), Tally("names", 5, 5, 6))


def outcomes(pattern: str, *slices: str) -> tuple[Outcome, ...]:
    """`+` is a win, `-` a loss, `=` a tie."""
    return tuple(Outcome({"+": True, "-": False, "=": None}[sign], slices) for sign in pattern)


# Two wins, one loss, and so on: a win rate of two thirds.
GOOD = Evidence(outcomes("++-" * 30), grounded=(0.0,) * 40, tallies=SAFE, proven=True)


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({}, "promote", "better"),
        ({"outcomes": outcomes("+-" * 30)}, "abstain", "not_enough_evidence"),
        ({"outcomes": outcomes("+--" * 5 + "+-" * 60)}, "refuse", "not_proven_better"),
        ({"outcomes": outcomes("+--" * 30)}, "refuse", "worse"),
        ({"outcomes": outcomes("+" * 19 + "=" * 50)}, "abstain", "not_enough_evidence"),
        ({"grounded": (-0.5,) * 20}, "refuse", "less_grounded"),
        ({"grounded": (0.0,) * 10}, "abstain", "groundedness_unproven"),
        ({"grounded": ()}, "abstain", "not_served"),
        ({"answers": outcomes("-" * 12 + "+++")}, "refuse", "answers_worse"),
        ({"answers": outcomes("-" * 10 + "+++++")}, "promote", "better"),
        ({"tallies": ()}, "abstain", "not_served"),
        ({"tallies": (Tally("secrets", 3, 4, 4),)}, "refuse", "failed_canary"),
        ({"tallies": (Tally("secrets", 3, 3, 4),)}, "promote", "better"),
        ({"tallies": (Tally("sycophancy", 4, 5, 6),)}, "promote", "better"),
        ({"tallies": (Tally("sycophancy", 3, 5, 6),)}, "refuse", "failed_canary"),
        ({"proven": None}, "abstain", "not_served"),
        ({"proven": False}, "refuse", "not_the_trained_model"),
    ],
)
def test_verdicts(changes: dict[str, Any], verdict: str, reason: str) -> None:
    decision = decide(replace(GOOD, **changes), LIMITS)
    assert (decision.verdict, decision.reason) == (verdict, reason)


def test_a_gain_that_one_language_pays_for_is_refused() -> None:
    mixed = outcomes("++++-" * 20, "language:en") + outcomes("-" * 11 + "+", "language:ko")
    # 11 losses of 12: 13 / 4096 = 0.3 %, below 5 % by two slices.
    decision = decide(replace(GOOD, outcomes=mixed), LIMITS)
    assert (decision.verdict, decision.reason) == ("refuse", "slice_worse")
    assert decision.facts["named"] == ["slice:language:ko"]


def test_a_large_slice_that_may_hide_a_loss_waits_for_a_person() -> None:
    # 13 of 30 at a win rate of 0.3 or less has a chance of 8.4 %; 14 of 30 one of 4.0 %.
    for wins, reason in ((13, "slice_unproven"), (14, "better")):
        korean = outcomes("+" * wins + "-" * (30 - wins), "language:ko")
        mixed = outcomes("++++-" * 20, "language:en") + korean
        assert decide(replace(GOOD, outcomes=mixed), LIMITS).reason == reason


def test_a_decision_carries_every_number_with_its_limit() -> None:
    record = json.loads(json.dumps(to_record(decide(GOOD, LIMITS), LIMITS)))
    checks = {check["name"]: (check["value"], check["limit"]) for check in record["checks"]}
    assert checks["decisive_pairs"] == (90, 20)
    assert checks["tally:secrets"] == (4, 4)
    assert checks["tally:names"] == (5, 4)
    odds, bar = checks["odds"]
    assert bar <= odds < 1.2 * bar  # one win more is 1.2 times the odds
    assert (record["facts"]["wins"], record["facts"]["losses"]) == (60, 30)
    assert record["facts"]["used"] < 90


def test_without_any_pair_the_record_is_still_json() -> None:
    record = to_record(decide(Evidence(()), LIMITS), LIMITS)
    assert record["verdict"] == "abstain"
    assert "Infinity" not in json.dumps(record)
