"""Excel workbooks (.xlsx), by openpyxl's streaming reader: sheets as sections, values as their cells show them."""

import datetime
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from openpyxl import load_workbook  # pyright: ignore[reportUnknownVariableType]
from openpyxl.utils.exceptions import InvalidFileException

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block, Extracted, build_extracted, build_rows
from retrieval.formats.number_format import show
from retrieval.formats.package import build_broken, check_package

MAX_FILLED_CELLS = 2_000_000
# A sheet with one cell at the far right of each row is padded to 16,384 cells a row.
MAX_CELLS = 20_000_000
_DEFAULT_NAME = re.compile(r"(?:Sheet|시트)\s*\d*")


@dataclass(frozen=True, slots=True)
class _Row:
    """Texts of a row; `has_values` where one is a number or a date, which headers are not."""

    cells: list[str]
    has_values: bool

    @property
    def filled(self) -> int:
        return sum(map(bool, self.cells))


def extract_xlsx(content: bytes, file_name: str) -> Extracted:
    """Read a workbook; hidden sheets are left out, formulas are read as their stored results.

    Raises:
        InvalidInputError: encrypted, broken, unpacks to too much, or has too many cells.
    """
    check_package(content, kind="workbook", suffix=".xlsx")
    try:
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheets = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
        blocks = _read_sheets(sheets)
        title = workbook.properties.title
        workbook.close()
    except InvalidInputError:
        raise
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, SyntaxError) as error:
        raise build_broken("workbook", ".xlsx") from error
    return build_extracted(blocks, file_name=file_name, title=title or PurePosixPath(file_name).stem)


def _read_sheets(sheets: Sequence[Any]) -> list[Block]:
    blocks: list[Block] = []
    budget = _Cells()
    named = len(sheets) > 1 or not all(_DEFAULT_NAME.fullmatch(sheet.title) for sheet in sheets)
    for sheet in sheets:
        # The size that a file declares may be wrong, and rows are padded to it.
        sheet.reset_dimensions()
        below = [block for table in _find_tables(_read_rows(sheet, budget)) for block in build_rows(table)]
        if below and named:
            blocks.append(Block("heading", sheet.title, level=1))
        blocks += below
    return blocks


@dataclass(slots=True)
class _Cells:
    """How many cells were met so far in the workbook."""

    seen: int = 0
    filled: int = 0

    def count(self, row: Sequence[Any]) -> None:
        self.seen += len(row)
        if self.seen > MAX_CELLS:
            raise InvalidInputError(f"expected at most {MAX_CELLS:,} cells, empty ones included, got more; split it")

    def count_filled(self, filled: int) -> None:
        self.filled += filled
        if self.filled > MAX_FILLED_CELLS:
            raise InvalidInputError(f"expected at most {MAX_FILLED_CELLS:,} filled cells, got more; split it")


def _read_rows(sheet: Any, budget: _Cells) -> Iterator[_Row]:
    """Rows as shown, empty ones too."""
    for row in sheet.rows:
        budget.count(row)
        cells = [("" if cell.value is None else show(cell.value, cell.number_format)) for cell in row]
        budget.count_filled(sum(map(bool, cells)))
        values = (int, float, datetime.date, datetime.time)
        yield _Row(cells, any(isinstance(cell.value, values) for cell in row))


def _find_tables(rows: Iterator[_Row]) -> Iterator[list[list[str]]]:
    """Tables of a sheet: an empty row ends one where a caption or a new header follows, else its header goes on."""
    table: list[_Row] = []
    after_gap = False
    for row in rows:
        if not row.filled:
            after_gap = True
            continue
        begins = row.filled == 1 or (not row.has_values and any(one.has_values for one in table))
        if table and after_gap and begins:
            yield [one.cells for one in table]
            table = []
        table.append(row)
        after_gap = False
    if table:
        yield [one.cells for one in table]
