"""Plain text and its encodings."""

import pytest

from core.errors import InvalidInputError
from retrieval.formats.encoding import decode_text
from retrieval.formats.registry import extract


def test_text_is_cut_at_blank_lines_and_titled_by_its_file() -> None:
    extracted = extract("첫 문단\r\n둘째 줄\r\n\r\n다음 문단".encode("cp949"), "hr/공지.txt")
    assert extracted.title == "공지"
    assert [block.text for block in extracted.blocks] == ["첫 문단\n둘째 줄", "다음 문단"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_korean_encodings_are_told_apart(encoding: str) -> None:
    assert decode_text("연차 휴가는 15일입니다. 똠방각하".encode(encoding)) == "연차 휴가는 15일입니다. 똠방각하"


def test_western_text_is_not_taken_for_korean() -> None:
    assert decode_text("The café opens; naïve is fine.".encode("cp1252")) == "The café opens; naïve is fine."


@pytest.mark.parametrize("name", ["a.md", "a.html", "a.txt", "a.csv"])
def test_hostile_bytes_never_break_a_text_format(name: str) -> None:
    for content in (b"", b"\xff\xfe\xfd", b"[" * 20_000, b"<" * 20_000, bytes(range(1, 256)) * 20, b"> " * 5_000):
        try:
            extract(content, name)
        except InvalidInputError:
            continue
