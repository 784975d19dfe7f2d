"""What people asked and the documents do not hold: filed by the bot, read by the report and the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.database import Database
from core.prompt import Language
from core.sql import load_queries
from core.wording import find_terms

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Topic:
    """Gaps of the same words; question, language and nearest titles are those of the latest.

    Attributes:
        answers: ids of the interactions.
    """

    topic: str
    asked: int
    question: str
    language: str
    nearest: list[str]
    first_filed_at: datetime
    last_filed_at: datetime
    answers: list[int]


class Gaps:
    """The list of what is missing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def file(
        self,
        interaction_id: int,
        question: str,
        language: Language,
        *,
        nearest: Sequence[str],
        confidence: float | None = None,
    ) -> None:
        """Store one gap; the same interaction again changes nothing. Who asked is not part of it."""
        parameters = {
            "interaction_id": interaction_id,
            "question": question,
            "language": language,
            "topic": name_topic(question),
            "nearest": list(nearest),
            "confidence": confidence,
        }
        await self._database.execute(QUERIES["file_gap"], parameters)

    async def find_topics(self, *, days: int = 30, limit: int = 50) -> list[Topic]:
        """Topics of the last days, the most asked first."""
        return await self.find_topics_between(datetime.now(UTC) - timedelta(days=days), None, limit=limit)

    async def find_topics_between(self, since: datetime, until: datetime | None, *, limit: int) -> list[Topic]:
        """Topics of the gaps that were filed at `since` or later and before `until`, the most asked first."""
        period = {"since": since, "until": until, "limit": limit}
        return await self._database.fetch_all(QUERIES["find_topics"], period, Topic)


def name_topic(question: str) -> str:
    """The question's terms in order of the alphabet: another order or ending of words is the same topic."""
    return " ".join(sorted(find_terms(question, endings=False))) or question
