"""Hancom documents of the binary format 5.0 (.hwp): paragraphs, tables, notes and headings by outline style.

Records as in Hancom's published description of the format, revision 1.3; the compound file is opened by olefile.
Newer than 2000 and older than 3.0 are other formats and refused.
"""

import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import unpack_from
from typing import Any, cast

import olefile  # pyright: ignore[reportMissingTypeStubs]

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block, Extracted, build_extracted
from retrieval.formats.hancom import build_paragraph, build_table, find_style_level
from retrieval.formats.package import MAX_UNPACKED_BYTES, OLE_MARK, build_broken

MAX_DEPTH = 100
MAX_COLUMNS = 1000
_SIGNATURE = b"HWP Document File"
_COMPRESSED, _ENCRYPTED, _DISTRIBUTED = 1, 2, 4
_STYLE, _PARAGRAPH_SHAPE = 26, 25
_PARAGRAPH, _TEXT, _CONTROL, _LIST, _TABLE = 66, 67, 71, 72, 77
_OUTLINE = 1
# Controls are named by four letters, stored backwards.
_TABLE_CONTROL = b" lbt"
_UNSEEN_CONTROLS = {b"daeh", b"toof", b"dces", b"tmct"}
_SECTION = re.compile(r"BodyText/Section(\d+)")
# Characters below 32 are controls: these take one place, all others eight, of which seven say what hangs there.
_SHORT = {0: "", 10: "\n", 13: "", 24: "-", 25: "", 26: "", 27: "", 28: "", 29: "", 30: " ", 31: " "}
_CONTROLS = re.compile("[\x00\x0a\x0d\x18-\x1f]|[\x01-\x09\x0b\x0c\x0e-\x17].{7}", re.DOTALL)


@dataclass(slots=True)
class _Record:
    """A record with those below it."""

    tag: int
    content: bytes
    below: list["_Record"] = field(default_factory=list["_Record"])


@dataclass(frozen=True, slots=True)
class _Styles:
    """Heading level by number: of paragraph styles, and of paragraph shapes."""

    styles: list[int]
    shapes: list[int]

    def find_level(self, paragraph: _Record) -> int:
        """0 is no heading."""
        if len(paragraph.content) < 11:
            return 0
        shape, style = unpack_from("<HB", paragraph.content, 8)
        named = self.styles[style] if style < len(self.styles) else 0
        return named or (self.shapes[shape] if shape < len(self.shapes) else 0)


def extract_hwp(content: bytes, file_name: str) -> Extracted:
    """Read a document; pictures, equations, page headers, footers and hidden comments are left out.

    Raises:
        InvalidInputError: encrypted, locked for distribution, of another version, broken, or unpacks to too much.
    """
    if not content.startswith(OLE_MARK):
        raise InvalidInputError("expected a Hancom document of version 5.0, got another file; save it as .hwpx")
    try:
        with cast(Any, olefile.OleFileIO(io.BytesIO(content))) as container:
            blocks = _read_container(container)
    except InvalidInputError:
        raise
    except (OSError, ValueError, LookupError, zlib.error, ArithmeticError, TypeError) as error:
        raise build_broken("Hancom document", ".hwp") from error
    return build_extracted(blocks, file_name=file_name)


def _read_container(container: Any) -> list[Block]:
    header = container.openstream("FileHeader").read(40)
    if not header.startswith(_SIGNATURE):
        raise build_broken("Hancom document", ".hwp")
    (flags,) = unpack_from("<I", header, 36)
    if flags & (_ENCRYPTED | _DISTRIBUTED):
        lock = "encrypted" if flags & _ENCRYPTED else "locked for distribution"
        raise InvalidInputError(f"the Hancom document is {lock}; save it without a password")
    is_compressed = bool(flags & _COMPRESSED)
    styles = _read_styles(_parse(_read_stream(container, "DocInfo", is_compressed)))
    paths: list[list[str]] = container.listdir()
    sections = sorted((int(found[1]), found[0]) for path in paths if (found := _SECTION.fullmatch("/".join(path))))
    blocks: list[Block] = []
    for _, name in sections:
        for record in _parse(_read_stream(container, name, is_compressed)):
            blocks += _read_record(record, styles, 0)
    return blocks


def _read_stream(container: Any, name: str, is_compressed: bool) -> bytes:
    stored: bytes = container.openstream(name).read()
    if not is_compressed:
        return stored
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    content = unpacker.decompress(stored, MAX_UNPACKED_BYTES)
    if unpacker.unconsumed_tail:
        raise InvalidInputError(f"unpacks to more than {MAX_UNPACKED_BYTES:,} bytes; split the document")
    return content


def _parse(content: bytes) -> list[_Record]:
    """Records as a tree: a header says tag (10 bits), level (10) and size (12, or a word of its own)."""
    root = _Record(0, b"")
    above = [(-1, root)]
    place = 0
    while place + 4 <= len(content):
        (header,) = unpack_from("<I", content, place)
        tag, level, size = header & 0x3FF, header >> 10 & 0x3FF, header >> 20
        place += 4
        if size == 0xFFF:
            (size,) = unpack_from("<I", content, place)
            place += 4
        record = _Record(tag, content[place : place + size])
        place += size
        while above[-1][0] >= level:
            above.pop()
        if len(above) > MAX_DEPTH:
            raise InvalidInputError(f"expected at most {MAX_DEPTH} nested records, got more; save the document again")
        above[-1][1].below.append(record)
        above.append((level, record))
    return root.below


def _read_styles(records: list[_Record]) -> _Styles:
    styles: list[int] = []
    shapes: list[int] = []
    for record in _flatten(records):
        if record.tag == _STYLE:
            styles.append(_read_style_level(record.content))
        elif record.tag == _PARAGRAPH_SHAPE:
            (attributes,) = unpack_from("<I", record.content)
            shapes.append((attributes >> 25 & 7) + 1 if attributes >> 23 & 3 == _OUTLINE else 0)
    return _Styles(styles, shapes)


def _flatten(records: list[_Record]) -> Iterator[_Record]:
    for record in records:
        yield record
        yield from _flatten(record.below)


def _read_style_level(content: bytes) -> int:
    """Level by either name of the style, Korean and English, each as a length and UTF-16."""
    place = 0
    for _ in range(2):
        (length,) = unpack_from("<H", content, place)
        name = content[place + 2 : place + 2 + 2 * length].decode("utf-16-le", "ignore")
        level = find_style_level(name)
        if level:
            return level
        place += 2 + 2 * length
    return 0


def _read_record(record: _Record, styles: _Styles, depth: int) -> Iterator[Block]:
    """Blocks of a paragraph and of what hangs on it: tables, boxes, notes."""
    if record.tag == _CONTROL:
        name = record.content[:4]
        if name == _TABLE_CONTROL:
            yield from _read_table(record, styles, depth)
            return
        if name in _UNSEEN_CONTROLS:
            return
    if record.tag == _PARAGRAPH:
        text = "".join(_read_text(part.content) for part in record.below if part.tag == _TEXT)
        yield from build_paragraph(text, styles.find_level(record))
    for part in record.below:
        yield from _read_record(part, styles, depth + 1)


def _read_text(content: bytes) -> str:
    # Character by character: what hangs on a control may look like half a surrogate pair.
    codes = unpack_from(f"<{len(content) // 2}H", content)
    text = _CONTROLS.sub(_replace_control, "".join(map(chr, codes)))
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def _replace_control(found: re.Match[str]) -> str:
    code = ord(found[0][0])
    return _SHORT.get(code, "\t" if code == 9 else "")


def _read_table(control: _Record, styles: _Styles, depth: int) -> list[Block]:
    """The records after the table's own are cells, each a list header with its place, then its paragraphs beside it."""
    captions: list[Block] = []
    rows: dict[int, dict[int, list[Block]]] = {}
    cell = captions
    is_inside = False
    for record in control.below:
        if record.tag == _TABLE:
            is_inside = True
        elif record.tag == _LIST:
            cell = _open_cell(record, rows) if is_inside else captions
            cell += [block for part in record.below for block in _read_record(part, styles, depth + 1)]
        else:
            cell += _read_record(record, styles, depth + 1)
    return [*captions, *build_table([rows[row] for row in sorted(rows)])]


def _open_cell(record: _Record, rows: dict[int, dict[int, list[Block]]]) -> list[Block]:
    column, row = unpack_from("<HH", record.content, 8)
    if column > MAX_COLUMNS:
        raise ValueError(f"expected a column up to {MAX_COLUMNS}, got {column}")
    return rows.setdefault(row, {}).setdefault(column, [])
