"""Lines of a PDF with their size and place, by PDFium; what they mean is decided in `pdf.py`."""

import re
import threading
from collections.abc import Iterator, Sequence
from ctypes import PYFUNCTYPE, addressof, c_double, c_int, c_void_p
from ctypes import cast as cast_pointer
from dataclasses import dataclass, field, replace
from math import hypot
from typing import Any, cast

import pypdfium2  # pyright: ignore[reportMissingTypeStubs]
import pypdfium2.raw  # pyright: ignore[reportMissingTypeStubs]

from core.errors import InvalidInputError
from core.text import clean_text
from retrieval.formats.pdf_grids import Grid, find_grids

pdfium = cast(Any, pypdfium2.raw)


def _bind(name: str, *arguments: Any, returns: Any = c_int) -> Any:
    """A function of PDFium that takes addresses as they are: the library's own checks take longer than the answer."""
    make = cast(Any, PYFUNCTYPE(returns, *arguments))
    return make(cast_pointer(getattr(pdfium, name), c_void_p).value)


# Asked of a text page about one of its characters, some hundred times a page.
_get_origin = _bind("FPDFText_GetCharOrigin", c_void_p, c_int, c_void_p, c_void_p)
_get_box = _bind("FPDFText_GetCharBox", c_void_p, c_int, c_void_p, c_void_p, c_void_p, c_void_p)
_get_font_size = _bind("FPDFText_GetFontSize", c_void_p, c_int, returns=c_double)
_get_font_weight = _bind("FPDFText_GetFontWeight", c_void_p, c_int)
_get_matrix = _bind("FPDFText_GetMatrix", c_void_p, c_int, c_void_p)
# PDFium keeps global state and may be entered by one thread at a time.
_ONE_AT_A_TIME = threading.Lock()
_LINE = re.compile(r"[^\r\n]+")
_WORD = re.compile(r"\S+")
# Wider than this, in font sizes, a gap lies between two columns and not between two words.
_COLUMN_GAP = 1.5
# Of a character, in font sizes, on average over a word; few fonts are narrower.
_LEAST_WIDTH = 0.33
_BOLD_WEIGHT = 600
# In characters; whether a longer line is bold is not asked, since it is no heading for that.
_LONGEST_BOLD = 100
# A word this much higher or lower, in font sizes, stands on another line and is no superscript; points at least.
_STEP, _LEAST_STEP = 0.6, 2.0
# A page with less text than a stamp, most of which is a picture, is a scan.
_STAMP_CHARACTERS = 25
_SCAN_SHARE = 0.5
_LONGEST_SIDE_PIXELS = 4000
MAX_PAGES = 5000
_REASONS = {4: "is encrypted; save it without a password", 5: "uses a security scheme that is not supported"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of a line between gaps as wide as a column's, or between borders.

    Attributes:
        left, right: points from the page's left edge.
        column: from 0, within the line's grid.
    """

    text: str
    left: float
    right: float
    column: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line.

    Attributes:
        size: font size in points.
        bold: all of it, and it is short enough for a heading.
        baseline: points from the page's lower edge.
        page: from 1.
        grid: the ruled table that it stands in.
    """

    cells: list[Cell]
    size: float
    bold: bool
    baseline: float
    page: int
    grid: Grid | None = None

    @property
    def text(self) -> str:
        """The line's words."""
        return " ".join(cell.text for cell in self.cells)


@dataclass(slots=True)
class Pages:
    """What a PDF's pages hold.

    Attributes:
        scans: pages, from 1, that are pictures of text; of such a page there is at most a stamp's worth of lines.
        broken: pages that cannot be opened.
    """

    title: str = ""
    lines: list[Line] = field(default_factory=list[Line])
    scans: list[int] = field(default_factory=list[int])
    broken: list[int] = field(default_factory=list[int])


def read_pages(content: bytes) -> Pages:
    """Every line of a PDF, and the title its author gave.

    Raises:
        InvalidInputError: encrypted, broken, or too long.
    """
    with _ONE_AT_A_TIME:
        document = _open(content)
        try:
            if len(document) > MAX_PAGES:
                raise InvalidInputError(f"expected at most {MAX_PAGES} pages, got {len(document)}; split the PDF")
            pages = Pages(document.get_metadata_value("Title"))  # pyright: ignore[reportUnknownMemberType]
            for number in range(1, len(document) + 1):
                try:
                    _read_page(document, number, pages)
                except pypdfium2.PdfiumError:
                    pages.broken.append(number)
            return pages
        finally:
            document.close()


def render_page(content: bytes, number: int, *, dpi: int) -> Any:
    """A page as a Pillow image in grey, smaller than asked for where the page is a poster.

    Raises:
        InvalidInputError: it cannot be drawn.
    """
    with _ONE_AT_A_TIME:
        document = _open(content)
        try:
            page = document[number - 1]
            longest_points = max(*page.get_size(), 1.0)
            scale = min(dpi / 72, _LONGEST_SIDE_PIXELS / longest_points)
            return cast(Any, page).render(scale=scale, grayscale=True).to_pil()
        except (pypdfium2.PdfiumError, ValueError) as error:
            raise InvalidInputError(f"page {number} cannot be drawn; open the PDF and print it again") from error
        finally:
            document.close()


def _open(content: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        reason = _REASONS.get(getattr(error, "err_code", 0) or 0, "is broken; open it in a viewer and print it again")
        raise InvalidInputError(f"the PDF {reason}") from error


def _read_page(document: pypdfium2.PdfDocument, number: int, pages: Pages) -> None:
    page = document[number - 1]
    textpage = page.get_textpage()
    try:
        text: str = textpage.get_text_range()
        reader = _LineReader(textpage.raw, number, find_grids(page.raw))
        found = [line for match in _LINE.finditer(text) if not match[0].isspace() for line in reader.read(match)]
        pages.lines += _join_baselines(found)
        if len(text.strip()) < _STAMP_CHARACTERS and _is_scan(page, has_text=bool(text.strip())):
            pages.scans.append(number)
    finally:
        textpage.close()
        page.close()


def _join_baselines(lines: Sequence[Line]) -> list[Line]:
    """PDFium begins a line anew where a piece is of another height, a single digit in a column for one."""
    joined: list[Line] = []
    for line in lines:
        last = joined[-1] if joined else line
        gap = line.cells[0].left - last.cells[-1].right
        if (
            joined
            and gap > 0
            and abs(line.baseline - last.baseline) < line.size / 5
            and not line.grid
            and not last.grid
        ):
            wide = gap > _COLUMN_GAP * line.size
            joined[-1] = replace(last, cells=[*last.cells, *line.cells] if wide else _join_cells(last, line))
        else:
            joined.append(line)
    return joined


def _join_cells(line: Line, after: Line) -> list[Cell]:
    left, right = line.cells[-1], after.cells[0]
    return [*line.cells[:-1], Cell(f"{left.text} {right.text}", left.left, right.right), *after.cells[1:]]


def _is_scan(page: Any, *, has_text: bool) -> bool:
    """A page without text on which something is drawn, or with a stamp on a large picture."""
    if not has_text:
        return int(pdfium.FPDFPage_CountObjects(page.raw)) > 0
    width, height = page.get_size()
    pictures = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3)
    boxes = [picture.get_bounds() for picture in pictures]
    areas = [(right - left) * (top - bottom) for left, bottom, right, top in boxes]
    return max(areas, default=0.0) > _SCAN_SHARE * width * height


class _LineReader:
    """Places and sizes of one page's characters. Every question is a call into PDFium: the time goes there."""

    def __init__(self, textpage: Any, page: int, grids: list[Grid]) -> None:
        self._textpage = cast_pointer(textpage, c_void_p).value
        self._page = page
        self._grids = grids
        self._numbers = [c_double() for _ in range(4)]
        self._addresses = [addressof(number) for number in self._numbers]
        self._matrix = pdfium.FS_MATRIX()
        self._matrix_address = addressof(self._matrix)

    def read(self, match: re.Match[str]) -> Iterator[Line]:
        """The line that a stretch of the page's text is; several where PDFium overlooked a step down."""
        words = list(_WORD.finditer(match[0]))
        lefts, baselines = self._find_places(match.start(), words)
        first = 0
        for place in range(1, len(words)):
            step = abs(baselines[place] - baselines[first])
            if step > _LEAST_STEP and step > _STEP * self._get_size(match.start() + words[first].start()):
                yield self._build_line(match, words[first:place], lefts[first:place], baselines[first])
                first = place
        yield self._build_line(match, words[first:], lefts[first:], baselines[first])

    def _build_line(
        self, match: re.Match[str], words: list[re.Match[str]], lefts: list[float], baseline: float
    ) -> Line:
        first, last = match.start() + words[0].start(), match.start() + words[-1].end() - 1
        size = self._find_size(match.start(), words)
        short = last - first < _LONGEST_BOLD
        bold = short and all(_get_font_weight(self._textpage, index) >= _BOLD_WEIGHT for index in (first, last))
        grid = next((one for one in self._grids if one.holds(lefts[0], baseline + size / 3)), None)
        cells = (
            self._cut_at_borders(match, words, lefts, grid) if grid else self._cut_at_gaps(match, words, lefts, size)
        )
        return Line(cells, size, bold, baseline, self._page, grid)

    def _find_size(self, offset: int, words: list[re.Match[str]]) -> float:
        """What most of the line has; a third word decides where its ends differ."""
        first, last = (self._get_size(offset + word.start()) for word in (words[0], words[-1]))
        middle = first if first == last else self._get_size(offset + words[len(words) // 2].start())
        return middle if middle in (first, last) else max(first, last)

    def _get_size(self, index: int) -> float:
        """Points on the page: some programs write everything at size 1 and scale it."""
        size = float(_get_font_size(self._textpage, index))
        if _get_matrix(self._textpage, index, self._matrix_address):
            size *= hypot(self._matrix.c, self._matrix.d) or 1.0
        return round(size, 1)

    def _find_places(self, offset: int, words: list[re.Match[str]]) -> tuple[list[float], list[float]]:
        """Where each word begins and its baseline, in points."""
        textpage = self._textpage
        (x, y), (to_x, to_y) = self._numbers[:2], self._addresses[:2]
        lefts: list[float] = []
        baselines: list[float] = []
        for word in words:
            _get_origin(textpage, offset + word.start(), to_x, to_y)
            lefts.append(x.value)
            baselines.append(y.value)
        return lefts, baselines

    def _get_right(self, index: int) -> float:
        _get_box(self._textpage, index, *self._addresses)
        return self._numbers[1].value

    def _cut_at_borders(
        self, match: re.Match[str], words: list[re.Match[str]], lefts: list[float], grid: Grid
    ) -> list[Cell]:
        """Cells between a table's rules; a word belongs where it begins."""
        columns = [grid.find_column(left + 1) for left in lefts]
        starts = [place for place in range(len(words)) if not place or columns[place] != columns[place - 1]]
        cells: list[Cell] = []
        for first, after in zip(starts, [*starts[1:], len(words)], strict=True):
            text = match[0][words[first].start() : words[after - 1].end()]
            cells.append(Cell(_clean(text), lefts[first], grid.xs[columns[first] + 1], columns[first]))
        return cells

    def _cut_at_gaps(
        self, match: re.Match[str], words: list[re.Match[str]], lefts: list[float], size: float
    ) -> list[Cell]:
        """Cells between wide gaps. Where a word ends is asked for only if it may end far before the next one."""
        offset, widest = match.start(), _COLUMN_GAP * size
        cells: list[Cell] = []
        first = 0
        for place in range(1, len(words)):
            before = words[place - 1]
            least_width = _LEAST_WIDTH * size * (before.end() - before.start())
            if lefts[place] - lefts[place - 1] - least_width > widest:
                right = self._get_right(offset + before.end() - 1)
                if lefts[place] - right > widest:
                    cells.append(Cell(_clean(match[0][words[first].start() : before.end()]), lefts[first], right))
                    first = place
        right = self._get_right(offset + words[-1].end() - 1)
        return [*cells, Cell(_clean(match[0][words[first].start() : words[-1].end()]), lefts[first], right)]


def _clean(text: str) -> str:
    """Hyphens that PDFium marks as soft at a line's end, among other control characters, are no text."""
    if text.isascii() and text.isprintable():
        return text
    return clean_text(" ".join(text.replace("\ufffe", "-").split()))
