"""What every format is read into: a title and ordered blocks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Literal

Kind = Literal["heading", "paragraph", "item", "row", "code"]

MAX_TEXT_CHARACTERS = 20_000_000
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a document.

    Attributes:
        level: of a heading from 1, of a list item from 0.
        page: from 1, where the format has pages.
    """

    kind: Kind
    text: str
    level: int = 0
    page: int | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a file that could not be read, and why, where the rest was: a member, an attachment, some pages."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Extracted:
    """A document as read, before it is cut into chunks.

    Attributes:
        needs_ocr: text recognition would have read more, and is not installed.
        sensitivity: name of the file's own label; empty where it has none.
        changed_at: when the text says that it last changed; None where it does not.
    """

    title: str
    blocks: list[Block]
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])
    needs_ocr: bool = False
    sensitivity: str = ""
    changed_at: datetime | None = None


def squeeze(text: str) -> str:
    """One line with single spaces."""
    return _SPACE.sub(" ", text).strip()


def build_rows(table: Sequence[Sequence[str]], *, page: int | None = None) -> list[Block]:
    """A table as one block a row, each carrying the header: `Site: Seoul | Limit: 40,000 won`.

    The first row is the header; a table of one row has none. Rows of a single cell above it are its caption.
    Empty rows are left out.
    """
    cleaned = [[squeeze(cell) for cell in row] for row in table]
    rows = [row for row in cleaned if any(row)]
    above = _count_captions(rows)
    captions = [Block("paragraph", " ".join(filter(None, row)), page=page) for row in rows[:above]]
    rows = rows[above:]
    header, body = (rows[0], rows[1:]) if len(rows) > 1 else ([], rows)
    return [*captions, *(Block("row", _label(header, row), page=page) for row in body)]


def _count_captions(rows: Sequence[Sequence[str]]) -> int:
    """Rows with one filled cell before the first with more; 0 where no row has more."""
    filled = [sum(map(bool, row)) for row in rows]
    return next((place for place, count in enumerate(filled) if count > 1), 0)


def _label(header: Sequence[str], row: Sequence[str]) -> str:
    pairs = zip_longest(header, row, fillvalue="")
    cells = [f"{name}: {value}" if name and name != value else value for name, value in pairs if value]
    return " | ".join(cells)


def build_extracted(
    blocks: Sequence[Block], *, file_name: str, title: str = "", changed_at: datetime | None = None
) -> Extracted:
    """Blocks without the empty ones, under the title given, the first heading, or the file's name."""
    kept = [block for block in blocks if block.text.strip()]
    first = next((block.text for block in kept if block.kind == "heading"), "")
    title = squeeze(title) or squeeze(first) or PurePosixPath(file_name).stem
    return Extracted(title, kept, changed_at=changed_at)
