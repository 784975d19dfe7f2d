"""Builds the PDF and DOCX files of the sample handbook from the Markdown in `sources/`.

`sources/money/travel.en.pdf.md` becomes `handbook/money/travel.en.pdf`; the ending before `.md` picks the format.
The same sources and the same font files give the same bytes: no clock and no random value enters a file.

Needs fpdf2, python-docx, markdown-it-py and the fonts NanumGothic.ttf and NanumGothicBold.ttf (Debian package
`fonts-nanum`, SIL Open Font License 1.1). Each PDF embeds only the glyphs that it uses; DOCX files embed no font.
"""

import argparse
import logging
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from pathlib import Path

from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from fpdf import FPDF
from fpdf.fonts import FontFace
from markdown_it import MarkdownIt
from markdown_it.token import Token

HERE = Path(__file__).resolve().parent
ISSUED_AT = datetime(2026, 9, 1, tzinfo=UTC)
FONT_FILES = {"": "NanumGothic.ttf", "B": "NanumGothicBold.ttf"}
HEADING_POINTS = {1: 20, 2: 14, 3: 11.5}
ROW_MM = 8  # height to reserve for a table row of one line
INK, PALE = (34, 49, 63), (226, 234, 240)
COMPANY = {"en": "Orumnal Tideworks handbook", "ko": "오름날 타이드웍스 핸드북"}


class FontMissing(Exception):
    """NanumGothic was not found; install the Debian package fonts-nanum or name its folder with --fonts."""


@dataclass(frozen=True)
class Block:
    """One heading (level 1-3), paragraph (level 0), italic note (level -1) or table (rows, the first is the head)."""

    level: int
    text: str = ""
    rows: list[list[str]] = field(default_factory=list)


def plain(token: Token) -> str:
    """Text of an inline token without its marks."""
    return "".join(
        child.content if child.type == "text" else " " * (child.type == "softbreak") for child in token.children or []
    )


def is_note(token: Token) -> bool:
    """True if the whole inline token is set in emphasis."""
    kinds = [child.type for child in token.children or [] if child.type != "text" or child.content]
    return bool(kinds) and kinds[0] == "em_open" and kinds[-1] == "em_close"


def read_blocks(markdown: str) -> Iterator[Block]:
    """Headings, paragraphs and tables in order; the sources use no other Markdown."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    rows: list[list[str]] = []
    for before, token in pairwise(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "table_close":
            yield Block(0, rows=rows)
            rows = []
        elif token.type == "inline" and before.type in ("th_open", "td_open"):
            rows[-1].append(plain(token))
        elif token.type == "inline":
            level = int(before.tag[1]) if before.type == "heading_open" else -is_note(token)
            yield Block(level, plain(token))


class HandbookPdf(FPDF):
    """A4 pages with the company's name above and the page number below."""

    def __init__(self, language: str, fonts: Path):
        super().__init__(format="A4")
        self.company = COMPANY[language]
        for style, name in FONT_FILES.items():
            self.add_font("nanum", style, fonts / name)
        self.set_margins(24, 22, 24)
        self.set_auto_page_break(True, 24)
        self.set_creation_date(ISSUED_AT)
        self.set_lang(language)
        self.set_author(self.company)

    def header(self) -> None:
        self.set_y(11)
        self.set_font("nanum", "", 8)
        self.set_text_color(120)
        self.cell(0, 5, self.company, align="R")
        self.set_y(22)

    def footer(self) -> None:
        self.set_y(-16)
        self.set_font("nanum", "", 8)
        self.set_text_color(120)
        self.cell(0, 5, f"- {self.page_no()} -", align="C")

    def heading(self, block: Block, following: list[Block]) -> None:
        """Larger type for higher levels; never at the foot of a page without the lines or the table that follow."""
        size = HEADING_POINTS[block.level]
        if self.will_page_break(size + 16 + sum(ROW_MM * len(next_block.rows) for next_block in following)):
            self.add_page()
        self.ln(0 if block.level == 1 else 2.5)
        self.set_font("nanum", "B", size)
        self.set_text_color(*INK)
        self.start_section(block.text, block.level - 1)
        self.multi_cell(0, size * 0.5, block.text, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(1.5)

    def paragraph(self, block: Block) -> None:
        self.set_font("nanum", "", 8.5 if block.level else 10)
        self.set_text_color(110 if block.level else 30)
        self.multi_cell(0, 5.6, block.text, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(1.4)

    def grid(self, rows: list[list[str]]) -> None:
        """A table on one page whose columns share the width by their longest cell."""
        widths = tuple(min(40, 4 + max(display_width(row[i]) for row in rows)) for i in range(len(rows[0])))
        if self.will_page_break(ROW_MM * len(rows)):
            self.add_page()
        self.set_font("nanum", "", 9)
        self.set_text_color(30)
        self.set_draw_color(170)
        style = FontFace(emphasis="BOLD", color=INK, fill_color=PALE)
        with self.table(
            rows, col_widths=widths, line_height=6, headings_style=style, text_align="LEFT", padding=(0.8, 1.8)
        ):
            pass
        self.ln(3)


def display_width(text: str) -> int:
    """Columns the text takes: a Hangul syllable counts two."""
    return sum(2 if "가" <= letter <= "힣" else 1 for letter in text)


def build_pdf(blocks: list[Block], language: str, fonts: Path) -> bytes:
    """The file's bytes; headings differ from text by their size and are also bookmarks."""
    pdf = HandbookPdf(language, fonts)
    pdf.set_title(blocks[0].text)
    pdf.add_page()
    for index, block in enumerate(blocks):
        if block.rows:
            pdf.grid(block.rows)
        elif block.level > 0:
            pdf.heading(block, blocks[index + 1 : index + 3])
        else:
            pdf.paragraph(block)
    return bytes(pdf.output())


def build_docx(blocks: list[Block], language: str) -> bytes:
    """The file's bytes, with Word's own heading styles and one table style."""
    document = Document()
    document.core_properties.author = COMPANY[language]
    document.core_properties.title = blocks[0].text
    document.core_properties.language = language
    document.core_properties.comments = ""
    document.core_properties.created = document.core_properties.modified = ISSUED_AT.replace(tzinfo=None)
    set_fonts(document)
    for block in blocks:
        if block.rows:
            add_table(document, block.rows)
        elif block.level > 0:
            document.add_heading(block.text, block.level)
        else:
            document.add_paragraph().add_run(block.text).italic = block.level < 0 or None
    written = BytesIO()
    document.save(written)
    return with_fixed_dates(written)


def set_fonts(document) -> None:
    """Name a font for Korean text too: without it Word falls back to a Japanese or Chinese face."""
    for name in ("Normal", "Heading 1", "Heading 2", "Heading 3"):
        style = document.styles[name]
        style.font.name = "Malgun Gothic"
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "Malgun Gothic")
    document.styles["Normal"].font.size = Pt(10.5)


def add_table(document, rows: list[list[str]]) -> None:
    """Append a grid whose first row repeats on each page."""
    table = document.add_table(rows=0, cols=len(rows[0]), style="Light Grid Accent 1")
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    document.add_paragraph()


def with_fixed_dates(archive: BytesIO) -> bytes:
    """The same zip members with the zip format's earliest date, since Word files are zips that carry the clock."""
    written = BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, old.read(name), compresslevel=9)
    return written.getvalue()


def find_fonts() -> Path:
    """Folder of NanumGothic as fontconfig knows it.

    Raises:
        FontMissing: there is no fontconfig, or it offers another font instead.
    """
    if not shutil.which("fc-match"):
        raise FontMissing(FontMissing.__doc__)
    found = subprocess.run(["fc-match", "-f", "%{file}", "NanumGothic"], capture_output=True, text=True, check=True)
    return Path(found.stdout).parent


def check_fonts(folder: Path) -> Path:
    """The folder, if both font files lie in it.

    Raises:
        FontMissing: one of them is not there.
    """
    if not all((folder / name).is_file() for name in FONT_FILES.values()):
        raise FontMissing(FontMissing.__doc__)
    return folder


def build(source: Path, fonts: Path, target_root: Path) -> Path:
    """Write one document and return where it lies."""
    target = target_root / source.relative_to(HERE / "sources").with_suffix("")
    language = target.suffixes[-2].lstrip(".")
    blocks = list(read_blocks(source.read_text(encoding="utf-8")))
    written = build_pdf(blocks, language, fonts) if target.suffix == ".pdf" else build_docx(blocks, language)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(written)
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the PDF and DOCX files of the sample handbook.")
    parser.add_argument("--fonts", type=Path, help="folder with NanumGothic.ttf and NanumGothicBold.ttf")
    parser.add_argument("--into", type=Path, default=HERE / "handbook", help="folder to write to")
    options = parser.parse_args()
    logging.getLogger("fontTools.subset").setLevel(logging.ERROR)  # it warns of tables that no PDF viewer reads
    try:
        fonts = check_fonts(options.fonts or find_fonts())
    except FontMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    for source in sorted((HERE / "sources").rglob("*.md")):
        target = build(source, fonts, options.into)
        print(f"{target.relative_to(options.into)}: {target.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
