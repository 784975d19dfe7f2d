"""Binary Hancom documents, written by the published description of their records."""

import zlib
from struct import pack

import pytest

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block
from retrieval.formats.registry import extract
from tests.retrieval.formats.compound_file import build_compound_file

PARAGRAPH_SHAPE, STYLE, PARAGRAPH, TEXT, CONTROL, LIST, TABLE = 25, 26, 66, 67, 71, 72, 77
OUTLINE_SHAPE, PLAIN_SHAPE = 1, 0
PLAIN, HEADING = 0, 1


def record(tag: int, level: int, content: bytes) -> bytes:
    size = min(len(content), 0xFFF)
    long = pack("<I", len(content)) if size == 0xFFF else b""
    return pack("<I", tag | level << 10 | size << 20) + long + content


def paragraph(text: str, *, level: int = 0, style: int = PLAIN, shape: int = PLAIN_SHAPE) -> bytes:
    header = pack("<IIHBB", len(text) + 1, 0, shape, style, 0) + bytes(10)
    return record(PARAGRAPH, level, header) + record(TEXT, level + 1, (text + "\r").encode("utf-16-le"))


def control(name: bytes, level: int) -> bytes:
    return record(CONTROL, level, name[::-1] + bytes(20))


def cell(row: int, column: int, text: str, *, level: int) -> bytes:
    place = pack("<HHI", 1, 0, 0) + pack("<HHHH", column, row, 1, 1) + bytes(20)
    return record(LIST, level, place) + paragraph(text, level=level)


def table(cells: list[tuple[int, int, str]], *, level: int = 1) -> bytes:
    shape = record(TABLE, level + 1, pack("<IHH", 0, 2, 2) + bytes(10))
    return control(b"tbl ", level) + shape + b"".join(cell(*one, level=level + 1) for one in cells)


def name(text: str) -> bytes:
    return pack("<H", len(text)) + text.encode("utf-16-le")


STYLES = (
    record(PARAGRAPH_SHAPE, 0, pack("<I", 0) + bytes(50))
    + record(PARAGRAPH_SHAPE, 0, pack("<I", 1 << 23 | 1 << 25) + bytes(50))
    + record(STYLE, 0, name("바탕글") + name("Normal") + bytes(8))
    + record(STYLE, 0, name("개요 1") + name("Outline 1") + bytes(8))
)


def build(*sections: bytes, flags: int = 1) -> bytes:
    def pack_stream(content: bytes) -> bytes:
        packer = zlib.compressobj(wbits=-15)
        return packer.compress(content) + packer.flush() if flags & 1 else content

    streams = {
        "FileHeader": (b"HWP Document File".ljust(32, b"\0") + pack("<II", 0x05000300, flags)).ljust(256, b"\0"),
        "DocInfo": pack_stream(STYLES),
    }
    bodies = {f"BodyText/Section{number}": pack_stream(section) for number, section in enumerate(sections)}
    return build_compound_file(streams | bodies)


@pytest.mark.parametrize("flags", [0, 1])
def test_headings_paragraphs_and_tables_in_their_order(flags: int) -> None:
    body = (
        paragraph("휴가 규정", style=HEADING)
        + paragraph("연차는 15일입니다.")
        + paragraph("Parental leave", shape=OUTLINE_SHAPE)
        + paragraph("아래 표와 같다.")
        + table([(0, 0, "자녀"), (0, 1, "주"), (1, 0, "첫째"), (1, 1, "12")])
        + paragraph("표 다음")
    )
    extracted = extract(build(body, flags=flags), "leave.hwp")
    assert extracted.title == "휴가 규정"
    assert extracted.blocks == [
        Block("heading", "휴가 규정", 1),
        Block("paragraph", "연차는 15일입니다."),
        Block("heading", "Parental leave", 2),
        Block("paragraph", "아래 표와 같다."),
        Block("row", "자녀: 첫째 | 주: 12"),
        Block("paragraph", "표 다음"),
    ]


def test_a_frame_around_text_is_no_table() -> None:
    assert extract(build(table([(0, 0, "상자 안의 글")])), "a.hwp").blocks == [Block("paragraph", "상자 안의 글")]


def test_sections_follow_each_other_by_number() -> None:
    sections = [paragraph(f"구역 {number}") for number in range(11)]
    assert [block.text for block in extract(build(*sections), "a.hwp").blocks] == [f"구역 {n}" for n in range(11)]


def test_controls_within_a_paragraph_are_no_text() -> None:
    extended = "\x0b" + "\ud834bltb\ud834" + "\x0b"
    text = f"앞{extended}뒤\t\x1e끝\n둘째 줄 😀"
    raw = (text + "\r").encode("utf-16-le", "surrogatepass")
    # A tab takes eight places, as every control that carries something.
    raw = raw.replace("\t".encode("utf-16-le"), ("\t" + "\0" * 6 + "\t").encode("utf-16-le"))
    body = record(PARAGRAPH, 0, bytes(22)) + record(TEXT, 1, raw)
    assert extract(build(body), "a.hwp").blocks == [Block("paragraph", "앞뒤\t 끝\n둘째 줄 😀")]


def test_text_of_boxes_and_notes_is_read_and_page_headers_are_not() -> None:
    def hang(control_name: bytes, text: str) -> bytes:
        return control(control_name, 1) + record(LIST, 2, bytes(8)) + paragraph(text, level=2)

    body = paragraph("본문") + hang(b"gso ", "글상자") + hang(b"fn  ", "각주") + hang(b"head", "머리말")
    assert [block.text for block in extract(build(body), "a.hwp").blocks] == ["본문", "글상자", "각주"]


def test_a_long_record_is_read_whole() -> None:
    assert extract(build(paragraph("가" * 5000)), "a.hwp").blocks == [Block("paragraph", "가" * 5000)]


@pytest.mark.parametrize(("flags", "lock"), [(3, "encrypted"), (5, "locked for distribution")])
def test_a_locked_document_says_so(flags: int, lock: str) -> None:
    with pytest.raises(InvalidInputError, match=f"is {lock}; save it without a password"):
        extract(build(paragraph("비밀"), flags=flags), "a.hwp")


def test_a_section_that_bursts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.formats.hwp.MAX_UNPACKED_BYTES", 100_000)
    with pytest.raises(InvalidInputError, match="unpacks to more than 100,000 bytes"):
        extract(build(bytes(10_000_000)), "a.hwp")


@pytest.mark.parametrize("content", [b"", b"HWP Document File V3.00", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="expected a Hancom document"):
        extract(content, "a.hwp")


def test_broken_streams_never_escape() -> None:
    whole = build(paragraph("연차") + table([(0, 0, "가"), (1, 0, "나")]), flags=0)
    for place in range(512, len(whole), 37):
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        try:
            extract(bytes(broken), "a.hwp")
        except InvalidInputError:
            continue
