"""Messages to admins: what is due is read from the tables, claimed by one replica, posted, and known by its key.

At-least-once: a process that dies between posting and storing the key leaves one message that is posted again.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from core.database import Database
from core.errors import NightbakeError, NotFoundError
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)
LEASE_SECONDS = 60
# Older reports and alerts are history: an installation that begins to use a channel is not flooded.
NEWS_HOURS = 24

TopicKind = Literal["report", "details", "trial", "alert", "clear"]


@dataclass(frozen=True, slots=True)
class Topic:
    """What a message is about: a report, its details, the end of a trial, an alert or its end; `id` of run or alert."""

    kind: TopicKind
    id: int

    @property
    def name(self) -> str:
        """As it stands in the table."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class _Key:
    message_key: str | None


@dataclass(frozen=True, slots=True)
class Trial:
    """How the trial of an adapter ended: it serves everybody, or people disliked it and it was taken back.

    Attributes:
        trial_liked: of `trial_votes` on its answers; other_liked, of those on the answers beside it.
    """

    adapter: str
    passed: bool
    trial_liked: int
    trial_votes: int
    other_liked: int
    other_votes: int


@dataclass(frozen=True, slots=True)
class _Ended:
    trial: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Report:
    markdown: str


class AdminMessages:
    """The messages of one platform."""

    def __init__(self, database: Database, platform: str) -> None:
        self._database = database
        self._platform = platform

    async def post_due(self, post: Callable[[Topic], Awaitable[str]], failure: type[NightbakeError]) -> None:
        """Post each that is due and that no other replica has; what is refused is tried again when its lease is over.

        Args:
            post: gives the key of the message.
            failure: of the platform.
        """
        for topic in await self.find_due():
            if not await self.claim(topic):
                continue
            try:
                await self.set_posted(topic, await post(topic))
            except failure as error:
                log.warning("admins could not be told", extra={"topic": topic.name, "error": str(error)})

    async def find_due(self) -> list[Topic]:
        """What admins have not been told, oldest first; details and ends follow what was posted."""
        parameters = {"platform": self._platform, "hours": NEWS_HOURS}
        return await self._database.fetch_all(QUERIES["find_due"], parameters, Topic)

    async def claim(self, topic: Topic) -> bool:
        """Own a topic for `LEASE_SECONDS`; False where another replica has it or had it."""
        parameters = {"platform": self._platform, "topic": topic.name, "seconds": LEASE_SECONDS}
        return await self._database.fetch_one(QUERIES["claim"], parameters, _Key) is not None

    async def set_posted(self, topic: Topic, message_key: str) -> None:
        """It is posted; the key finds the message again."""
        parameters = {"platform": self._platform, "topic": topic.name, "message_key": message_key}
        await self._database.execute(QUERIES["set_posted"], parameters)

    async def get_report(self, run_id: int, language: str) -> str:
        """A night's report as Markdown.

        Raises:
            NotFoundError: there is none.
        """
        parameters = {"run_id": run_id, "language": language}
        found = await self._database.fetch_one(QUERIES["get_report"], parameters, _Report)
        if found is None:
            raise NotFoundError(f"no report of the night {run_id} in {language!r} yet")
        return found.markdown

    async def get_trial(self, run_id: int) -> Trial:
        """How the trial of a night's adapter ended.

        Raises:
            NotFoundError: it had none, or it has not ended.
        """
        found = await self._database.fetch_one(QUERIES["get_trial"], {"run_id": run_id}, _Ended)
        if found is None:
            raise NotFoundError(f"no trial of the night {run_id} has ended")
        facts = found.trial
        counts = {name: facts[name] for name in ("trial_liked", "trial_votes", "other_liked", "other_votes")}
        return Trial(facts["adapter"], facts["outcome"] == "trial_passed", **counts)

    async def find_key(self, topic: Topic) -> str | None:
        """The platform's id of the message; None where none was posted."""
        parameters = {"platform": self._platform, "topic": topic.name}
        found = await self._database.fetch_one(QUERIES["find_key"], parameters, _Key)
        return found.message_key if found else None
