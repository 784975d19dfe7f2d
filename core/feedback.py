"""Votes and corrections, append-only: what a person said last of an answer is their judgement."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.database import Database
from core.errors import NotFoundError
from core.group_commit import GroupCommit, to_json_rows
from core.metrics import VOTES
from core.records import Feedback, Vote
from core.sql import load_queries
from core.text import clean_text

QUERIES = load_queries(__file__)

_NAMES: dict[Vote, str] = {1: "up", -1: "down", 0: "withdrawn"}


@dataclass(frozen=True, slots=True)
class _Known:
    known: bool


class FeedbackLog:
    """Record and find judgements; `record` returns after its commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._record = GroupCommit[Feedback, _Known](self._write)

    async def record(self, feedback: Feedback) -> None:
        """Store one judgement; a repeated `event_key` changes nothing.

        Raises:
            NotFoundError: no such answer.
        """
        stored = await self._record.submit(feedback)
        if not stored.known:
            raise NotFoundError(f"no answer with the id {feedback.interaction_id}")
        VOTES.labels(_NAMES[feedback.value]).inc()

    async def find_current(self, interaction_id: int) -> list[Feedback]:
        """The judgements that stand, one a person; withdrawn ones are left out."""
        return await self._database.fetch_all(QUERIES["find_current"], {"interaction_id": interaction_id}, Feedback)

    async def find_standing(self, interaction_id: int, person: str) -> Feedback | None:
        """A person's last judgement of an answer, which has value 0 where it was taken back."""
        parameters = {"interaction_id": interaction_id, "person": person}
        return await self._database.fetch_one(QUERIES["find_standing"], parameters, Feedback)

    async def get_value(self, interaction_id: int, person: str) -> Vote:
        """A person's standing vote on an answer; 0 where there is none."""
        standing = await self.find_standing(interaction_id, person)
        return standing.value if standing else 0

    async def _write(self, rows: Sequence[Feedback]) -> list[_Known]:
        parameters = {"rows": to_json_rows([_clean(row) for row in rows])}
        return await self._database.fetch_all(QUERIES["record"], parameters, _Known)


def _clean(feedback: Feedback) -> Feedback:
    correction = clean_text(feedback.correction).strip() if feedback.correction else None
    reason = clean_text(feedback.reason).strip() if feedback.reason else None
    right = clean_text(feedback.right_source).strip() if feedback.right_source else None
    return replace(feedback, correction=correction or None, reason=reason or None, right_source=right or None)
