"""Results of golden questions: recorded by whoever asks them, read by the report and the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

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
