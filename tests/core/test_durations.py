"""Durations as people say them."""

import pytest

from core.durations import say_duration


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (0, "0 s", "0초"),
        (4.24, "4.2 s", "4.2초"),
        (9.96, "10 s", "10초"),
        (59.4, "59 s", "59초"),
        (59.6, "1 min", "1분"),
        (1263, "21 min 3 s", "21분 3초"),
        (3599.7, "1 h", "1시간"),
        (7500, "2 h 5 min", "2시간 5분"),
        (7199, "2 h", "2시간"),
    ],
)
def test_a_duration_is_said_in_its_largest_units(seconds: float, english: str, korean: str) -> None:
    assert (say_duration(seconds, "en"), say_duration(seconds, "ko")) == (english, korean)
