"""The company's own words, from a TOML file: which the Korean analyser keeps whole, and which mean the same."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from core.errors import SettingsError
from core.text import clean_text
from retrieval.lexical import STOP_WORDS, find_words

LONGEST = 80
_TABLES = ("words", "synonyms")
_HANGUL = re.compile(r"[가-힣]")


@dataclass(frozen=True, slots=True)
class Dictionary:
    """What the file holds.

    Attributes:
        words: that the Korean analyser would take apart; part of how documents are read.
        groups: of words that mean the same, two or more each; no word is in two of them.
    """

    words: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()


EMPTY = Dictionary()


def load_dictionary(file: Path | None) -> Dictionary:
    """The dictionary of a file; an empty one where none is set.

    Raises:
        SettingsError: every mistake at once, with its line.
    """
    if file is None:
        return EMPTY
    try:
        text = file.read_text("utf-8-sig")
        parsed = tomllib.loads(text)
    except OSError as error:
        raise SettingsError([f"SYNONYMS_FILE: cannot read {str(file)!r}: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        advice = "names that are not plain English letters and digits need quotes"
        raise SettingsError([f"{file.name}: expected TOML in UTF-8, got something else: {error}; {advice}"]) from error
    return _Reading(file.name, text).read(parsed)


class _Reading:
    """One file on its way in, with the mistakes met so far."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._lines = text.splitlines()
        self._mistakes: list[str] = []

    def read(self, parsed: dict[str, Any]) -> Dictionary:
        for key in parsed.keys() - set(_TABLES):
            self._mistake(key, f"{key}: expected `words = [...]` or the table [synonyms], got another name")
        words = [word for word in self._read_words("words", parsed.get("words", [])) if self._is_korean(word)]
        groups = self._read_groups(parsed.get("synonyms", {}))
        if self._mistakes:
            raise SettingsError(self._mistakes)
        return Dictionary(tuple(sorted(set(words))), tuple(groups))

    def _read_groups(self, table: Any) -> list[tuple[str, ...]]:
        if not isinstance(table, dict):
            self._mistake(
                "synonyms", f'synonyms: expected a table, [synonyms] above lines as PTO = ["paid leave"], got {table!r}'
            )
            return []
        groups: list[tuple[str, ...]] = []
        owners: dict[str, str] = {}
        for key, others in cast(dict[str, Any], table).items():
            group: dict[str, str] = {}
            for word in self._read_words(key, [key, *others] if isinstance(others, list) else others):
                said = _normalise(word)
                owner = owners.setdefault(said, key)
                if owner == key:
                    group.setdefault(said, word)
                else:
                    self._mistake(word, f"{key}: {word!r} stands in the group {owner!r} already; join the two")
            if len(group) < 2 and isinstance(others, list):
                self._mistake(key, f"{key}: expected at least one other word that means the same, got none")
            groups.append(tuple(group.values()))
        return groups

    def _read_words(self, key: str, listed: Any) -> list[str]:
        """Those that are well-formed; the others are mistakes."""
        if not isinstance(listed, list):
            self._mistake(key, f"{key}: expected a list of words in brackets, got {listed!r}")
            return []
        found: list[str] = []
        for one in cast(list[Any], listed):
            word = " ".join(clean_text(one).split()) if isinstance(one, str) else ""
            if not word or len(word) > LONGEST or not _says_something(word):
                expected = f"a word or a few that say something, at most {LONGEST} characters"
                self._mistake(str(one), f"{key}: expected {expected}, got {one!r}")
            else:
                found.append(word)
        return found

    def _is_korean(self, word: str) -> bool:
        if _HANGUL.search(word) and " " not in word:
            return True
        self._mistake(word, f"words: expected one word with Hangul, got {word!r}; others are kept whole as they are")
        return False

    def _mistake(self, about: str, message: str) -> None:
        self._mistakes.append(f"{self._name} line {_find_line(self._lines, about)}: {message}")


def _says_something(word: str) -> bool:
    return bool(_HANGUL.search(word)) or any(one.term not in STOP_WORDS for one in find_words(word))


def _normalise(word: str) -> str:
    """The same for two forms of a word; in Korean only the spaces, for every command reads the file, and the analyser
    takes seconds to load."""
    if _HANGUL.search(word):
        return word.replace(" ", "").casefold()
    return " ".join(one.term for one in find_words(word))


def _find_line(lines: Sequence[str], about: str) -> int:
    """Number of the first line that holds a word, from 1; comments are not looked at."""
    for number, line in enumerate(lines, start=1):
        if about in line and not line.lstrip().startswith("#"):
            return number
    return 1
