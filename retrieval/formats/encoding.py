"""Bytes to text: UTF-8, UTF-16 by its mark, and CP949, which older Korean files are written in."""

import codecs

from core.errors import InvalidInputError

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# cp1252 takes almost any bytes, so it comes last; CP949 refuses most Western text (an accent before a space or stop).
_GUESSES = ("utf-8", "cp949", "cp1252")


def decode_text(content: bytes) -> str:
    """Text of a file whose encoding is not declared.

    Raises:
        InvalidInputError: the bytes are no text.
    """
    marked = next((name for mark, name in _MARKS.items() if content.startswith(mark)), None)
    if not marked and b"\x00" in content:
        raise InvalidInputError("expected text, got a binary file; convert it or remove it from the folder")
    for encoding in (marked,) if marked else _GUESSES:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInputError("expected UTF-8 or CP949 text, got bytes that are neither; save the file as UTF-8")
