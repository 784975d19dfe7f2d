"""A platform that keeps what it was told to show, and a search over a list of passages."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.inbox import Claimed
from bot.reply import FinishedAnswer
from core.prompt import Language
from core.records import Passage
from retrieval.query import Found
from tests.bot.assistant import LEAVE

TRAVEL = replace(
    LEAVE,
    number=2,
    chunk_id=8,
    document_id=2,
    title="Travel policy",
    heading_path="Expenses",
    text="The team lead approves travel expenses. Receipts are handed in within 30 days.",
)


class ListSearch:
    """The first passages of a list, numbered as they are; `questions` are those that were searched for."""

    def __init__(self, *passages: Passage) -> None:
        self.passages = list(passages)
        self.questions: list[str] = []
        self.found = Found([], "", [])

    async def search(self, question: str, principals: Sequence[str], *, limit: int) -> list[Passage]:
        self.questions.append(question)
        return self.passages[:limit]

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> Found:
        """As a finder that changes nothing; `found` stands in for all but the passages."""
        passages = await self.search(question, principals, limit=limit)
        return replace(self.found, passages=passages, searched=self.found.searched or question)


@dataclass
class RecordedReply:
    """One reply; `failures` is how often closing it fails first."""

    key: str = "reply-1"
    failures: int = 0
    shown: list[str] = field(default_factory=list)
    closed: list[FinishedAnswer] = field(default_factory=list)
    declined: list[str] = field(default_factory=list)

    async def open(self, interaction_id: int, language: Language) -> str:
        return self.key

    async def show(self, text: str) -> None:
        self.shown.append(text)

    async def close(self, answer: FinishedAnswer) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the platform is away")
        self.closed.append(answer)

    async def decline(self, message: str) -> None:
        self.declined.append(message)


class RecordedPlatform:
    """A reply for each event, the same at every attempt."""

    def __init__(self, *, failures: int = 0) -> None:
        self.replies: dict[int, RecordedReply] = {}
        self.opened = asyncio.Event()
        self._failures = failures

    async def reply_to(self, claimed: Claimed) -> RecordedReply:
        self.opened.set()
        return self.replies.setdefault(claimed.id, RecordedReply(f"reply-{claimed.id}", self._failures))
