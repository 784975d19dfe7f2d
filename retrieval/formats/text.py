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
    paragraphs = [Block("paragraph", part.strip()) for part in _BLANK.split(text)]
    return build_extracted(paragraphs, file_name=file_name)
