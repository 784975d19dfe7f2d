"""PowerPoint presentations (.pptx), by python-pptx: slides as pages, with titles, tables and speaker's notes."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, cast

from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER
from pptx.exc import PackageNotFoundError

from core.prompt import detect_language
from retrieval.formats.blocks import Block, Extracted, build_extracted, build_rows, squeeze
from retrieval.formats.package import build_broken, check_package

_UNSEEN = {PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.HEADER, PP_PLACEHOLDER.SLIDE_NUMBER}
_LISTS = {PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.VERTICAL_BODY, PP_PLACEHOLDER.VERTICAL_OBJECT}
_SLIDE = {"en": "Slide", "ko": "슬라이드"}


def extract_pptx(content: bytes, file_name: str) -> Extracted:
    """Read a presentation; hidden slides are left out.

    Raises:
        InvalidInputError: encrypted, broken, or unpacks to too much.
    """
    check_package(content, kind="presentation", suffix=".pptx")
    try:
        presentation = Presentation(io.BytesIO(content))
        blocks = [
            block
            for number, slide in enumerate(presentation.slides, start=1)
            if cast(Any, slide).element.get("show") != "0"
            for block in _read_slide(slide, number)
        ]
        title = presentation.core_properties.title
    except (PackageNotFoundError, KeyError, ValueError, SyntaxError, zipfile.BadZipFile) as error:
        raise build_broken("presentation", ".pptx") from error
    first = next((block for block in blocks if block.kind == "heading" and block.page == 1), None)
    return build_extracted(blocks, file_name=file_name, title=first.text if first else title)


def _read_slide(slide: Any, page: int) -> list[Block]:
    """A heading, so that no slide goes under the one before it, and what is below."""
    titled = slide.shapes.title
    below = [block for block in _read_shapes(slide.shapes, page, titled) if block.text]
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text.replace("\v", "\n").strip()
        below += [Block("paragraph", notes, page=page)] if notes else []
    title = squeeze(titled.text_frame.text) if titled is not None and titled.has_text_frame else ""
    if not title and not below:
        return []
    name = title or f"{_SLIDE[detect_language(' '.join(block.text for block in below))]} {page}"
    return [Block("heading", name, level=1, page=page), *below]


def _read_shapes(shapes: Iterable[Any], page: int, titled: Any) -> Iterator[Block]:
    for shape in shapes:
        if titled is not None and shape.shape_id == titled.shape_id:
            continue
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            yield from _read_shapes(shape.shapes, page, titled)
        elif getattr(shape, "has_table", False):
            yield from build_rows(_read_table(shape.table), page=page)
        elif shape.has_text_frame:
            yield from _read_text(shape, page)


def _read_table(table: Any) -> list[list[str]]:
    return [["" if cell.is_spanned else cell.text for cell in row.cells] for row in table.rows]


def _read_text(shape: Any, page: int) -> Iterator[Block]:
    """A body is a list, every other box is a paragraph."""
    place = shape.placeholder_format.type if shape.is_placeholder else None
    if place in _UNSEEN:
        return
    lines = [(squeeze(line.text), line.level) for line in shape.text_frame.paragraphs]
    lines = [(text, level) for text, level in lines if text]
    if place in _LISTS and len(lines) > 1:
        for text, level in lines:
            yield Block("item", f"- {text}", level=level, page=page)
    else:
        yield Block("paragraph", "\n".join(text for text, _ in lines), page=page)
