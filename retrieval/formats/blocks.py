"""What every format is read into: a title and ordered blocks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Literal

Kind = Literal["heading", "paragraph", "item", "row", "code"]

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
class Extracted:
    """A document as read, before it is cut into chunks."""

    title: str
    blocks: list[Block]


def squeeze(text: str) -> str:
    """One line with single spaces."""
    return _SPACE.sub(" ", text).strip()


def build_rows(table: Sequence[Sequence[str]], *, page: int | None = None) -> list[Block]:
    """A table as one block a row, each carrying the header: `Site: Seoul | Limit: 40,000 won`.

    The first row is the header; a table of one row has none. Empty rows are left out.
    """
    cleaned = [[squeeze(cell) for cell in row] for row in table]
    rows = [row for row in cleaned if any(row)]
    header, body = (rows[0], rows[1:]) if len(rows) > 1 else ([], rows)
    return [Block("row", _label(header, row), page=page) for row in body]


def _label(header: Sequence[str], row: Sequence[str]) -> str:
    pairs = zip_longest(header, row, fillvalue="")
    cells = [f"{name}: {value}" if name and name != value else value for name, value in pairs if value]
    return " | ".join(cells)


def build_extracted(blocks: Sequence[Block], *, file_name: str, title: str = "") -> Extracted:
    """Blocks without the empty ones, under the title given, the first heading, or the file's name."""
    kept = [block for block in blocks if block.text.strip()]
    first = next((block.text for block in kept if block.kind == "heading"), "")
    return Extracted(squeeze(title) or squeeze(first) or PurePosixPath(file_name).stem, kept)
