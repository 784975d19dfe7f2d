"""A font with Hangul, where the machine has one."""

from pathlib import Path

import pytest

KOREAN_FONTS = [
    Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
]


def find_korean_font() -> Path:
    """The first there is; the test is skipped where there is none."""
    font = next((path for path in KOREAN_FONTS if path.exists()), None)
    if font is None:
        pytest.skip("no Korean font on this machine; install fonts-nanum")
    return font
