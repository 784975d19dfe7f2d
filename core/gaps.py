"""What people asked and the documents do not hold: filed by the bot, read by the report and the command line."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from core.database import Database
from core.prompt import Language
from core.sql import load_queries
from core.wording import find_terms

QUERIES = load_queries(__file__)

# Of a period, that are looked at.
MOST_WORDINGS = 5000
NEAR_SHARE, LEAST_SHARED = 0.75, 2


@dataclass(frozen=True, slots=True)
class Topic:
    """Gaps of the same or nearly the same words; question, language and nearest titles are those of the latest.

    Attributes:
        topic: words of the gaps that are most of its.
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
        period = {"since": since, "until": until, "limit": MOST_WORDINGS}
        return join_near(await self._database.fetch_all(QUERIES["find_topics"], period, Topic))[:limit]


def join_near(topics: Sequence[Topic]) -> list[Topic]:
    """Topics of nearly the same words as one, the most asked first.

    Near is what shares three quarters of all words, or where at least two words of one are all in the other:
    `visitor parking` takes in `visitor parking in Busan`, and `sick leave days` not `annual leave days`.
    """
    groups: list[list[Topic]] = []
    by_word: dict[str, list[int]] = defaultdict(list)
    for topic in sorted(topics, key=lambda one: (-one.asked, len(one.topic), -one.last_filed_at.timestamp())):
        words = set(topic.topic.split())
        shared = Counter(place for word in words for place in by_word[word])
        near = next((place for place in sorted(shared) if _is_near(words, groups[place][0])), None)
        if near is None:
            near = len(groups)
            groups.append([])
            for word in words:
                by_word[word].append(near)
        groups[near].append(topic)
    joined = [_join(group) for group in groups]
    return sorted(joined, key=lambda one: (-one.asked, -one.last_filed_at.timestamp()))


def _is_near(words: set[str], leader: Topic) -> bool:
    others = set(leader.topic.split())
    shared, fewer = len(words & others), min(len(words), len(others))
    return shared >= NEAR_SHARE * len(words | others) or (shared == fewer >= LEAST_SHARED)


def _join(group: Sequence[Topic]) -> Topic:
    latest = max(group, key=lambda one: one.last_filed_at)
    return replace(
        latest,
        topic=group[0].topic,
        asked=sum(one.asked for one in group),
        first_filed_at=min(one.first_filed_at for one in group),
        answers=sorted(answer for one in group for answer in one.answers),
    )


def name_topic(question: str) -> str:
    """The question's terms in order of the alphabet: another order or ending of words is the same topic."""
    return " ".join(sorted(find_terms(question, endings=False))) or question
