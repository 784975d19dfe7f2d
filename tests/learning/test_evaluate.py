"""Preference numbers from log-probabilities that were made by hand."""

import pytest

from learning.evaluate import (
    EmptyHeldOutError,
    compare_margins,
    measure,
    preference_accuracy,
    wilson_interval,
)


def scored(language: str, base: float, candidate: float) -> dict:
    """A pair of two-token answers; rejected has the log-probability -4."""
    sides = {name: {"chosen": value, "rejected": -4.0} for name, value in (("base", base), ("candidate", candidate))}
    return {"sha256": language, "language": language, "tokens": {"chosen": 2, "rejected": 2}, **sides}


def test_a_tie_is_not_a_preference() -> None:
    assert preference_accuracy([1.0, 0.0, -1.0, 2.0]) == 0.5


def test_no_pairs_are_no_number() -> None:
    with pytest.raises(EmptyHeldOutError):
        preference_accuracy([])


def test_differences_below_rounding_are_ties() -> None:
    comparison = compare_margins([1.0, 1.0, 1.0], [0.0, 2.0, 1.005])
    assert (comparison.wins, comparison.losses, comparison.ties) == (1, 1, 1)


def test_the_interval_is_wilsons() -> None:
    # 8 of 10 at 95 %: 0.490 to 0.943
    assert wilson_interval(0.8, 10) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


def test_numbers_come_together_and_by_language() -> None:
    numbers = measure([scored("en", -5, -3), scored("ko", -3, -5)])
    assert (numbers["models"]["candidate"]["accuracy"], numbers["against"]) == (0.5, "base")
    assert (numbers["languages"]["en"]["wins"], numbers["languages"]["ko"]["losses"]) == (1, 1)
    assert numbers["gains"] == [2.0, -2.0]


def test_a_longer_answer_is_not_worse_for_its_length() -> None:
    pair = scored("en", -6, -6)
    pair["tokens"]["chosen"] = 6  # -1 a token against -2 a token
    assert measure([pair])["models"]["base"]["accuracy"] == 1.0


def test_each_pair_is_won_lost_or_told_apart_by_nobody() -> None:
    outcomes = measure([scored("en", -5, -3), scored("ko", -3, -5), scored("en", -3, -3.005)])["outcomes"]
    assert [(one["language"], one["won"]) for one in outcomes] == [("en", True), ("ko", False), ("en", None)]
