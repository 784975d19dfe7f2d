"""The audit log: who did what to what, one row an act. Switches write theirs in the statement that switches."""

from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)


async def record_act(database: Database, *, actor: str, act: str, subject: str) -> None:
    """Add one row."""
    await database.execute(QUERIES["record_act"], {"actor": actor, "act": act, "subject": subject})
