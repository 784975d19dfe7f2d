"""What memory of corrections came to: how many stand in prompts, what they took, and what nights spared."""

from dataclasses import dataclass
from datetime import datetime

from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class MemoryCounts:
    """Of a time; tokens as they are estimated for the prompt.

    Attributes:
        standing: memories that may be used, as of now.
        learnt: of these, those that leave the prompt where the named adapter answers.
        answers: that were given with at least one.
        spared_tokens: of those that did not have to stand in a prompt because its adapter had learnt them.
    """

    standing: int = 0
    learnt: int = 0
    answers: int = 0
    spent_tokens: int = 0
    spared_tokens: int = 0


async def count_memory(database: Database, *, since: datetime, until: datetime, adapter: str | None) -> MemoryCounts:
    """Count over the answers of a half-open time.

    Args:
        adapter: whose learning counts; None is the base model, which has learnt nothing.
    """
    values = {"since": since, "until": until, "adapter": adapter}
    found = await database.fetch_one(QUERIES["count"], values, MemoryCounts)
    assert found, "a count is a row"
    return found
