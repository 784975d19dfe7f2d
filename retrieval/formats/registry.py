"""Which adapter reads which file. An adapter is imported when it is first needed: all together take a second."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import PurePosixPath
from typing import cast

from core.errors import InvalidInputError
from retrieval.formats.blocks import Extracted
from retrieval.formats.budget import Budget
from retrieval.formats.sensitivity import find_office_label

Adapter = Callable[[bytes, str], Extracted]
ContainerAdapter = Callable[[bytes, str, Budget], Extracted]

_SUFFIXES = {
    ".csv": "csv",
    ".docx": "docx",
    ".eml": "eml",
    ".htm": "html",
    ".html": "html",
    ".hwp": "hwp",
    ".hwpx": "hwpx",
    ".jpeg": "image",
    ".jpg": "image",
    ".markdown": "markdown",
    ".md": "markdown",
    ".pdf": "pdf",
    ".png": "image",
    ".pptx": "pptx",
    ".text": "text",
    ".tif": "image",
    ".tiff": "image",
    ".tsv": "csv",
    ".txt": "text",
    ".xlsm": "xlsx",
    ".xlsx": "xlsx",
    ".zip": "zip",
}
# Formats that hold files of other formats.
_CONTAINERS = {"eml", "zip"}
# Formats in which Office keeps a label.
_LABELLED = {"docx", "pptx", "xlsx"}


def get_format(path: str) -> str:
    """Name of the format of a file, by its suffix.

    Raises:
        InvalidInputError: no adapter reads it.
    """
    suffix = PurePosixPath(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise InvalidInputError(f"expected one of {', '.join(sorted(_SUFFIXES))}, got {suffix or 'no suffix'!r}")
    return _SUFFIXES[suffix]


def extract(content: bytes, path: str, budget: Budget | None = None) -> Extracted:
    """Read a file of any known format.

    Args:
        budget: what is left for the file that this one lies in.

    Raises:
        InvalidInputError: unknown format, or the file is broken, encrypted, binary, or unpacks to too much.
    """
    name = get_format(path)
    adapter = getattr(import_module(f"retrieval.formats.{name}"), f"extract_{name}")
    if name in _LABELLED:
        return replace(cast(Adapter, adapter)(content, path), sensitivity=find_office_label(content))
    if name not in _CONTAINERS:
        return cast(Adapter, adapter)(content, path)
    budget = budget or Budget()
    budget.enter()
    try:
        return cast(ContainerAdapter, adapter)(content, path, budget)
    finally:
        budget.leave()
