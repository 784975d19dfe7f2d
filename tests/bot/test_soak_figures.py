"""The figures of a soak, by hand: a slope that one bad sample does not bend, and losses that are counted."""

import math

import pytest

from benchmarks.soak import describe_memory, find_losses
from benchmarks.soak_figures import Samples, draw, find_share, fit_slope
from benchmarks.soak_world import Load


def make_rows(count: int = 40, *, mib_per_hour: float = 36.0) -> list[tuple[float, float]]:
    """A sample every 10 s; 36 MiB an hour are 0.1 MiB a sample."""
    return [(10.0 * number, 200 + mib_per_hour / 360 * number) for number in range(count)]


def test_a_slope_is_in_mib_an_hour() -> None:
    assert fit_slope(make_rows(), warm_up_seconds=0) == pytest.approx(36)


def test_what_happens_in_the_warm_up_is_no_trend() -> None:
    rows = [(10.0 * number, 100.0 + 20 * number) for number in range(10)]
    rows += [(100.0 + at, value) for at, value in make_rows(mib_per_hour=0)]
    assert fit_slope(rows, warm_up_seconds=100) == pytest.approx(0)


def test_one_in_four_samples_may_be_anything() -> None:
    rows = [(at, value if number % 4 else 9999.0) for number, (at, value) in enumerate(make_rows(80))]
    assert fit_slope(rows, warm_up_seconds=0) == pytest.approx(36, rel=0.2)


def test_a_leak_is_found_in_the_process_that_leaks() -> None:
    rows = {"first 1": make_rows(60, mib_per_hour=0), "second 1": make_rows(60, mib_per_hour=72)}
    told = describe_memory(Samples(resident_mib=rows), seconds=600)
    assert told["memory_slope_mib_per_hour"] == 72
    assert told["memory_slopes_mib_per_hour"] == {"first 1": 0, "second 1": 72}


def test_too_few_samples_have_no_slope() -> None:
    assert fit_slope(make_rows(10), warm_up_seconds=0) is None
    assert math.isnan(
        describe_memory(Samples(resident_mib={"first 1": make_rows(10)}), seconds=100)["memory_slope_mib_per_hour"]
    )


def test_a_question_without_an_answer_is_lost_and_one_with_two_is_told() -> None:
    load = Load(acknowledged={"D1:1", "D2:1", "D3:1"})
    assert find_losses(load, {"D1:1": 1, "D2:1": 2, "D9:1": 2}) == {"lost": 1, "duplicated": 1}


def test_a_share_is_a_value_that_was_measured() -> None:
    assert find_share([float(value) for value in range(1, 101)], 0.99) == 100
    assert find_share([3.0, 1.0, 2.0], 0.5) == 2


def test_a_picture_holds_a_line_a_process_and_a_mark_a_fault() -> None:
    rows = make_rows()
    samples = Samples({"first 1": rows, "second 1": rows}, rows, rows, rows, [(100.0, "replica killed")])
    picture = draw(samples, title="a run")
    assert picture.count('stroke="#ddd"') == 3
    assert picture.startswith("<svg") and "replica killed at 100 s" in picture
