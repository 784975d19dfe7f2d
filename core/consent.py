"""Whether a person lets nights learn from what they say; who was never asked has not refused."""

from dataclasses import dataclass

from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class _Consent:
    allows_training: bool


class Consents:
    """Gets and sets. `trainable_feedback`, which all learning reads, leaves out who refuses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def allows_training(self, person: str) -> bool:
        """Whether questions, answers and votes of this person may be learnt from."""
        found = await self._database.fetch_one(QUERIES["get"], {"person": person}, _Consent)
        return found is None or found.allows_training

    async def set(self, person: str, *, allows_training: bool) -> None:
        """Counts from the next night on; what the search learnt from their votes is learnt anew within a minute."""
        await self._database.execute(QUERIES["set"], {"person": person, "allows_training": allows_training})
