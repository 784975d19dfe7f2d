"""Whether the model rests while a night trains on its accelerator: one row, which every process that answers obeys.

The row is written before the server is put to sleep and removed after the served proof, so a question either meets a
model that is awake or is not sent: a sleeping vLLM would let it wait.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)

Way = Literal["sleep", "restart"]


@dataclass(frozen=True, slots=True)
class Rest:
    """Since when and how the model rests; `run_id` is the night it rests for."""

    run_id: int | None
    way: Way
    began_at: datetime
    ends_by: datetime


@dataclass(frozen=True, slots=True)
class _Resting:
    resting: bool


class Rests:
    """Begin and end a rest, and see whether there is one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, *, run_id: int | None, way: Way, ends_by: datetime) -> None:
        """From the next question on answers are quoted; begun again, the rest is the same one."""
        await self._database.execute(QUERIES["begin"], {"run_id": run_id, "way": way, "ends_by": ends_by})

    async def end(self) -> None:
        """The model answers again."""
        await self._database.execute(QUERIES["end"])

    async def find(self) -> Rest | None:
        """The rest, also one whose time is over: a night that died may have left the server asleep."""
        return await self._database.fetch_one(QUERIES["find"], None, Rest)

    async def is_resting(self) -> bool:
        """Whether the model shall not be asked now."""
        found = await self._database.fetch_one(QUERIES["is_resting"], None, _Resting)
        return found is not None and found.resting
