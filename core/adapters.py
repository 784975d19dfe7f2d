"""Which adapters exist and which one is served: one inserted row switches, and the history of switches stays."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from core.database import Database
from core.errors import NotFoundError
from core.sql import load_queries

QUERIES = load_queries(__file__)

EVERYONE = "everyone"

State = Literal["candidate", "active", "retired", "rejected"]


@dataclass(frozen=True, slots=True)
class Adapter:
    """A trained adapter; its name and folder never change, so a new night is always a new name.

    Attributes:
        audience: the principal that everyone who may be served it has.
    """

    id: int
    name: str
    folder: str
    base_model: str
    sha256: str
    manifest: dict[str, Any]
    created_at: datetime
    reason: str | None
    state: State
    audience: str = EVERYONE


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


@dataclass(frozen=True, slots=True)
class _Name:
    name: str | None


class Adapters:
    """The registry of adapters. Loading weights into the model server is not done here: load first, then switch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register(
        self,
        *,
        name: str,
        folder: str,
        base_model: str,
        sha256: str,
        manifest: dict[str, Any],
        audience: str = EVERYONE,
    ) -> None:
        """Add a candidate for an audience."""
        values = {"name": name, "folder": folder, "base_model": base_model, "sha256": sha256, "audience": audience}
        await self._database.fetch_all(QUERIES["register"], {**values, "manifest": Jsonb(manifest)}, _Id)

    async def find_all(self) -> list[Adapter]:
        """Every adapter, newest first."""
        return await self._database.fetch_all(QUERIES["find_all"], None, Adapter)

    async def get(self, name: str) -> Adapter:
        """One adapter.

        Raises:
            NotFoundError: no adapter has this name.
        """
        found = await self._database.fetch_one(QUERIES["get"], {"name": name}, Adapter)
        if found is None:
            raise NotFoundError(f"no adapter named {name!r}; `nightbake adapters` lists them")
        return found

    async def find_active(self, audience: str = EVERYONE) -> Adapter | None:
        """The adapter that answers an audience now, everyone's where it has none; None is the base model."""
        return await self._database.fetch_one(QUERIES["get_active"], {"audience": audience}, Adapter)

    async def find_served(self) -> list[Adapter]:
        """Every adapter that answers somebody now: everyone's, and those of audiences."""
        return await self._database.fetch_all(QUERIES["find_served"], None, Adapter)

    async def reject(self, name: str, reason: str) -> None:
        """Mark a candidate as refused by the gate."""
        await self._database.execute(QUERIES["reject"], {"name": name, "reason": reason})

    async def switch(
        self, name: str | None, *, by: str, reason: str, act: str = "promote", audience: str = EVERYONE
    ) -> None:
        """Serve an adapter's audience with it from the next question on, with a row in the audit log.

        Args:
            name: None takes an audience's adapter away: everyone's answers it, and everyone the base model.
            audience: whose adapter is taken away.

        Raises:
            NotFoundError: no adapter has this name.
        """
        parameters = {"name": name, "by": by, "reason": reason, "act": act, "audience": audience}
        if await self._database.fetch_one(QUERIES["switch"], parameters, _Id) is None:
            raise NotFoundError(f"no adapter named {name!r}; `nightbake adapters` lists them")

    async def get_previous_name(self, audience: str = EVERYONE) -> str | None:
        """What an audience was served before the current one; None is the base model, or everyone's."""
        found = await self._database.fetch_one(QUERIES["get_previous"], {"audience": audience}, _Name)
        return found.name if found else None

    async def find_switches(self, limit: int = 50) -> list[dict[str, Any]]:
        """The latest switches: id, name, switched_by, reason, switched_at."""
        return await self._database.fetch_dicts(QUERIES["find_switches"], {"limit": limit})
