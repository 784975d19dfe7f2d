"""The table of confidences: what people say goes before what they let slip."""

import re
from pathlib import Path
from typing import get_args

import pytest

from learning.reliability import PRIOR
from learning.signals import (
    IMPLICIT_MOST,
    ORIGIN_TRUST,
    SIGNALS,
    Origin,
    SignalKind,
    name_signal,
    pass_on,
    weigh_hints,
)

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "feedback.md"


def test_every_signal_and_origin_has_its_confidence() -> None:
    assert (set(SIGNALS), set(ORIGIN_TRUST)) == (set(get_args(SignalKind)), set(get_args(Origin)))


def test_the_origins_stand_in_the_order_of_trust() -> None:
    assert list(ORIGIN_TRUST.values()) == sorted(ORIGIN_TRUST.values(), reverse=True)


def test_hints_together_stay_below_the_weakest_thing_that_a_new_rater_says() -> None:
    weakest = min(pass_on(PRIOR, one.value) for one in SIGNALS.values() if one.explicit)
    every_hint: list[tuple[SignalKind, float]] = [(kind, 1.0) for kind, one in SIGNALS.items() if not one.explicit]
    assert weigh_hints(every_hint * 5) == IMPLICIT_MOST < weakest == pytest.approx(0.71)  # 0.8 * 0.85 + 0.2 * 0.15


def test_two_hints_say_more_than_one() -> None:
    # Even chances times 0.65/0.35 times 0.55/0.45: odds of 2.270, capped below.
    assert weigh_hints([("reask", 1.0)]) == pytest.approx(0.65)
    assert weigh_hints([("reask", 0.5), ("abandonment", 1.0)]) == pytest.approx(0.575 * 0.55 / (0.31625 + 0.19125))
    assert weigh_hints([]) == 0.5


@pytest.mark.parametrize(
    ("vote", "kind"),
    [
        ({}, "thumbs"),
        ({"source": "slack_reaction"}, "reaction"),
        ({"has_reason": True}, "reason"),
        ({"has_reason": True, "has_right_source": True}, "right_source"),
        ({"has_correction": True, "has_right_source": True}, "correction"),
        ({"source": "expert", "has_correction": True}, "expert_answer"),
    ],
)
def test_a_vote_is_named_by_the_surest_that_it_carries(vote: dict, kind: str) -> None:
    plain = {"source": "web", "has_correction": False, "has_right_source": False, "has_reason": False}
    assert name_signal(**(plain | vote)) == kind


def test_the_documented_table_is_the_one_that_is_used() -> None:
    text = DOCUMENT.read_text()
    documented = {name: float(value) for name, value in re.findall(r"^\| `(\w+)` \|.*\| (0\.\d\d) \|$", text, re.M)}
    used = {kind: one.value for kind, one in SIGNALS.items()} | dict(ORIGIN_TRUST)
    assert documented == used
