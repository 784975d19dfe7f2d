"""Plain text: paragraphs between blank lines."""

import re

from retrieval.formats.blocks import Block, Extracted, build_extracted
from retrieval.formats.encoding import decode_text

_BLANK = re.compile(r"\n[ \t]*\n")


def extract_text(content: bytes, file_name: str) -> Extracted:
    """Read a text file; its title is its name.

    Raises:
        InvalidInputError: the bytes are no text.
    """
    text = decode_text(content).replace("\r\n", "\n").replace("\r", "\n")
    return build_extracted([Block("paragraph", part) for part in split_paragraphs(text)], file_name=file_name)


def split_paragraphs(text: str) -> list[str]:
    """Text between blank lines, trimmed."""
    return [part.strip() for part in _BLANK.split(text) if part.strip()]
