"""An old edition of a page goes behind the one that holds. Pure.

Two signs of an old edition: its title, heading or path says so, or path and title are those of another page found but
for an earlier year. Either costs a passage a fixed share of its score, so an old edition that fits much better stays in
front; and nothing where the question asks for it, by its year or by a word for what is over.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

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
_WORD = re.compile(r"[^\W_]+")


def put_back(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """The passages by score, those of old editions with a lower one.

    Args:
        passages: best first.
    """
    if _ASKS_FOR_IT.search(question):
        return list(passages)
    old = find_old(passages, asked=set(_YEAR.findall(question)))
    lowered = [
        replace(passage, score=passage.score * KEPT) if is_old else passage
        for passage, is_old in zip(passages, old, strict=True)
    ]
    return sorted(lowered, key=lambda passage: -passage.score)


def find_old(passages: Sequence[Passage], *, asked: Collection[str] = ()) -> list[bool]:
    """Of each passage whether it is of an old edition, beside the others.

    Args:
        asked: years that were asked for.
    """
    editions = defaultdict[str, list[_Edition]](list)
    for passage in passages:
        name, year = _read_path(passage.path)
        editions[name].append(_Edition(year, _read_title(passage)))
    return [_is_old(passage, editions, set(asked)) for passage in passages]


@dataclass(frozen=True, slots=True)
class _Edition:
    """Year in the path, and words of the title; a page without a year is taken for the one that holds."""

    year: str | None
    title: frozenset[str]

    def is_before(self, other: "_Edition") -> bool:
        """Whether the other one is of the same page, by its title too, and newer.

        Numbers of files look like years; pages that are merely numbered are about different things, or have no title
        of their own.
        """
        common = len(self.title & other.title)
        is_same_page = 2 * common > min(len(self.title), len(other.title))
        return is_same_page and self.year is not None and (other.year is None or self.year < other.year)


def _is_old(passage: Passage, editions: Mapping[str, Sequence[_Edition]], asked: set[str]) -> bool:
    described = f"{passage.title}\n{passage.heading_path}\n{passage.path}"
    if asked.intersection(_YEAR.findall(described)):
        return False
    name, year = _read_path(passage.path)
    own = _Edition(year, _read_title(passage))
    return bool(_SAYS_SO.search(described)) or any(own.is_before(other) for other in editions[name])


def _read_title(passage: Passage) -> frozenset[str]:
    """Words of a title without numbers; none where it is only the file's name with its number."""
    words = _WORD.findall(passage.title.lower())
    name = passage.path.rpartition("/")[2].partition(".")[0].lower()
    if _YEAR.search(passage.title) and words == _WORD.findall(name):
        return frozenset()
    return frozenset(word for word in words if not word.isdigit())


def _read_path(path: str) -> tuple[str, str | None]:
    """A path without its last year, in words, and the year."""
    found = list(_YEAR.finditer(path))
    if not found:
        return " ".join(_WORD.findall(path.lower())), None
    bare = f"{path[: found[-1].start()]} {path[found[-1].end() :]}"
    return " ".join(_WORD.findall(bare.lower())), found[-1][0]
