"""Golden questions in the tables, with what people said of them and of the answers that they got."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.golden import GoldenQuestion
from core.database import Database
from core.errors import InvalidInputError, NotFoundError
from core.prompt import Language, detect_language
from core.sql import load_queries
from core.text import clean_text

QUERIES = load_queries(__file__)

ADVISED = 20
"""Fewer questions tell little: of 20 right ones of 20, the interval still begins at 84 %."""
LONGEST_QUESTION, LONGEST_ANSWER = 600, 1200

Verdict = Literal["accept", "edit", "reject"]
State = Literal["waits", "accepted", "rejected"]
STATES: tuple[State, ...] = ("waits", "accepted", "rejected")


@dataclass(frozen=True, slots=True)
class StoredGolden:
    """A question of the tables.

    Attributes:
        state: what the last reviewer said; one that waits is asked too, one that was rejected is not.
        missing: sources of which no document has the path now.
    """

    id: int
    language: Language
    question: str
    answer: str
    accept: list[str]
    sources: list[str]
    principals: list[str]
    added_by: str
    added_at: datetime
    state: State
    missing: list[str]

    @property
    def asked(self) -> GoldenQuestion:
        """As it is asked beside those of a file."""
        return GoldenQuestion(
            f"golden-{self.id}", self.language, self.question, self.answer, self.accept, self.sources, self.principals,
            demo=False,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer that the bot gave to a golden question, and whether a person found it right."""

    golden: GoldenQuestion
    said: str
    is_right: bool


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


@dataclass(frozen=True, slots=True)
class _Said:
    golden_id: int
    said: str
    is_right: bool


class GoldenQuestions:
    """The table, beside the file that GOLDEN_QUESTIONS names."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, golden: GoldenQuestion, *, by: str) -> int | None:
        """Store one; its number, or None where the same question is there for the same principals.

        Raises:
            InvalidInputError: it is empty or too long, or has accepted texts without a source or the other way round.
        """
        values = check_words(golden.question, golden.answer, golden.accept)
        if bool(golden.accept) != bool(golden.sources):
            raise InvalidInputError("expected both accepted texts and sources, or neither where no document answers")
        values |= {"sources": golden.sources, "principals": sorted(set(golden.principals)), "by": by}
        found = await self._database.fetch_one(QUERIES["add"], values, _Id)
        return found.id if found else None

    async def find(self, *, state: State | None = None) -> list[StoredGolden]:
        """All of them, the oldest first."""
        return await self._database.fetch_all(QUERIES["find"], {"state": state, "id": None}, StoredGolden)

    async def find_asked(self) -> list[GoldenQuestion]:
        """Those that nobody rejected."""
        return [one.asked for one in await self.find() if one.state != "rejected"]

    async def get(self, id_: int) -> StoredGolden:
        """One question.

        Raises:
            NotFoundError: there is none of this number.
        """
        found = await self._database.fetch_one(QUERIES["find"], {"state": None, "id": id_}, StoredGolden)
        if found is None:
            raise NotFoundError(f"no golden question {id_}; `nightbake golden list` has their numbers")
        return found

    async def remove(self, ids: Sequence[int]) -> list[int]:
        """Delete them with what was said of them; the numbers that were there."""
        return [one.id for one in await self._database.fetch_all(QUERIES["remove"], {"ids": list(ids)}, _Id)]

    async def edit(self, id_: int, *, question: str, answer: str, accept: Sequence[str]) -> None:
        """Put other words in place of its own; its sources stay.

        Raises:
            InvalidInputError: they are empty or too long.
        """
        await self._database.execute(QUERIES["edit"], check_words(question, answer, accept) | {"id": id_})

    async def review(
        self,
        id_: int,
        verdict: Verdict,
        *,
        by: str,
        said: str | None = None,
        adapter: str | None = None,
        is_right: bool | None = None,
    ) -> None:
        """Store what a person said of a question, and of what the bot said to it."""
        values = {"id": id_, "verdict": verdict, "by": by, "said": said, "adapter": adapter, "is_right": is_right}
        await self._database.execute(QUERIES["review"], values)

    async def find_judged(self) -> list[Judged]:
        """Answers that people found right or wrong, each once, of questions that were not edited since."""
        asked = {one.id: one.asked for one in await self.find()}
        found = await self._database.fetch_all(QUERIES["find_judged"], None, _Said)
        return [Judged(asked[one.golden_id], one.said, one.is_right) for one in found if one.golden_id in asked]


def check_words(question: str, answer: str, accept: Sequence[str]) -> dict[str, object]:
    """What is stored of them, cleaned.

    Raises:
        InvalidInputError: there is no question, an accepted text is empty, or one is too long.
    """
    question, answer = clean_text(question).strip(), clean_text(answer).strip()
    accept = [clean_text(text).strip() for text in accept]
    if not question or not all(accept):
        raise InvalidInputError("expected a question and accepted texts with words, got an empty one")
    if len(question) > LONGEST_QUESTION or max([len(answer), *map(len, accept)]) > LONGEST_ANSWER:
        raise InvalidInputError(f"expected up to {LONGEST_QUESTION} characters to ask, {LONGEST_ANSWER} to answer")
    return {"question": question, "answer": answer, "accept": accept, "language": detect_language(question)}
