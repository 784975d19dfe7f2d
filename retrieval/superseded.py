"""An old edition of a page goes behind the one that holds. Pure.

Two signs of an old edition: its title, heading or path says so, or its path is that of another page found but for an
earlier year. Either costs a passage a fixed share of its score, so an old edition that fits much better stays in front;
and nothing where the question asks for it, by its year or by a word for what is over.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from core.records import Passage

# What an old edition keeps of its score. Two editions of a page differ by less, the answer and what it is not by more.
KEPT = 0.8

_SAYS_SO = re.compile(
    r"(?i)\b(?:superseded|obsolete|deprecated|outdated|archived|no longer (?:valid|in force))\b"
    r"|구버전|구판|폐지됨|폐지된|\(폐지\)|만료됨|더 이상 (?:쓰지|유효하지)"
)
_ASKS_FOR_IT = re.compile(
    r"(?i)\b(?:superseded|obsolete|deprecated|outdated|archived|former(?:ly)?|previous(?:ly)?|used to be|"
    r"(?:old|older|earlier) (?:version|edition|rule|polic|page|document))"
    r"|예전|옛날|과거|종전|구버전|구판|폐지|이전 (?:규정|버전|판|정책|제도|기준|문서)"
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_LOOSE = re.compile(r"[\s._()\[\]-]+")


def put_back(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """The passages by score, those of old editions with a lower one.

    Args:
        passages: best first.
    """
    asked = set(_YEAR.findall(question))
    if _ASKS_FOR_IT.search(question):
        return list(passages)
    latest: dict[str, str] = {}
    for passage in passages:
        name, year = _read_path(passage.path)
        latest[name] = max(latest.get(name, ""), year or "9999")
    lowered = [
        replace(passage, score=passage.score * KEPT) if _is_old(passage, latest, asked) else passage
        for passage in passages
    ]
    return sorted(lowered, key=lambda passage: -passage.score)


def _is_old(passage: Passage, latest: dict[str, str], asked: set[str]) -> bool:
    described = f"{passage.title}\n{passage.heading_path}\n{passage.path}"
    if asked.intersection(_YEAR.findall(described)):
        return False
    name, year = _read_path(passage.path)
    return bool(_SAYS_SO.search(described)) or (year is not None and year < latest[name])


def _read_path(path: str) -> tuple[str, str | None]:
    """A path without its last year, and the year; a page without one is taken for the one that holds."""
    found = list(_YEAR.finditer(path))
    if not found:
        return _LOOSE.sub(" ", path.lower()), None
    last = found[-1]
    bare = path[: last.start()] + " " + path[last.end() :]
    return _LOOSE.sub(" ", bare.lower()), last[0]
