"""PDF: headings by font size, paragraphs by line spacing, tables and columns by gaps, scans by text recognition."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from core.errors import InvalidInputError
from retrieval.formats import ocr
from retrieval.formats.blocks import Block, Extracted, LeftOut, build_extracted, build_rows
from retrieval.formats.pdf_lines import Line, Pages, read_pages, render_page
from retrieval.formats.pdf_tables import build_table, continues_overleaf, find_header, group_lines, order_columns

# A heading is this much larger than the body, or bold and short.
_HEADING_RATIO = 1.15
_MAX_HEADING_CHARACTERS = 120
_MAX_BOLD_HEADING_CHARACTERS = 60
# A paragraph is this much further from the one above than its lines are from each other.
_PARAGRAPH_GAP = 1.3
_WIDEST_PITCH = 2.2
_ITEM = re.compile(r"^(?:[•·▪◦‣∙\-–*○●■□]|\(?\d{1,2}[.)]|[가-하][.)])\s+")
_SENTENCE_END = re.compile(r"[.!?。:]$")
_DIGITS = re.compile(r"\d+")


def extract_pdf(content: bytes, file_name: str) -> Extracted:
    """Read a PDF; the title is its largest first heading, else what its author set, else the file's name.

    Raises:
        InvalidInputError: encrypted, broken, without text, or a scan where text recognition is not installed.
    """
    pages = read_pages(content)
    recognised, left_out = _read_scans(content, pages)
    scans = {block.page for block in recognised}
    lines = [line for line in pages.lines if line.page not in scans]
    blocks = [*_build_blocks(_drop_running_lines(lines)), *recognised]
    if not blocks:
        raise InvalidInputError(left_out[0].reason if left_out else "the PDF has no text; remove it from the folder")
    blocks.sort(key=lambda block: block.page or 0)
    first = next((block.text for block in blocks if block.kind == "heading"), "")
    extracted = build_extracted(blocks, file_name=file_name, title=first or pages.title)
    needs_ocr = any(part.reason == ocr.MISSING for part in left_out)
    return Extracted(extracted.title, extracted.blocks, left_out, needs_ocr)


def _read_scans(content: bytes, pages: Pages) -> tuple[list[Block], list[LeftOut]]:
    """Text recognised on pages that have none, and the pages that cannot be read."""
    left_out = [LeftOut(_name(pages.broken), "cannot be opened; print the PDF again")] if pages.broken else []
    if pages.scans and not ocr.is_installed():
        return [], [*left_out, LeftOut(_name(pages.scans), ocr.MISSING)]
    if len(pages.scans) > ocr.MAX_PAGES:
        reason = f"text recognition reads {ocr.MAX_PAGES} pages of a file; split the PDF"
        left_out.append(LeftOut(_name(pages.scans[ocr.MAX_PAGES :]), reason))
    blocks: list[Block] = []
    for number in pages.scans[: ocr.MAX_PAGES]:
        try:
            blocks += ocr.recognise(render_page(content, number, dpi=ocr.DPI), number)
        except InvalidInputError as error:
            left_out.append(LeftOut(_name([number]), str(error)))
    return blocks, left_out


def _name(numbers: Sequence[int]) -> str:
    """Pages for a report, at most ten by number."""
    more = f" and {len(numbers) - 10} more" if len(numbers) > 10 else ""
    return f"page {', '.join(map(str, numbers[:10]))}{more}"


def _drop_running_lines(lines: list[Line]) -> list[Line]:
    """Leave out headers, footers and page numbers: first or last lines that return on most pages."""
    pages = [list(group) for _, group in groupby(lines, key=lambda line: line.page)]
    edges = Counter(form for page in pages for form in {_form(line) for line in (page[0], page[-1])})
    running = {form for form, count in edges.items() if count >= 3 and count * 2 > len(pages)}
    return [
        line
        for page in pages
        for place, line in enumerate(page)
        if not (place in (0, len(page) - 1) and _form(line) in running)
    ]


def _form(line: Line) -> str:
    """A line with its numbers levelled: `Page 3 of 9` returns as `Page 0 of 0`."""
    return _DIGITS.sub("0", line.text)


def _find_body_size(lines: Sequence[Line]) -> float:
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _build_blocks(lines: Sequence[Line]) -> list[Block]:
    body = _find_body_size(lines)
    larger = sorted({line.size for line in lines if line.size >= body * _HEADING_RATIO}, reverse=True)
    levels = {size: min(place, 6) for place, size in enumerate(larger, start=1)}
    blocks: list[Block] = []
    pitch = _find_pitch(lines)
    before: list[Line] = []
    header: list[str] = []
    for group in group_lines(lines):
        table = build_table(group)
        if table and continues_overleaf(before, group):
            table = [header, *(row for row in table if row != header)]
        if table:
            header = find_header(table)
            blocks += build_rows(table, page=group[0].page)
        else:
            blocks += _build_prose(order_columns(group), levels, min(len(levels) + 1, 6), pitch)
        before = group if table else []
    return blocks


def _find_pitch(lines: Sequence[Line]) -> float:
    """The usual distance between lines, in font sizes: 1.2 in Latin books, 1.6 in Korean reports."""
    distances = Counter(
        round((line.baseline - after.baseline) / line.size, 1)
        for line, after in pairwise(lines)
        if line.page == after.page and line.size == after.size > 0
    )
    usual = [distance for distance, _ in distances.most_common(3) if 0.9 < distance < _WIDEST_PITCH]
    return usual[0] if usual else _WIDEST_PITCH


def _build_prose(lines: Sequence[Line], levels: dict[float, int], bold_level: int, pitch: float) -> Iterator[Block]:
    paragraph: list[Line] = []
    for line in lines:
        level = _find_level(line, levels, bold_level)
        if paragraph and (level or _starts_paragraph(paragraph[-1], line, pitch)):
            yield _join(paragraph)
            paragraph = []
        if level:
            yield Block("heading", line.text, level=level, page=line.page)
        else:
            paragraph.append(line)
    if paragraph:
        yield _join(paragraph)


def _find_level(line: Line, levels: dict[float, int], bold_level: int) -> int:
    if line.size in levels and len(line.text) <= _MAX_HEADING_CHARACTERS:
        return levels[line.size]
    short = len(line.text) <= _MAX_BOLD_HEADING_CHARACTERS and not _SENTENCE_END.search(line.text)
    return bold_level if line.bold and short and len(line.cells) == 1 else 0


def _starts_paragraph(previous: Line, line: Line, pitch: float) -> bool:
    """A wider distance than usual, a list's next item, or, on the next page or column, a sentence that has ended."""
    if _ITEM.match(line.text):
        return True
    distance = previous.baseline - line.baseline
    if line.page != previous.page or distance < -_WIDEST_PITCH * line.size:
        return bool(_SENTENCE_END.search(previous.text))
    return distance > _PARAGRAPH_GAP * pitch * max(line.size, previous.size)


def _join(lines: Sequence[Line]) -> Block:
    text = "\n".join(line.text for line in lines)
    kind = "item" if _ITEM.match(text) else "paragraph"
    return Block(kind, text, page=lines[0].page)
