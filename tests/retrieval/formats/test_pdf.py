"""PDF: headings by size, pages, tables; scans by text recognition."""

import logging

import pytest
from fpdf import FPDF

from core.errors import InvalidInputError
from retrieval.formats import ocr
from retrieval.formats.blocks import LeftOut
from retrieval.formats.registry import extract
from tests.retrieval.formats.fonts import find_korean_font
from tests.retrieval.formats.test_image import draw, needs_ocr


def make_pdf(*, password: str | None = None) -> bytes:
    """Two pages: a Korean title, a paragraph over two lines, a section, a table."""
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    pdf = FPDF()
    pdf.add_font("korean", "", find_korean_font())
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


def test_a_pdf_of_empty_pages_has_no_text() -> None:
    pdf = FPDF()
    pdf.add_page()
    with pytest.raises(InvalidInputError, match="the PDF has no text"):
        extract(bytes(pdf.output()), "empty.pdf")


def make_scan() -> bytes:
    """A page of text, then a picture of text."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", size=12)
    pdf.multi_cell(0, text="The first page is text of its own.")
    pdf.add_page()
    pdf.image(draw("Meals are paid up to 40,000 won"), w=180)
    return bytes(pdf.output())


@needs_ocr
def test_only_pages_without_text_are_recognised() -> None:
    extracted = extract(make_scan(), "scan.pdf")
    assert [(block.text, block.page) for block in extracted.blocks] == [
        ("The first page is text of its own.", 1),
        ("Meals are paid up to 40,000 won", 2),
    ]
    assert not extracted.needs_ocr


def test_without_tesseract_the_text_pages_are_read_and_the_others_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    extracted = extract(make_scan(), "scan.pdf")
    assert ([block.page for block in extracted.blocks], extracted.needs_ocr) == ([1], True)
    assert extracted.left_out == [LeftOut("page 2", ocr.MISSING)]


def test_running_headers_and_page_numbers_are_left_out() -> None:
    pdf = FPDF()
    for number in range(1, 5):
        pdf.add_page()
        pdf.set_font("helvetica", size=11)
        for text in ["Company confidential", f"Words of their own on page {number}.", f"Page {number} of 4"]:
            pdf.cell(text=text, new_x="LMARGIN", new_y="NEXT")
    text = " ".join(block.text for block in extract(bytes(pdf.output()), "a.pdf").blocks)
    assert "own on page 3" in text and "confidential" not in text and "of 4" not in text
