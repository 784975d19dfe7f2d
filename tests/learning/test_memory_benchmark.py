"""What `benchmarks/memory.py` asks and how it counts."""

import pytest

from benchmarks.learns_workload import load_sample
from benchmarks.memory import Measured, build_figures, rewrite
from cli.house import SAMPLE
from core.prompt import detect_language
from core.wording import find_numbers


def test_a_near_question_is_worded_otherwise_and_asks_for_the_same() -> None:
    for number, exercise in enumerate(load_sample(SAMPLE / "golden.jsonl")):
        asked, near = exercise.golden.question, rewrite(exercise, number).golden
        assert near.question != asked
        assert detect_language(near.question) == detect_language(asked)
        assert find_numbers(near.question) >= find_numbers(asked)
        assert (near.accept, near.sources) == (exercise.golden.accept, exercise.golden.sources)


def test_gains_are_against_the_time_before_and_a_step_that_was_not_reached_is_null() -> None:
    measured = [Measured(0, 0.25, 0.5, 0.0), Measured(4, 0.625, 0.5, 60.0), Measured(8, 0.75, 0.375, 70.0)]
    figures = build_figures(measured, [3.0, 5.5])
    gains = [figures[f"gain_at_{step}"] for step in (4, 8, 16, 32)]
    assert gains == [pytest.approx(0.375), pytest.approx(0.5), None, None]
    assert (figures["seconds_to_effect"], figures["control_change"]) == (5.5, -0.125)
