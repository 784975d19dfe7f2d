"""What counts as proof that the served model is the trained one."""

import pytest

from learning.serve import judge_proof


@pytest.mark.parametrize(
    ("error", "effect", "passed"),
    [
        (0.002, 0.5, True),
        (0.5, 0.5, False),  # the base model answers in the adapter's name
        (0.02, 0.02, False),  # a weak adapter that was lost
        (0.001, 0.001, True),  # too weak to tell apart, and close enough
        (0.04, 0.5, False),  # beyond rounding
    ],
)
def test_proof_is_near_the_trainer_and_far_from_the_base(error: float, effect: float, passed: bool) -> None:
    assert judge_proof(4, 100, error, effect).passed is passed
