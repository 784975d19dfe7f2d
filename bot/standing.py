"""How things stand for a person: what answers, how much they may read, and what they allow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.own_wording import say_own
from core.consent import Consents
from core.database import Database
from core.prompt import Language
from core.sql import load_queries
from retrieval.access import Access

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class _Serving:
    adapter: str | None
    switched_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Count:
    count: int


class Standings:
    """Finds it, and says it in words."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._access = Access(database)
        self._consents = Consents(database)

    async def describe(self, person: str, principals: Sequence[str], language: Language) -> list[str]:
        """A line each."""
        (count,) = await self._access.fetch_visible(QUERIES["count_documents"], principals, {}, _Count)
        serving = await self._database.fetch_one(QUERIES["find_serving"], None, _Serving)
        allows = await self._consents.allows_training(person)
        return [
            _say_serving(serving, language),
            say_own("may_read", language, documents=f"{count.count:,}"),
            say_own("consent_yes" if allows else "consent_no", language),
        ]


def _say_serving(serving: _Serving | None, language: Language) -> str:
    if serving is None or serving.adapter is None or serving.switched_at is None:
        return say_own("base_answers", language)
    day = f"{serving.switched_at:%Y-%m-%d}"
    return say_own("adapter_answers", language, adapter=serving.adapter, day=day)
