"""Results of golden questions and of pinned exams: recorded by whoever asks, read by the report and commands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

import orjson

from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)


class Failed(TypedDict):
    """A question that was not answered rightly."""

    id: str
    question: str
    cell: str


@dataclass(frozen=True, slots=True)
class Exam:
    """One round of golden questions.

    Attributes:
        cells: language -> cell (`bot/exam.py`) -> number of questions.
    """

    id: int
    asked_at: datetime
    asked_by: str
    adapter: str | None
    cells: dict[str, dict[str, int]]
    failed: list[Failed]

    def count(self, *cells: str) -> int:
        """Questions of all languages in these cells."""
        return sum(found.get(cell, 0) for found in self.cells.values() for cell in cells)


@dataclass(frozen=True, slots=True)
class ExamRun:
    """What `nightbake exam run` measured.

    Attributes:
        exam_id: of the pinned exam; None where only golden questions were asked, or it is gone.
        facts: model, adapters by way, settings, counts and seconds.
        results: as `learning/exams/results.py` writes them; numbers only.
    """

    id: int
    exam_id: int | None
    ran_at: datetime
    ran_by: str
    facts: dict[str, Any]
    results: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


class Exams:
    """The rounds so far, append-only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self, *, by: str, adapter: str | None, cells: dict[str, dict[str, int]], failed: Sequence[Failed]
    ) -> None:
        """Store one round."""
        parameters = {
            "by": by,
            "adapter": adapter,
            "cells": orjson.dumps(cells).decode(),
            "failed": orjson.dumps(list(failed)).decode(),
        }
        await self._database.execute(QUERIES["record"], parameters)

    async def find_latest(self, *, limit: int) -> list[Exam]:
        """The latest rounds, newest first."""
        return await self._database.fetch_all(QUERIES["find_latest"], {"limit": limit}, Exam)

    async def record_run(
        self, *, by: str, exam_id: int | None, facts: Mapping[str, Any], results: Mapping[str, Any]
    ) -> int:
        """Store a run; its number. Neither may hold a question or an answer."""
        parameters = {
            "by": by,
            "exam_id": exam_id,
            "facts": orjson.dumps(facts).decode(),
            "results": orjson.dumps(results).decode(),
        }
        found = await self._database.fetch_all(QUERIES["record_run"], parameters, _Id)
        return found[0].id

    async def find_runs(self, *, limit: int, exam_id: int | None = None) -> list[ExamRun]:
        """The latest runs, of one pinned exam or of all, newest first."""
        return await self._database.fetch_all(QUERIES["find_runs"], {"limit": limit, "exam_id": exam_id}, ExamRun)
