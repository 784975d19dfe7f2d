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


def make_page() -> FPDF:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", size=11)
    return pdf


def read(pdf: FPDF) -> list[str]:
    return [block.text for block in extract(bytes(pdf.output()), "a.pdf").blocks]


def test_cells_of_a_ruled_table_are_read_whole_and_in_their_columns() -> None:
    pdf = make_page()
    with pdf.table() as table:
        for cells in [
            ("Site", "Limit", "Note"),
            ("Seoul", "40,000 won", "Only with a receipt that names the meal, the place and who was there"),
            ("Busan and all the places around it that are no city", "", "later"),
        ]:
            row = table.row()
            for cell in cells:
                row.cell(cell)
    assert read(pdf) == [
        "Site: Seoul | Limit: 40,000 won | Note: Only with a receipt that names the meal, the place and who was there",
        "Site: Busan and all the places around it that are no city | Note: later",
    ]


def test_a_table_without_outer_borders_is_a_table() -> None:
    pdf = make_page()
    for y in (20, 30, 40):
        pdf.line(20, y, 140, y)
    pdf.line(80, 20, 80, 40)
    for x, y, text in [(22, 27, "Site"), (82, 27, "Limit"), (22, 37, "Seoul"), (82, 37, "40,000 won")]:
        pdf.text(x, y, text)
    assert read(pdf) == ["Site: Seoul | Limit: 40,000 won"]


def test_a_frame_around_text_is_no_table() -> None:
    pdf = make_page()
    pdf.rect(15, 15, 120, 30)
    pdf.text(20, 25, "Framed words.")
    assert read(pdf) == ["Framed words."]


def test_a_cell_that_is_missing_in_a_table_of_gaps_does_not_move_the_others() -> None:
    pdf = make_page()
    for number, cells in enumerate([("Site", "Limit", "Nights"), ("Seoul", "40,000", "2"), ("Busan", "", "3")]):
        for x, text in zip((20, 80, 140), cells, strict=True):
            pdf.text(x, 30 + 6 * number, text)
    assert read(pdf) == ["Site: Seoul | Limit: 40,000 | Nights: 2", "Site: Busan | Nights: 3"]


LEFT = [
    "Employees who travel for work are paid",
    "for their meals and nights. Keep every",
    "receipt that you get on the way, for",
    "the claim in the portal needs all.",
]
RIGHT = [
    "Leave is granted by the manager of the",
    "team within two days of the request.",
    "Ask early in summer, when many of the",
    "others want to be away as well.",
]


@pytest.mark.parametrize("across", [False, True])
def test_two_columns_are_read_one_after_the_other(across: bool) -> None:
    pdf = make_page()
    places = [(x, 30 + 6 * row, text) for x, texts in ((20, LEFT), (110, RIGHT)) for row, text in enumerate(texts)]
    for x, y, text in sorted(places, key=lambda place: place[1]) if across else places:
        pdf.text(x, y, text)
    assert " ".join(read(pdf)).replace("\n", " ") == " ".join(LEFT + RIGHT)


def test_lines_that_stand_far_apart_throughout_are_still_one_paragraph() -> None:
    pdf = make_page()
    for row, text in enumerate(["first of a wide page", "second of it", "third of it", "", "after a gap", "and on"]):
        pdf.text(20, 30 + 7 * row, text)
    assert read(pdf) == ["first of a wide page\nsecond of it\nthird of it", "after a gap\nand on"]


def make_raw_pdf(content: str, *, pages: int = 1) -> bytes:
    """A PDF by hand: every page is the same one."""
    kids = "3 0 R " * pages
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, places = "%PDF-1.4\n", []
    for number, written in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{written}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF"
    return f"{body}xref\n0 6\n0000000000 65535 f \n{table}{trailer}".encode()


def test_sizes_are_those_on_the_page_where_the_font_is_scaled() -> None:
    lines = ["BT /F 1 Tf 20 0 0 20 72 780 Tm (Travel) Tj ET"]
    lines += [f"BT /F 1 Tf 11 0 0 11 72 {740 - 14 * n} Tm (Words of the body number {n}) Tj ET" for n in range(4)]
    blocks = extract(make_raw_pdf("\n".join(lines)), "a.pdf").blocks
    assert [block.kind for block in blocks] == ["heading", "paragraph"]


def test_too_many_pages_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="expected at most 5000 pages, got 5001; split the PDF"):
        extract(make_raw_pdf("", pages=5001), "a.pdf")


def test_a_drawing_of_very_many_lines_is_passed_over() -> None:
    drawing = "\n".join(f"{n % 500} {n // 5} m {n % 500 + 90} {n // 5} l S" for n in range(4000))
    content = make_raw_pdf(f"{drawing}\nBT /F 11 Tf 72 780 Td (words) Tj ET")
    assert [block.text for block in extract(content, "a.pdf").blocks] == ["words"]


def test_broken_bytes_never_escape() -> None:
    whole = make_raw_pdf("BT /F 11 Tf 72 780 Td (words) Tj ET")
    for place in range(0, len(whole), 7):
        broken = bytearray(whole)
        broken[place] ^= 0x15
        try:
            extract(bytes(broken), "a.pdf")
        except InvalidInputError:
            continue


def draw_table(pdf: FPDF, rows: list[tuple[str, str]]) -> None:
    with pdf.table(first_row_as_headings=False) as table:
        for cells in rows:
            row = table.row()
            for cell in cells:
                row.cell(cell)


@pytest.mark.parametrize("overleaf", [[], [("Site", "Limit")]])
def test_a_table_keeps_its_header_overleaf(overleaf: list[tuple[str, str]]) -> None:
    pdf = make_page()
    draw_table(pdf, [("Site", "Limit"), ("Seoul", "40,000")])
    pdf.add_page()
    draw_table(pdf, [*overleaf, ("Busan", "30,000"), ("Daegu", "20,000")])
    assert read(pdf) == ["Site: Seoul | Limit: 40,000", "Site: Busan | Limit: 30,000", "Site: Daegu | Limit: 20,000"]


def test_another_table_overleaf_has_a_header_of_its_own() -> None:
    pdf = make_page()
    draw_table(pdf, [("Site", "Limit"), ("Seoul", "40,000")])
    pdf.add_page()
    pdf.cell(text="Days of leave by grade.", new_x="LMARGIN", new_y="NEXT")
    draw_table(pdf, [("Grade", "Days"), ("A", "15")])
    assert read(pdf)[-1] == "Grade: A | Days: 15"
