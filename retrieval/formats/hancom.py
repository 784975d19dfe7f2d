"""What both Hancom formats share: which paragraphs are headings, and tables that only draw a frame."""

import re
from collections.abc import Sequence

from retrieval.formats.blocks import Block, build_rows

_STYLE = re.compile(r"(?:개요|제목|outline|heading)\s*(\d+)", re.IGNORECASE)
_TITLES = ("제목", "title")
# Whole clauses are written in outline styles too, for their numbers.
_MAX_HEADING_CHARACTERS = 120


def find_style_level(name: str) -> int:
    """Heading level of a paragraph style by its name, `개요 2` or `Outline 2`; 0 is no heading."""
    match = _STYLE.fullmatch(name.strip())
    if match:
        return int(match[1])
    return 1 if name.strip().lower() in _TITLES else 0


def build_paragraph(text: str, level: int) -> list[Block]:
    """A heading where its style says so and it is short, else a paragraph; nothing of nothing."""
    text = text.strip()
    if not text:
        return []
    is_heading = level and len(text) <= _MAX_HEADING_CHARACTERS
    return [Block("heading", text, level=level) if is_heading else Block("paragraph", text)]


def build_table(rows: Sequence[dict[int, list[Block]]]) -> list[Block]:
    """Rows of cells by column; a table of one cell is a frame around text, not a table."""
    if len(rows) == 1 and len(rows[0]) == 1:
        return next(iter(rows[0].values()))
    width = max((max(row, default=-1) + 1 for row in rows), default=0)
    return build_rows([[_join(row.get(column, ())) for column in range(width)] for row in rows])


def _join(cell: Sequence[Block]) -> str:
    return " ".join(block.text for block in cell)
