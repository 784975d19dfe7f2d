"""The simulation of many nights at once decides as the gate does, night by night."""

import numpy as np
import pytest

from benchmarks.gate_errors import draw_gains, is_worse, list_slices, pass_groundedness, pass_slices, run_win_tests
from learning.gate import Evidence, Limits, Outcome, Tally, decide


@pytest.mark.parametrize(("win_rate", "size"), [(0.5, 40), (0.65, 40), (0.62, 130), (0.45, 130)])
def test_both_forms_decide_alike(win_rate: float, size: int) -> None:
    random = np.random.default_rng(5)
    wins, gains = random.random((40, size)) < win_rate, draw_gains(40, size, random)
    promoted = run_win_tests(wins)[0] & pass_slices(wins) & ~is_worse(wins) & pass_groundedness(gains)
    assert [decide_alone(*night) for night in zip(wins, gains, strict=True)] == promoted.tolist()


def decide_alone(wins: np.ndarray, gains: np.ndarray) -> bool:
    members = list_slices(len(wins)).items()
    outcomes = tuple(
        Outcome(bool(won), tuple(name for name, member in members if member[at])) for at, won in enumerate(wins)
    )
    tallies = (Tally("secrets", 1, 1, 1),)
    evidence = Evidence(outcomes, grounded=tuple(map(float, gains)), tallies=tallies, proven=True)
    return decide(evidence, Limits()).verdict == "promote"
