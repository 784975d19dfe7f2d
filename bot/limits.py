"""How much one person, and one company, may ask: counted at receipt, by the insert itself, over all processes.

Two processes that receive at the same moment do not see each other's questions yet: each may let in one batch too much.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from bot.inbox import Claimed
from bot.phrases import say
from bot.reply import Platform
from core.prompt import Language, detect_language

# In place of a question that was refused: told by the worker, and never answered.
KIND = "refusal"
UNKNOWN_SECONDS = 10


@dataclass(frozen=True, slots=True)
class QuestionLimits:
    """Most questions; 0 sets no limit.

    Attributes:
        person_waiting: not answered yet, of one person.
        workspace_per_minute: of everyone whose name begins alike: a workspace, a tenant, the chat page.
    """

    person_per_minute: int = 0
    person_waiting: int = 0
    workspace_per_minute: int = 0
    workspace_waiting: int = 0

    def to_parameters(self) -> dict[str, Any]:
        """For the statement that counts."""
        values = asdict(self)
        return {**values, "is_limited": any(values.values())}

    def explain(self, refusal: str, again_at: datetime | None, language: Language) -> str:
        """What the person is told: the limit, and when to ask again."""
        seconds = count_seconds(again_at)
        return say(f"limit_{refusal}", language, most=getattr(self, refusal), seconds=seconds)


def count_seconds(again_at: datetime | None) -> int:
    """Whole seconds until then, at least one; where nobody can know, a while."""
    return max(1, round((again_at - datetime.now(UTC)).total_seconds())) if again_at else UNKNOWN_SECONDS


class RefusalHandler:
    """Tells people that a question was not taken, in the place where its answer would stand."""

    def __init__(self, limits: QuestionLimits, platforms: Mapping[str, Platform]) -> None:
        self._limits = limits
        self._platforms = platforms

    async def __call__(self, claimed: Claimed) -> None:
        """Say it; nothing where the question is gone."""
        reply = await self._platforms[claimed.platform].reply_to(claimed)
        if reply is None:
            return
        payload = claimed.payload
        again_at = datetime.fromisoformat(payload["again_at"]) if payload["again_at"] else None
        await reply.decline(self._limits.explain(payload["refusal"], again_at, detect_language(payload["text"])))
