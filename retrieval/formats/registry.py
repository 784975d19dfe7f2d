"""Which adapter reads which file."""

from collections.abc import Callable
from pathlib import PurePosixPath

from core.errors import InvalidInputError
from retrieval.formats.blocks import Extracted
from retrieval.formats.docx import extract_docx
from retrieval.formats.html import extract_html
from retrieval.formats.markdown import extract_markdown
from retrieval.formats.pdf import extract_pdf
from retrieval.formats.text import extract_text

Adapter = Callable[[bytes, str], Extracted]

ADAPTERS: dict[str, Adapter] = {
    "docx": extract_docx,
    "html": extract_html,
    "markdown": extract_markdown,
    "pdf": extract_pdf,
    "text": extract_text,
}

_SUFFIXES = {
    ".docx": "docx",
    ".htm": "html",
    ".html": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".pdf": "pdf",
    ".txt": "text",
    ".text": "text",
}


def get_format(path: str) -> str:
    """Name of the format of a file, by its suffix.

    Raises:
        InvalidInputError: no adapter reads it.
    """
    suffix = PurePosixPath(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise InvalidInputError(f"expected one of {', '.join(sorted(_SUFFIXES))}, got {suffix or 'no suffix'!r}")
    return _SUFFIXES[suffix]


def extract(content: bytes, path: str) -> Extracted:
    """Read a file of any known format.

    Raises:
        InvalidInputError: unknown format, or the file is broken, encrypted or binary.
    """
    return ADAPTERS[get_format(path)](content, path)
