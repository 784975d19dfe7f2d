"""`.access.json`: who may read a folder and everything below it; the nearest file wins."""

import errno
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from core.errors import InvalidInputError
from core.text import clean_text

FILE_NAME = ".access.json"
_KEYS = frozenset({"allow", "deny", "owner"})


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Principals that may read, those that may not (they win), and whom to ask about the documents."""

    allow: list[str] = field(default_factory=list[str])
    deny: list[str] = field(default_factory=list[str])
    owner: str | None = None


def parse_rule(content: bytes) -> AccessRule:
    """Read the content of an access file.

    Raises:
        InvalidInputError: not the expected form; nothing of it is taken, since half a rule grants too much.
    """
    try:
        parsed: Any = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"expected JSON in {FILE_NAME}, got something else ({error})") from error
    if not isinstance(parsed, dict) or "allow" not in parsed:
        raise InvalidInputError(f'expected {{"allow": ["everyone"], "deny": []}} in {FILE_NAME}, got another form')
    values = cast(dict[str, Any], parsed)
    if unknown := sorted(set(values) - _KEYS):
        raise InvalidInputError(f"expected only {', '.join(sorted(_KEYS))} in {FILE_NAME}, got {unknown}")
    owner = values.get("owner")
    if owner is not None and not isinstance(owner, str):
        raise InvalidInputError(f"expected text as owner in {FILE_NAME}, got {type(owner).__name__}")
    return AccessRule(_parse_names(values, "allow"), _parse_names(values, "deny"), clean_text(owner) if owner else None)


def _parse_names(values: dict[str, Any], key: str) -> list[str]:
    names: Any = values.get(key, [])
    if not isinstance(names, list):
        raise InvalidInputError(f"expected a list as {key} in {FILE_NAME}, got {type(names).__name__}")
    for name in cast(list[Any], names):
        if not isinstance(name, str) or not name.strip():
            raise InvalidInputError(f"expected names such as 'group:people' in {key} of {FILE_NAME}, got {name!r}")
    return [clean_text(name).strip() for name in cast(list[str], names)]


def find_rule(folder: Path, inherited: AccessRule) -> AccessRule:
    """The rule of a folder: its own file's, else the inherited one.

    Raises:
        InvalidInputError: the file is malformed or cannot be read.
        OSError: the folder lies so deep that no file in it can be named.
    """
    path = folder / FILE_NAME
    try:
        return parse_rule(path.read_bytes())
    except FileNotFoundError:
        return inherited
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise
        raise InvalidInputError(f"cannot read {FILE_NAME}: {error.strerror}") from error


def find_rule_above(folder: Path, default: AccessRule) -> AccessRule:
    """The rule that a folder inherits from those above it.

    Raises:
        InvalidInputError: the nearest file above is malformed or cannot be read.
    """
    for parent in folder.parents:
        if (parent / FILE_NAME).exists():
            return find_rule(parent, default)
    return default
