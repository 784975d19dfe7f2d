"""Lines of a PDF with their size and place, by PDFium; what they mean is decided in `pdf.py`."""

import re
import threading
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pypdfium2  # pyright: ignore[reportMissingTypeStubs]
import pypdfium2.raw as pdfium  # pyright: ignore[reportMissingTypeStubs]

from core.errors import InvalidInputError
from core.text import clean_text

# PDFium keeps global state and may be entered by one thread at a time.
_ONE_AT_A_TIME = threading.Lock()
_LINE = re.compile(r"[^\r\n]+")
# Wider than this, in font sizes, a gap lies between two columns and not between two words.
_COLUMN_GAP = 1.5
_BOLD_WEIGHT = 600
MAX_PAGES = 5000
_REASONS = {4: "is encrypted; save it without a password", 5: "uses a security scheme that is not supported"}


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line.

    Attributes:
        cells: the line cut at gaps as wide as a column's.
        size: font size in points; top and bottom are points from the page's lower edge.
        page: from 1.
    """

    cells: list[str]
    size: float
    bold: bool
    top: float
    bottom: float
    page: int

    @property
    def text(self) -> str:
        """The line's words."""
        return " ".join(self.cells)


def read_lines(content: bytes) -> tuple[list[Line], str]:
    """Every line of a PDF, and the title its author gave.

    Raises:
        InvalidInputError: encrypted, broken, or too long.
    """
    with _ONE_AT_A_TIME:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            reason = _REASONS.get(
                getattr(error, "err_code", 0) or 0, "is broken; open it in a viewer and print it again"
            )
            raise InvalidInputError(f"the PDF {reason}") from error
        try:
            return _read_document(document)
        except pypdfium2.PdfiumError as error:
            raise InvalidInputError("the PDF is broken; open it in a viewer and print it again") from error
        finally:
            document.close()


def _read_document(document: pypdfium2.PdfDocument) -> tuple[list[Line], str]:
    if len(document) > MAX_PAGES:
        raise InvalidInputError(f"expected at most {MAX_PAGES} pages, got {len(document)}; split the PDF")
    lines: list[Line] = []
    for number in range(len(document)):
        page = document[number]
        textpage = page.get_textpage()
        lines += _read_page(textpage, number + 1)
        textpage.close()
        page.close()
    return lines, document.get_metadata_value("Title")  # pyright: ignore[reportUnknownMemberType]


def _read_page(textpage: Any, page: int) -> list[Line]:
    text: str = textpage.get_text_range()
    matches = _LINE.finditer(text)
    return [_read_line(textpage, match, page) for match in matches if match[0].strip()]


def _read_line(textpage: Any, match: re.Match[str], page: int) -> Line:
    visible = [match.start() + place for place, char in enumerate(match[0]) if not char.isspace()]
    sizes = Counter(round(float(pdfium.FPDFText_GetFontSize(textpage, index)), 1) for index in visible)
    weights = [int(pdfium.FPDFText_GetFontWeight(textpage, index)) for index in (visible[0], visible[-1])]
    size = sizes.most_common(1)[0][0]
    _, bottom, _, top = textpage.get_charbox(visible[0])
    cells = _cut_cells(textpage, match, size)
    return Line(cells, size, min(weights) >= _BOLD_WEIGHT, float(top), float(bottom), page)


def _cut_cells(textpage: Any, match: re.Match[str], size: float) -> list[str]:
    words = list(re.finditer(r"\S+", match[0]))
    cells = [words[0][0]]
    for word, following in pairwise(words):
        right = float(textpage.get_charbox(match.start() + word.end() - 1)[2])
        left = float(textpage.get_charbox(match.start() + following.start())[0])
        if left - right > _COLUMN_GAP * size:
            cells.append(following[0])
        else:
            cells[-1] += f" {following[0]}"
    # Hyphens that PDFium marks as soft at a line's end, among other control characters, are no text.
    return [clean_text(cell.replace("\ufffe", "-")) for cell in cells]
