"""Rounds of advice as they are stored: each question as it is diagnosed, so that a round that was stopped can go on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from core.database import Database
from core.sql import load_queries
from learning.advice.diagnosis import Behaviour, Context, Diagnosis, Run

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Round:
    """One call of `nightbake advice`; without `ended_at` it was stopped, or is under way.

    Attributes:
        advice: as `learning/advice/advise.py` builds it; pictures: SVG by language.
    """

    id: int
    fingerprint: str
    asked_by: str
    adapter: str | None
    began_at: datetime
    ended_at: datetime | None
    advice: dict[str, Any]
    pictures: dict[str, str]


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """A stored diagnosis with its question.

    Attributes:
        sha256: of the question with all that its answer is judged by.
        question: of a golden one; None where it is read from the log, by `interaction_id`.
        feedback_id: the vote that said what is right.
    """

    diagnosis: Diagnosis
    sha256: str
    language: str
    question: str | None
    interaction_id: int | None = None
    feedback_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


@dataclass(frozen=True, slots=True)
class _Count:
    count: int


@dataclass(frozen=True, slots=True)
class _Row:
    key: str
    sha256: str
    language: str
    question: str | None
    interaction_id: int | None
    feedback_id: int | None
    is_right: bool
    context: Context | None
    behaviour: Behaviour | None
    rank: int | None
    runs: list[dict[str, Any]]


class Rounds:
    """Begins, fills, ends and reads rounds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, *, fingerprint: str, by: str, adapter: str | None) -> int:
        """A new round, in place of one of the same fingerprint that was stopped."""
        values = {"fingerprint": fingerprint, "by": by, "adapter": adapter}
        await self._database.execute(QUERIES["drop_unfinished"], values)
        found = await self._database.fetch_all(QUERIES["begin"], values, _Id)
        return found[0].id

    async def find_unfinished(self, fingerprint: str) -> int | None:
        """The round of this fingerprint that was stopped."""
        found = await self._database.fetch_one(QUERIES["find_unfinished"], {"fingerprint": fingerprint}, _Id)
        return found.id if found else None

    async def record(self, round_id: int, diagnosed: Diagnosed) -> None:
        """Store a diagnosis, in place of an earlier one of its key; not where its question was forgotten meanwhile."""
        diagnosis = diagnosed.diagnosis
        values = {
            "round_id": round_id,
            "key": diagnosis.key,
            "sha256": diagnosed.sha256,
            "language": diagnosed.language,
            "question": diagnosed.question,
            "interaction_id": diagnosed.interaction_id,
            "feedback_id": diagnosed.feedback_id,
            "is_right": diagnosis.is_right,
            "context": diagnosis.context,
            "behaviour": diagnosis.behaviour,
            "rank": diagnosis.rank,
            "runs": Jsonb([asdict(run) for run in diagnosis.runs]),
        }
        await self._database.execute(QUERIES["record"], values)

    async def find_diagnosed(self, round_id: int) -> list[Diagnosed]:
        """What is stored of a round, in the order in which it was diagnosed."""
        rows = await self._database.fetch_all(QUERIES["find_diagnosed"], {"round_id": round_id}, _Row)
        return [_read(row) for row in rows]

    async def end(self, round_id: int, *, advice: Mapping[str, Any], pictures: Mapping[str, str]) -> None:
        """The round is over; what it came to."""
        values = {"id": round_id, "advice": Jsonb(dict(advice)), "pictures": Jsonb(dict(pictures))}
        await self._database.execute(QUERIES["end"], values)

    async def find_latest(self) -> Round | None:
        """The last round that ended."""
        return await self._database.fetch_one(QUERIES["find_latest"], None, Round)

    async def count_answers(self, now: datetime) -> int:
        """Answers that people were given in the thirty days before."""
        values = {"since": now - timedelta(days=30), "until": now}
        found = await self._database.fetch_all(QUERIES["count_answers"], values, _Count)
        return found[0].count


def _read(row: _Row) -> Diagnosed:
    runs = [Run(**run) for run in row.runs]
    diagnosis = Diagnosis(row.key, row.is_right, row.context, row.behaviour, row.rank, runs)
    return Diagnosed(diagnosis, row.sha256, row.language, row.question, row.interaction_id, row.feedback_id)
