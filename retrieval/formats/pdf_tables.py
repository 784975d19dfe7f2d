"""Which lines of a PDF are a table or two columns of text, and what their order is. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import mean

from retrieval.formats.pdf_lines import Cell, Line

# Columns of running text, unlike those of a table, are long on both sides and run on for some lines.
_LEAST_COLUMN_LINES = 4
_LEAST_COLUMN_CHARACTERS = 24
_SAME_EDGE = 5.0


def group_lines(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines of one ruled table together, wherever they stand; runs of lines with wide gaps; and the rest."""
    ruled: dict[tuple[int, int], list[Line]] = {}
    for line in lines:
        if line.grid:
            ruled.setdefault((line.page, id(line.grid)), []).append(line)
    group: list[Line] = []
    for line in lines:
        inside = ruled.get((line.page, id(line.grid))) if line.grid else None
        if group and (line.grid or group[-1].grid or not _belong_together(group[-1], line)):
            yield group
            group = []
        if inside is None:
            group.append(line)
        elif inside[0] is line:
            yield inside
    if group:
        yield group


def _belong_together(line: Line, after: Line) -> bool:
    """Both with gaps and on one page, or both without."""
    with_gaps = len(line.cells) > 1
    return with_gaps == (len(after.cells) > 1) and (not with_gaps or line.page == after.page)


def build_table(group: Sequence[Line]) -> list[list[str]]:
    """Rows of cells; nothing where the lines are no table."""
    if group[0].grid:
        return _build_ruled(group)
    if len(group) < 2 or len(group[0].cells) < 2 or is_columns(group):
        return []
    return _build_aligned(group)


def find_header(table: Sequence[list[str]]) -> list[str]:
    """The first row that has more than one cell, as `build_rows` takes it."""
    return next((row for row in table if sum(map(bool, row)) > 1), table[0])


def continues_overleaf(before: Sequence[Line], group: Sequence[Line]) -> bool:
    """Whether a table goes on from the page before: it has the same columns, and nothing stands between.

    Args:
        before: lines of the table just before; empty where that was none.
    """
    if not before or group[0].page != before[-1].page + 1:
        return False
    one, other = before[0].grid, group[0].grid
    if one and other:
        pairs = zip(one.xs, other.xs, strict=False)
        return len(one.xs) == len(other.xs) and all(abs(x - y) < _SAME_EDGE for x, y in pairs)
    widths = [max(len(line.cells) for line in lines) for lines in (before, group)]
    return not one and not other and widths[0] == widths[1]


def _build_ruled(lines: Sequence[Line]) -> list[list[str]]:
    """Cells between drawn borders, of as many lines as they have; a table of one column is a frame around text."""
    grid = lines[0].grid
    assert grid, "the lines of a ruled table know it"
    rows = [[""] * (len(grid.xs) - 1) for _ in range(len(grid.ys) - 1)]
    for line in lines:
        row = rows[grid.find_row(line.baseline + line.size / 3)]
        for cell in line.cells:
            row[cell.column] = f"{row[cell.column]} {cell.text}".strip()
    return rows if any(sum(map(bool, row)) > 1 for row in rows) else []


def _build_aligned(lines: Sequence[Line]) -> list[list[str]]:
    """Cells below each other: the fullest lines show where the columns are, the others' cells go where they lie."""
    width = max(len(line.cells) for line in lines)
    full = [line for line in lines if len(line.cells) == width]
    columns = [
        (min(line.cells[place].left for line in full), max(line.cells[place].right for line in full))
        for place in range(width)
    ]
    rows: list[list[str]] = []
    for line in lines:
        row = [""] * width
        for place, cell in enumerate(line.cells):
            at = place if len(line.cells) == width else _find_nearest(columns, cell)
            row[at] = f"{row[at]} {cell.text}".strip()
        rows.append(row)
    return rows


def _find_nearest(columns: Sequence[tuple[float, float]], cell: Cell) -> int:
    """The column that a cell shares most with, else the nearest."""
    shared = [min(right, cell.right) - max(left, cell.left) for left, right in columns]
    return max(range(len(columns)), key=shared.__getitem__)


def is_columns(group: Sequence[Line]) -> bool:
    """Whether lines with a gap are two columns of running text, printed across both."""
    if len(group) < _LEAST_COLUMN_LINES or any(len(line.cells) != 2 for line in group):
        return False
    return all(mean(len(line.cells[side].text) for line in group) >= _LEAST_COLUMN_CHARACTERS for side in (0, 1))


def order_columns(group: Sequence[Line]) -> list[Line]:
    """The left column before the right one; other lines as they are."""
    if not is_columns(group):
        return list(group)
    return [replace(line, cells=[line.cells[side]]) for side in (0, 1) for line in group]
