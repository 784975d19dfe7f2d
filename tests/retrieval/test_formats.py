"""Each format is read into the same blocks."""

import io
import logging
import zipfile
from pathlib import Path

import pytest
from docx import Document
from fpdf import FPDF

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block, build_rows
from retrieval.formats.docx import MAX_UNPACKED_BYTES
from retrieval.formats.encoding import decode_text
from retrieval.formats.registry import ADAPTERS, extract

KOREAN_FONTS = [
    Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
]

MARKDOWN = """---
title: "Travel policy"
---
# Travel

Meals are paid up to a [limit](https://example.org).
Keep receipts.

- Book early
  - by train

| Site | Limit |
|---|---|
| Seoul | 40,000 won |
| 부산 | 30,000원 |

```sh
travel --book
```
"""

HTML = """<html><head><title>Intranet</title><style>p {}</style></head><body>
<nav>Home | Search</nav><script>alert(1)</script>
<h1>출장 규정</h1><p>식비는 <b>4만원</b>까지<br>지급합니다.</p>
<p style="display: none">secret</p><p hidden>secret</p>
<ul><li>예약<ul><li>기차</li></ul></li></ul>
<table><tr><th>Site</th><th>Limit</th></tr><tr><td>Seoul</td><td>40,000 won</td></tr></table>
<div>loose text <a href="x">link</a><p>inside</p></div><pre>a
  b</pre></body></html>"""


def test_markdown_gives_headings_items_rows_and_code() -> None:
    extracted = extract(MARKDOWN.encode(), "travel.md")
    assert extracted.title == "Travel policy"
    assert extracted.blocks == [
        Block("heading", "Travel", 1),
        Block("paragraph", "Meals are paid up to a limit.\nKeep receipts."),
        Block("item", "- Book early", 0),
        Block("item", "- by train", 1),
        Block("row", "Site: Seoul | Limit: 40,000 won"),
        Block("row", "Site: 부산 | Limit: 30,000원"),
        Block("code", "travel --book"),
    ]


def test_html_gives_what_a_reader_sees() -> None:
    extracted = extract(HTML.encode("cp949"), "travel.html")
    assert extracted.title == "출장 규정"
    assert extracted.blocks == [
        Block("heading", "출장 규정", 1),
        Block("paragraph", "식비는 4만원까지 지급합니다."),
        Block("item", "- 예약", 0),
        Block("item", "- 기차", 1),
        Block("row", "Site: Seoul | Limit: 40,000 won"),
        Block("paragraph", "loose text link"),
        Block("paragraph", "inside"),
        Block("code", "a\n  b"),
    ]


def test_html_nested_without_end_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="nested"):
        extract(b"<div>" * 5000 + b"text", "deep.html")


def test_text_is_cut_at_blank_lines_and_titled_by_its_file() -> None:
    extracted = extract("첫 문단\r\n둘째 줄\r\n\r\n다음 문단".encode("cp949"), "hr/공지.txt")
    assert extracted.title == "공지"
    assert [block.text for block in extracted.blocks] == ["첫 문단\n둘째 줄", "다음 문단"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_korean_encodings_are_told_apart(encoding: str) -> None:
    assert decode_text("연차 휴가는 15일입니다. 똠방각하".encode(encoding)) == "연차 휴가는 15일입니다. 똠방각하"


def test_western_text_is_not_taken_for_korean() -> None:
    assert decode_text("The café opens; naïve is fine.".encode("cp1252")) == "The café opens; naïve is fine."


def test_docx_gives_headings_lists_and_tables_in_order() -> None:
    document = Document()
    document.add_heading("휴가 규정", level=1)
    document.add_paragraph("연차는 15일입니다.")
    document.add_heading("Parental leave", level=2)
    document.add_paragraph("apply in time", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for place, value in enumerate(["Child", "Weeks", "first", "12"]):
        table.cell(place // 2, place % 2).text = value
    document.add_paragraph("after the table")
    stored = io.BytesIO()
    document.save(stored)
    extracted = extract(stored.getvalue(), "leave.docx")
    assert extracted.title == "휴가 규정"
    assert extracted.blocks == [
        Block("heading", "휴가 규정", 1),
        Block("paragraph", "연차는 15일입니다."),
        Block("heading", "Parental leave", 2),
        Block("item", "- apply in time"),
        Block("row", "Child: first | Weeks: 12"),
        Block("paragraph", "after the table"),
    ]


def test_a_docx_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as entry:
        for _ in range(MAX_UNPACKED_BYTES // 10_000_000 + 1):
            entry.write(bytes(10_000_000))
    with pytest.raises(InvalidInputError, match="unpacks to 210,000,000 bytes"):
        extract(bomb.getvalue(), "bomb.docx")


def test_an_old_or_encrypted_word_file_says_what_to_do() -> None:
    with pytest.raises(InvalidInputError, match=r"save it as \.docx without a password"):
        extract(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100), "old.docx")


def make_pdf(*, password: str | None = None) -> bytes:
    """Two pages: a Korean title, a paragraph over two lines, a section, a table."""
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    font = next((path for path in KOREAN_FONTS if path.exists()), None)
    if font is None:
        pytest.skip("no Korean font on this machine")
    pdf = FPDF()
    pdf.add_font("korean", "", font)
    pdf.add_page()
    for size, text in [(20, "여비 규정"), (11, "식비 한도는 아래와 같습니다. " * 7)]:
        pdf.set_font("korean", size=size)
        pdf.multi_cell(0, text=text, new_x="LMARGIN", new_y="NEXT")
    pdf.add_page()
    pdf.set_font("korean", size=15)
    pdf.cell(text="Meals", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("korean", size=11)
    with pdf.table(first_row_as_headings=False) as table:
        for cells in [("Site", "Limit"), ("Seoul", "40,000 won"), ("부산 본사", "30,000 won")]:
            row = table.row()
            for cell in cells:
                row.cell(cell)
    if password:
        pdf.set_encryption(owner_password=password, user_password=password)
    return bytes(pdf.output())


def test_pdf_gives_headings_by_size_pages_and_rows() -> None:
    extracted = extract(make_pdf(), "travel.pdf")
    prose = ("식비 한도는 아래와 같습니다. " * 7).strip()
    assert extracted.title == "여비 규정"
    assert [(block.kind, block.level, block.page) for block in extracted.blocks] == [
        ("heading", 1, 1),
        ("paragraph", 0, 1),
        ("heading", 2, 2),
        ("row", 0, 2),
        ("row", 0, 2),
    ]
    assert extracted.blocks[1].text.replace("\n", " ") == prose
    assert extracted.blocks[4].text == "Site: 부산 본사 | Limit: 30,000 won"


def test_an_encrypted_pdf_says_so() -> None:
    with pytest.raises(InvalidInputError, match="encrypted; save it without a password"):
        extract(make_pdf(password="secret"), "travel.pdf")


def test_a_pdf_without_text_is_called_a_scan() -> None:
    pdf = FPDF()
    pdf.add_page()
    with pytest.raises(InvalidInputError, match="it is a scan"):
        extract(bytes(pdf.output()), "scan.pdf")


def test_running_headers_and_page_numbers_are_left_out() -> None:
    pdf = FPDF()
    for number in range(1, 5):
        pdf.add_page()
        pdf.set_font("helvetica", size=11)
        for text in ["Company confidential", f"Words of their own on page {number}.", f"Page {number} of 4"]:
            pdf.cell(text=text, new_x="LMARGIN", new_y="NEXT")
    text = " ".join(block.text for block in extract(bytes(pdf.output()), "a.pdf").blocks)
    assert "own on page 3" in text and "confidential" not in text and "of 4" not in text


def test_a_row_without_a_header_of_its_own_stands_alone() -> None:
    assert build_rows([["only", "row"]]) == [Block("row", "only | row")]


@pytest.mark.parametrize("name", ["markdown", "html", "text"])
def test_hostile_bytes_never_break_a_text_format(name: str) -> None:
    for content in (b"", b"\xff\xfe\xfd", b"[" * 20_000, b"<" * 20_000, bytes(range(1, 256)) * 20, b"> " * 5_000):
        try:
            ADAPTERS[name](content, "file")
        except InvalidInputError:
            continue
