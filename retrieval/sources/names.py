"""Paths for documents of services that know titles and ids, not files."""

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath

_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\]+")
_MAX_CHARACTERS = 120


def clean_name(name: str) -> str:
    """One part of a path: NFC, without slashes and control characters, not too long."""
    return " ".join(_NOT_IN_NAMES.sub(" ", unicodedata.normalize("NFC", name)).split())[:_MAX_CHARACTERS] or "untitled"


def build_path(name: str, key: str, suffix: str) -> str:
    """`Travel policy~1f3a9c0d.md`: a title need not be the only one of its kind, its id is.

    Args:
        suffix: with its dot; one that the name ends in already is not put twice.
    """
    stem = name[: -len(suffix)] if suffix and name.lower().endswith(suffix.lower()) else name
    return f"{clean_name(stem)}~{hashlib.sha256(key.encode()).hexdigest()[:8]}{suffix}"


def find_suffix(name: str) -> str:
    """`.docx`, in lower case; empty where the name has none."""
    return PurePosixPath(name).suffix.lower()
