"""Word documents: headings, lists and tables in their order; bombs and old files refused."""

import io
import zipfile

import pytest
from docx import Document

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block
from retrieval.formats.registry import extract
from tests.retrieval.formats.packages import put_bomb


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


def test_a_docx_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.formats.package.MAX_UNPACKED_BYTES", 1_000_000)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(1_000_001))
    with pytest.raises(InvalidInputError, match="unpacks to 1,000,001 bytes, at most 1,000,000"):
        extract(bomb.getvalue(), "bomb.docx")


def test_an_old_or_encrypted_word_file_says_what_to_do() -> None:
    with pytest.raises(InvalidInputError, match=r"save it as \.docx without a password"):
        extract(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100), "old.docx")


def test_entities_that_multiply_are_refused() -> None:
    stored = io.BytesIO()
    document = Document()
    document.add_paragraph("words &e9; here")
    document.save(stored)
    with pytest.raises(InvalidInputError, match="got a broken one"):
        extract(put_bomb(stored.getvalue(), "word/document.xml"), "bomb.docx")
