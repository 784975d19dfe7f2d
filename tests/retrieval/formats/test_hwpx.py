"""Zipped Hancom documents, in the form in which Hancom Office writes them."""

import io
import zipfile

import pytest

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block
from retrieval.formats.registry import extract

NAMESPACES = (
    'xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section" xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph" '
    'xmlns:hh="http://www.hancom.co.kr/hwpml/2011/head"'
)
HEADER = f"""<?xml version="1.0" encoding="UTF-8"?><hh:head {NAMESPACES}><hh:refList>
<hh:paraPr id="0"><hh:heading type="NONE" idRef="0" level="0"/></hh:paraPr>
<hh:paraPr id="1"><hh:heading type="OUTLINE" idRef="0" level="1"/></hh:paraPr>
<hh:style id="0" type="PARA" name="바탕글" engName="Normal" paraPrIDRef="0"/>
<hh:style id="1" type="PARA" name="개요 1" engName="Outline 1" paraPrIDRef="0"/>
</hh:refList></hh:head>"""


def paragraph(inside: str, *, style: int = 0, shape: int = 0) -> str:
    return f'<hp:p styleIDRef="{style}" paraPrIDRef="{shape}"><hp:run>{inside}</hp:run></hp:p>'


def text(words: str, *, style: int = 0, shape: int = 0) -> str:
    return paragraph(f"<hp:t>{words}</hp:t>", style=style, shape=shape)


def table(cells: list[tuple[int, int, str]], caption: str = "") -> str:
    rows = ""
    for row in sorted({row for row, _, _ in cells}):
        inside = "".join(
            f'<hp:tc><hp:subList>{text(words)}</hp:subList><hp:cellAddr colAddr="{column}" rowAddr="{row}"/></hp:tc>'
            for at, column, words in cells
            if at == row
        )
        rows += f"<hp:tr>{inside}</hp:tr>"
    below = f"<hp:caption><hp:subList>{text(caption)}</hp:subList></hp:caption>" if caption else ""
    return paragraph(f"<hp:tbl>{below}{rows}</hp:tbl>")


def build(*sections: str, manifest: str = "<manifest/>", prologue: str = "") -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/hwp+zip")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("Contents/header.xml", HEADER)
        for number, section in enumerate(sections):
            archive.writestr(f"Contents/section{number}.xml", f"{prologue}<hs:sec {NAMESPACES}>{section}</hs:sec>")
    return stored.getvalue()


def test_headings_paragraphs_and_tables_in_their_order() -> None:
    body = (
        text("휴가 규정", style=1)
        + text("연차는 15일입니다.")
        + text("Parental leave", shape=1)
        + table([(0, 0, "자녀"), (0, 1, "주"), (1, 0, "첫째"), (1, 1, "12")], caption="표 1")
        + text("표 다음")
    )
    extracted = extract(build(body), "leave.hwpx")
    assert extracted.title == "휴가 규정"
    assert extracted.blocks == [
        Block("heading", "휴가 규정", 1),
        Block("paragraph", "연차는 15일입니다."),
        Block("heading", "Parental leave", 2),
        Block("paragraph", "표 1"),
        Block("row", "자녀: 첫째 | 주: 12"),
        Block("paragraph", "표 다음"),
    ]


def test_a_cell_that_spans_columns_keeps_the_others_in_place() -> None:
    cells = [(0, 0, "지역"), (0, 1, "숙박"), (0, 2, "식비"), (1, 0, "서울"), (1, 2, "40,000원")]
    assert [block.text for block in extract(build(table(cells)), "a.hwpx").blocks] == ["지역: 서울 | 식비: 40,000원"]


def test_a_frame_around_text_is_no_table() -> None:
    assert extract(build(table([(0, 0, "상자 안의 글")])), "a.hwpx").blocks == [Block("paragraph", "상자 안의 글")]


def test_breaks_stay_and_deleted_changes_go() -> None:
    words = "<hp:t>앞<hp:lineBreak/>뒤<hp:deleteBegin/>지운 글<hp:deleteEnd/><hp:nbSpace/>끝</hp:t>"
    assert extract(build(paragraph(words)), "a.hwpx").blocks == [Block("paragraph", "앞\n뒤 끝")]


def test_notes_and_boxes_are_read_and_page_headers_are_not() -> None:
    def hang(form: str, words: str) -> str:
        return form.format(f"<hp:subList>{text(words)}</hp:subList>")

    body = paragraph(
        "<hp:t>본문</hp:t>"
        + hang("<hp:ctrl><hp:header>{}</hp:header></hp:ctrl>", "머리말")
        + hang("<hp:ctrl><hp:footNote>{}</hp:footNote></hp:ctrl>", "각주")
        + hang("<hp:container><hp:rect><hp:drawText>{}</hp:drawText></hp:rect></hp:container>", "글상자")
    )
    assert [block.text for block in extract(build(body), "a.hwpx").blocks] == ["본문", "각주", "글상자"]


def test_sections_follow_each_other_by_number() -> None:
    sections = [text(f"구역 {number}") for number in range(11)]
    assert [block.text for block in extract(build(*sections), "a.hwpx").blocks] == [f"구역 {n}" for n in range(11)]


def test_an_encrypted_document_says_so() -> None:
    manifest = "<manifest><file-entry><encryption-data/></file-entry></manifest>"
    with pytest.raises(InvalidInputError, match="is encrypted; save it without a password"):
        extract(build(text("비밀"), manifest=manifest), "a.hwpx")


def test_entities_that_multiply_are_refused() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(InvalidInputError, match="broken"):
        extract(build(text("&e9;"), prologue=f'<!DOCTYPE x [<!ENTITY e0 "lol">{entities}]>'), "a.hwpx")


@pytest.mark.parametrize("deep", ["<hp:rect>" * 5000 + "</hp:rect>" * 5000, "<hp:t>never closed"])
def test_broken_and_endless_nesting_is_refused(deep: str) -> None:
    with pytest.raises(InvalidInputError):
        extract(build(paragraph(deep)), "a.hwpx")


def test_a_package_of_another_kind_is_refused() -> None:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("readme.txt", "no document")
    with pytest.raises(InvalidInputError, match="expected a Hancom document, got a broken one"):
        extract(stored.getvalue(), "a.hwpx")
