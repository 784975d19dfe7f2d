"""Hancom documents (.hwpx, OWPML), read from the zipped XML: paragraphs, tables, notes, headings by style."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block, Extracted, build_extracted
from retrieval.formats.hancom import build_paragraph, build_table, find_style_level
from retrieval.formats.package import build_broken, check_package

MAX_DEPTH = 100
MAX_COLUMNS = 1000
_SECTION = re.compile(r"Contents/section(\d+)\.xml")
_HEADER = "Contents/header.xml"
_MANIFEST = "META-INF/manifest.xml"
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, ValueError, ParseError, NotImplementedError)
# Page headers and footers repeat; a field's own text is a memo.
_UNSEEN = {"t", "secPr", "header", "footer", "fieldBegin"}
_SPACES = {"tab": "\t", "lineBreak": "\n", "nbSpace": " ", "fwSpace": " "}


@dataclass(frozen=True, slots=True)
class _Styles:
    """Heading level by id: of paragraph styles, and of paragraph shapes."""

    styles: dict[str, int]
    shapes: dict[str, int]

    def find_level(self, paragraph: Element) -> int:
        """0 is no heading."""
        style, shape = paragraph.get("styleIDRef", ""), paragraph.get("paraPrIDRef", "")
        return self.styles.get(style, 0) or self.shapes.get(shape, 0)


def extract_hwpx(content: bytes, file_name: str) -> Extracted:
    """Read a document; pictures, equations, headers and footers are left out.

    Raises:
        InvalidInputError: encrypted, broken, or unpacks to too much.
    """
    check_package(content, kind="Hancom document", suffix=".hwpx")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if _MANIFEST in names and b"encryption-data" in archive.read(_MANIFEST):
                raise InvalidInputError("the Hancom document is encrypted; save it without a password")
            styles = _read_styles(fromstring(archive.read(_HEADER))) if _HEADER in names else _Styles({}, {})
            sections = sorted((int(found[1]), found[0]) for name in names if (found := _SECTION.fullmatch(name)))
            blocks: list[Block] = []
            for _, name in sections:
                blocks += _read_body(fromstring(archive.read(name)), styles, 0)
    except InvalidInputError:
        raise
    except (*_BROKEN, DefusedXmlException) as error:
        raise build_broken("Hancom document", ".hwpx") from error
    if not sections:
        raise build_broken("Hancom document", ".hwpx")
    return build_extracted(blocks, file_name=file_name)


def _name(element: Element) -> str:
    """A tag without its namespace, which changes from version to version."""
    return element.tag.rsplit("}", 1)[-1]


def _read_styles(header: Element) -> _Styles:
    shapes: dict[str, int] = {}
    styles: dict[str, int] = {}
    for element in header.iter():
        match _name(element):
            case "paraPr":
                heading = next((part for part in element.iter() if _name(part) == "heading"), None)
                if heading is not None and heading.get("type") == "OUTLINE":
                    shapes[element.get("id", "")] = int(heading.get("level", "0")) + 1
            case "style":
                level = find_style_level(element.get("name", "")) or find_style_level(element.get("engName", ""))
                styles[element.get("id", "")] = level
            case _:
                pass
    return _Styles(styles, shapes)


def _read_body(parent: Element, styles: _Styles, depth: int) -> Iterator[Block]:
    """Blocks of a section, a cell, a text box or a note."""
    for paragraph in parent:
        if _name(paragraph) == "p":
            parts = [part for run in paragraph if _name(run) == "run" for part in run]
            text = "".join(_read_text(part) for part in parts if _name(part) == "t")
            yield from build_paragraph(text, styles.find_level(paragraph))
            for part in parts:
                yield from _read_anchored(part, styles, depth + 1)


def _read_text(element: Element) -> str:
    """Text with its breaks, without what a tracked change deletes."""
    parts, deleted = [element.text or ""], False
    for child in element:
        name = _name(child)
        deleted = name == "deleteBegin" or (deleted and name != "deleteEnd")
        if not deleted:
            parts += [_SPACES.get(name, ""), child.tail or ""]
    return "".join(parts)


def _read_anchored(part: Element, styles: _Styles, depth: int) -> Iterator[Block]:
    """Tables, boxes and notes that hang on a paragraph."""
    if depth > MAX_DEPTH:
        raise InvalidInputError(f"expected at most {MAX_DEPTH} nested elements, got more; save the document again")
    name = _name(part)
    if name == "subList":
        yield from _read_body(part, styles, depth)
    elif name not in _UNSEEN:
        for child in part:
            if _name(child) != "tr":
                yield from _read_anchored(child, styles, depth + 1)
        if name == "tbl":
            yield from build_table([_read_row(row, styles, depth) for row in part if _name(row) == "tr"])


def _read_row(row: Element, styles: _Styles, depth: int) -> dict[int, list[Block]]:
    """Blocks of each cell by the column that it begins in."""
    cells: dict[int, list[Block]] = {}
    for cell in row:
        if _name(cell) == "tc":
            address = next((part for part in cell if _name(part) == "cellAddr"), None)
            column = int(address.get("colAddr", "0")) if address is not None else len(cells)
            if not 0 <= column <= MAX_COLUMNS:
                raise ValueError(f"expected a column up to {MAX_COLUMNS}, got {column}")
            cells[column] = [block for part in cell for block in _read_anchored(part, styles, depth + 1)]
    return cells
