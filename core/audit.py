"""The audit log: who did what to what, one row an act. Switches write theirs in the statement that switches."""

from typing import Any

from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)


async def record_act(database: Database, *, actor: str, act: str, subject: str) -> None:
    """Add one row."""
    await database.execute(QUERIES["record_act"], {"actor": actor, "act": act, "subject": subject})


async def find_acts(
    database: Database, *, pattern: str | None, kind: str | None, before: int | None, limit: int
) -> list[dict[str, Any]]:
    """Rows, newest first, with the actor's address where it is known.

    Args:
        pattern: of ILIKE, looked for in every column.
        kind: `refused`, `sign_in` or `act`, which is the rest.
        before: ids below this one only.
    """
    parameters = {"pattern": pattern, "kind": kind, "before": before, "limit": limit}
    return await database.fetch_dicts(QUERIES["find_acts"], parameters)
