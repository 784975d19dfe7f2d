"""Text recognition by Tesseract, for scans and pictures; a program of its own, apart from the Python packages."""

import shutil
from importlib import import_module
from typing import Any

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block
from retrieval.formats.text import split_paragraphs

DPI = 150
MAX_PAGES = 500
_LANGUAGES = ("kor", "eng")
_PAGE_SECONDS = 60
# Tesseract's own search for blocks overlooks a page of one line; told that the page is one block, it finds it.
_ONE_BLOCK = "--psm 6"
_LEAST_SURE = 60
MISSING = "text recognition is not installed; install tesseract-ocr and tesseract-ocr-kor and ingest again"


def is_installed() -> bool:
    """Whether Tesseract is there with Korean and English."""
    if not shutil.which("tesseract"):
        return False
    pytesseract = _load()
    try:
        return set(_LANGUAGES) <= set(pytesseract.get_languages())
    except (pytesseract.TesseractError, OSError):
        return False


def recognise(picture: Any, page: int | None) -> list[Block]:
    """Paragraphs of a page; none where there is no text on it.

    Args:
        picture: a Pillow image.

    Raises:
        InvalidInputError: the page takes longer than a minute, or Tesseract fails.
    """
    pytesseract = _load()
    options = {"lang": "+".join(_LANGUAGES), "timeout": _PAGE_SECONDS}
    try:
        text: str = pytesseract.image_to_string(picture, **options)
        if not text.strip():
            text = _join(pytesseract.image_to_data(picture, config=_ONE_BLOCK, output_type="dict", **options))
    except pytesseract.TesseractError as error:
        raise InvalidInputError("text recognition failed on a page; scan it again") from error
    except RuntimeError as error:
        raise InvalidInputError(
            f"text recognition took more than {_PAGE_SECONDS} s on a page; scan it again"
        ) from error
    return [Block("paragraph", part, page=page) for part in split_paragraphs(text.replace("\f", "\n\n"))]


def _join(found: dict[str, list[Any]]) -> str:
    """Words in one line; nothing where Tesseract is unsure of them, as it is of what it sees in a photograph."""
    words = [(word, float(sure)) for word, sure in zip(found["text"], found["conf"], strict=True) if word.strip()]
    if not words or sum(sure for _, sure in words) / len(words) < _LEAST_SURE:
        return ""
    return " ".join(word for word, _ in words)


def _load() -> Any:
    """The wrapper, only where it is needed: it loads pandas, which takes a second."""
    return import_module("pytesseract")
