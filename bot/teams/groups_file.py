"""Groups of people by a file, for tenants whose admin grants no look into the directory.

[groups]
"kim@example.com" = ["hr", "managers"]
"00000000-0000-0000-0000-000000000000" = ["hr"]  # object id of a person, or of a group that Graph tells of
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from core.errors import InvalidInputError
from retrieval.sources.principals import group


class GroupsFile:
    """Finds the groups of whom it names.

    Args:
        groups: principals by e-mail or object id, in lower case.
    """

    def __init__(self, groups: Mapping[str, list[str]]) -> None:
        self._groups = groups

    def find(self, names: Iterable[str | None]) -> list[str]:
        """The principals of somebody who has these names."""
        known = [name.lower() for name in names if name]
        return list(dict.fromkeys(principal for name in known for principal in self._groups.get(name, ())))


def load_groups(path: Path | None) -> GroupsFile | None:
    """The file, TOML or JSON by its name; None where there is none.

    Raises:
        InvalidInputError: it cannot be read, or does not say what is asked for.
    """
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
        read: dict[str, Any] = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"TEAMS_GROUPS_FILE: {path} cannot be read: {error}") from error
    return GroupsFile(_read_table(read, path))


def _read_table(read: object, path: Path) -> dict[str, list[str]]:
    table: object = cast(dict[str, Any], read).get("groups") if isinstance(read, dict) else None
    if not isinstance(table, dict):
        raise InvalidInputError(f"TEAMS_GROUPS_FILE: expected a table [groups] in {path}, got none")
    groups: dict[str, list[str]] = {}
    for key, names in cast(dict[str, Any], table).items():
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in cast(list[Any], names)):
            raise InvalidInputError(
                f"TEAMS_GROUPS_FILE: expected a list of groups for {key!r} in {path}, got {names!r}"
            )
        listed = cast(list[str], names)
        groups[key.lower()] = [one for name in listed for one in ([name] if ":" in name else group(name))]
    return groups
