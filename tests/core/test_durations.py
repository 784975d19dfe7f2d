"""Durations as people say them."""

import pytest

from core.durations import say_duration
from core.prompt import Language


@pytest.mark.parametrize(
    ("seconds", "language", "said"),
    [
        (0.2, "en", "0 s"),
        (59.6, "en", "1 min"),
        (1263, "en", "21 min 3 s"),
        (1263, "ko", "21분 3초"),
        (3600, "ko", "1시간"),
        (3629, "en", "1 h"),
        (7195, "en", "2 h"),
        (4881, "ko", "1시간 21분"),
    ],
)
def test_the_largest_units_are_said(seconds: float, language: Language, said: str) -> None:
    assert say_duration(seconds, language) == said
