"""What must never be trained on: pinned items and golden questions, found again by near-duplicate search."""

from core.database import Database
from core.sql import load_queries
from learning.exercises.seen import Seen

QUERIES = load_queries(__file__)


async def find_held(database: Database) -> list[tuple[str, str]]:
    """Questions with their answers of every pinned exam, also of those that are no longer asked, and golden ones."""
    return [(question, answer) for question, answer in await database.fetch_tuples(QUERIES["find_held"])]


async def read_guard(database: Database) -> Seen:
    """All of them, ready to be asked whether something is near one."""
    guard = Seen()
    for question, answer in await find_held(database):
        guard.add(question, answer)
    return guard
