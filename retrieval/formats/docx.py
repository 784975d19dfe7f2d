"""Word documents (.docx), by python-docx: headings, lists and tables in their order."""

import io
import re
from collections.abc import Iterator

from docx import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph

from retrieval.formats.blocks import Block, Extracted, build_extracted, build_rows
from retrieval.formats.package import build_broken, check_package

_HEADING = re.compile(r"(?:heading|제목)\s*(\d)", re.IGNORECASE)


def extract_docx(content: bytes, file_name: str) -> Extracted:
    """Read a Word document.

    Raises:
        InvalidInputError: encrypted, broken, or unpacks to too much.
    """
    check_package(content, kind="Word document", suffix=".docx")
    try:
        document = Document(io.BytesIO(content))
        blocks = [block for part in document.iter_inner_content() for block in _read_part(part)]
    except (PackageNotFoundError, KeyError, ValueError, SyntaxError) as error:
        raise build_broken("Word document", ".docx") from error
    title = next((block.text for block in blocks if block.kind == "heading"), "")
    return build_extracted(blocks, file_name=file_name, title=title or document.core_properties.title)


def _read_part(part: Paragraph | Table) -> Iterator[Block]:
    if isinstance(part, Table):
        yield from build_rows(_read_table(part))
        return
    text = part.text.strip()
    if not text:
        return
    level = _find_level(part)
    if level:
        yield Block("heading", text, level=level)
    elif _is_list_item(part):
        yield Block("item", f"- {text}")
    else:
        yield Block("paragraph", text)


def _find_level(paragraph: Paragraph) -> int:
    """Heading level from the style's name or its parents'; 0 is no heading."""
    style = paragraph.style
    while style is not None:
        name = style.name or ""
        match = _HEADING.match(name)
        if match:
            return int(match[1])
        if name.lower() in ("title", "제목"):
            return 1
        style = style.base_style  # type: ignore[assignment]  # its annotation leaves out None
    return 0


def _is_list_item(paragraph: Paragraph) -> bool:
    style = paragraph.style
    named = bool(style and (style.name or "").startswith(("List", "목록")))
    return named or bool(paragraph._p.xpath("./w:pPr/w:numPr"))  # pyright: ignore[reportPrivateUsage]  # not public


def _read_table(table: Table) -> list[list[str]]:
    """Cells by row; a merged cell is read once."""
    rows: list[list[str]] = []
    for row in table.rows:
        seen: set[int] = set()
        cells: list[str] = []
        for cell in row.cells:
            merged = id(cell._tc) in seen  # pyright: ignore[reportPrivateUsage]  # identity of a merged cell
            seen.add(id(cell._tc))  # pyright: ignore[reportPrivateUsage]
            cells.append("" if merged else cell.text)
        rows.append(cells)
    return rows
