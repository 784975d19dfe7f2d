"""What a baked adapter must keep, one broken rule at a time."""

from typing import Any

import pytest

from learning.bake_gate import decide_bake
from learning.gate import Tally

PROBES = [Tally("secrets", 4, 4, 4), Tally("refusal", 5, 5, 6)]


def make(**changes: Any) -> dict[str, Any]:
    baked: dict[str, Any] = {
        "kl_reduction": 0.93,
        "style": {"teacher": 0.97, "before": 0.5, "after": 0.95},
        "grounded": {"teacher": 0.90, "before": 0.8, "after": 0.895},
        "tokens_saved": 62.0,
    }
    return baked | changes


def test_what_is_near_enough_and_proven_is_promoted() -> None:
    decision = decide_bake(make(), proven=True, tallies=PROBES)
    assert (decision.verdict, decision.reason) == ("promote", "baked")


@pytest.mark.parametrize(
    ("changes", "proven", "tallies", "verdict", "reason"),
    [
        ({}, False, PROBES, "refuse", "not_the_trained_model"),
        ({}, True, [Tally("secrets", 3, 4, 4)], "refuse", "failed_canary"),
        ({"kl_reduction": 0.89}, True, PROBES, "refuse", "not_baked"),
        ({"style": {"teacher": 0.97, "before": 0.5, "after": 0.89}}, True, PROBES, "refuse", "style_lost"),
        ({"grounded": {"teacher": 0.90, "before": 0.8, "after": 0.88}}, True, PROBES, "refuse", "less_grounded"),
        ({}, None, [], "abstain", "not_served"),
        ({"kl_reduction": 0.89}, None, [], "refuse", "not_baked"),
    ],
)
def test_one_broken_rule_is_named(
    changes: dict[str, Any], proven: bool | None, tallies: list[Tally], verdict: str, reason: str
) -> None:
    decision = decide_bake(make(**changes), proven=proven, tallies=tallies)
    assert (decision.verdict, decision.reason) == (verdict, reason)


def test_no_more_style_is_asked_for_than_the_prompted_model_has() -> None:
    style = {"teacher": 0.80, "before": 0.5, "after": 0.80}
    assert decide_bake(make(style=style), proven=True, tallies=PROBES).verdict == "promote"
