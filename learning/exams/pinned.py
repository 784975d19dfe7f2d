"""The pinned exam: reviewed four-choice items as they will always be asked, under a name that is their hash.

An item is asked as long as its documents are there and say what they said; one that is gone takes its words along. A
name stands for the same words for good, so two runs of one exam can be compared, item by item.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

import orjson

from core.database import Database
from core.errors import InvalidInputError, NotFoundError
from core.prompt import Language
from core.sql import load_queries
from learning.exercises.draft import hash_parts
from learning.exercises.store import Exercise

QUERIES = load_queries(__file__)

NAME_LETTERS = 10
"""Of the hash that stand in a name."""
USUAL_ITEMS = 500


@dataclass(frozen=True, slots=True)
class Pinned:
    """An exam; `asked` of its `items` have their documents still."""

    id: int
    sha256: str
    items: int
    asked: int
    pinned_by: str
    pinned_at: datetime

    @property
    def name(self) -> str:
        """What a command calls it."""
        return f"exam-{self.sha256[:NAME_LETTERS]}"

    @property
    def gone(self) -> int:
        """Items whose documents have gone or changed."""
        return self.items - self.asked


@dataclass(frozen=True, slots=True)
class Words:
    """An item as it is asked.

    Attributes:
        version: of the document of its clue.
    """

    exercise_id: int
    version: int
    language: Language
    question: str
    options: list[str]
    right_option: int

    @property
    def sha256(self) -> str:
        """Equal for the same words of the same exercise and version."""
        return hash_parts(self.exercise_id, self.version, self.question, self.right_option, *self.options)


@dataclass(frozen=True, slots=True)
class PinnedItem:
    """An item of an exam.

    Attributes:
        documents: id, title and readers of each document whose text stands in it, that of the clue first.
    """

    place: int
    exercise_id: int
    version: int
    sha256: str
    language: Language
    question: str
    options: list[str]
    right_option: int
    documents: list[dict[str, Any]]

    @property
    def group(self) -> str:
        """The document that it stands or falls with."""
        return str(self.documents[0]["id"])


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


class PinnedExams:
    """The exams so far; what is pinned never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pin(self, exercises: Sequence[Exercise], *, count: int, by: str) -> tuple[Pinned, bool]:
        """Pin up to `count` of these accepted exam items; the exam, and whether it is new.

        Raises:
            InvalidInputError: there are none.
        """
        words = choose_items(exercises, count)
        if not words:
            raise InvalidInputError(
                "expected accepted four-choice items to pin, found none; make some with `nightbake exercises make "
                "--kind four_choice --for exam` and accept them in `nightbake exercises review`"
            )
        items = [asdict(one) | {"sha256": one.sha256} for one in words]
        sha256 = hash_parts(*(one.sha256 for one in words))
        values = {"items": orjson.dumps(items).decode(), "sha256": sha256, "by": by}
        is_new = await self._database.fetch_one(QUERIES["pin"], values, _Id) is not None
        return await self._get(sha256), is_new

    async def find_all(self) -> list[Pinned]:
        """The newest first."""
        return await self._database.fetch_all(QUERIES["find_exams"], None, Pinned)

    async def get(self, name: str | None = None) -> Pinned:
        """An exam by its name or the beginning of it, or the newest.

        Raises:
            NotFoundError: there is none, or several begin so.
        """
        found = await self.find_all()
        if not found:
            raise NotFoundError(
                "no pinned exam; make items (`nightbake exercises make --kind four_choice --for exam`), accept them in "
                "`nightbake exercises review`, then `nightbake exam pin`"
            )
        if name is None:
            return found[0]
        wanted = [one for one in found if one.sha256.startswith(name.removeprefix("exam-"))]
        if len(wanted) != 1:
            raise NotFoundError(f"expected the name of one pinned exam, got {name!r}; `nightbake exam list` has them")
        return wanted[0]

    async def find_items(self, exam_id: int, *, principals: Sequence[str] | None = None) -> list[PinnedItem]:
        """Items that are still asked, in their order.

        Args:
            principals: only what these may read all documents of; None for all, which is for admins alone.
        """
        values = {"exam_id": exam_id, "principals": None if principals is None else list(principals)}
        return await self._database.fetch_all(QUERIES["find_items"], values, PinnedItem)

    async def _get(self, sha256: str) -> Pinned:
        return next(one for one in await self.find_all() if one.sha256 == sha256)


def choose_items(exercises: Sequence[Exercise], count: int) -> list[Words]:
    """As many as there are up to `count`, one of each document in turn, so that few documents do not stand for all.

    The same items give the same exam, in whatever order they come.
    """
    by_document: dict[int, list[Words]] = {}
    for one in exercises:
        by_document.setdefault(one.documents[0]["id"], []).append(_take_words(one))
    queues = [sorted(words, key=lambda item: item.sha256) for _, words in sorted(by_document.items())]
    return [item for turn in zip_longest(*queues) for item in turn if item is not None][:count]


def _take_words(exercise: Exercise) -> Words:
    """With the right option as whoever edited it wrote it."""
    right = exercise.right_option
    assert right is not None, "a four-choice item has a right option"
    options = [exercise.answer if at == right else option for at, option in enumerate(exercise.options)]
    version, language = exercise.documents[0]["version"], "ko" if exercise.language == "ko" else "en"
    return Words(exercise.id, version, language, exercise.question, options, right)
