"""Which adapters exist and which one is served: one inserted row switches, and the history of switches stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from core.database import Database
from core.errors import NotFoundError
from core.prompt import PROMPT_VERSION
from core.sql import load_queries

QUERIES = load_queries(__file__)

EVERYONE = "everyone"

State = Literal["candidate", "trial", "active", "retired", "rejected"]

# A question that was begun before that and not finished was lost with its process.
ANSWER_SECONDS = 900.0


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
    deleted_at: datetime | None = None

    @property
    def is_baked(self) -> bool:
        """Whether today's standing prompt is in its weights."""
        return self.manifest.get("baked_prompt") == PROMPT_VERSION


@dataclass(frozen=True, slots=True)
class Served:
    """What answers everyone, and what a share of the conversations has on trial beside it; None is the base model."""

    switch_id: int
    name: str | None
    trial: str | None
    share: float
    switched_at: datetime


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

    async def find_supervised(self, audience: str, *, base_model: str) -> Adapter | None:
        """The newest supervised adapter of a base model that an audience, or everyone, was served."""
        values = {"audience": audience, "base_model": base_model}
        return await self._database.fetch_one(QUERIES["find_supervised"], values, Adapter)

    async def find_served(self) -> list[Adapter]:
        """Every adapter that answers somebody now: everyone's, what is on trial, and those of audiences."""
        return await self._database.fetch_all(QUERIES["find_served"], None, Adapter)

    async def find_serving(self) -> Served | None:
        """What the last switch says; None where nothing was ever switched, and the base model answers."""
        return await self._database.fetch_one(QUERIES["find_serving"], None, Served)

    async def find_answering(self) -> set[str]:
        """Adapters that unfinished questions began with."""
        found = await self._database.fetch_all(QUERIES["find_answering"], {"seconds": ANSWER_SECONDS}, _Name)
        return {row.name for row in found if row.name}

    async def find_baked_prompt(self, name: str) -> str | None:
        """The version of the standing prompt that an adapter has in its weights; what it says never changes."""
        found = await self._database.fetch_one(QUERIES["find_baked_prompt"], {"name": name}, _Name)
        return found.name if found else None

    async def mark_deleted(self, name: str) -> None:
        """Its folder is gone; what is known of it stays."""
        await self._database.execute(QUERIES["mark_deleted"], {"name": name})

    async def reject(self, name: str, reason: str) -> None:
        """Mark a candidate as refused by the gate."""
        await self._database.execute(QUERIES["reject"], {"name": name, "reason": reason})

    async def switch(
        self,
        name: str | None,
        *,
        by: str,
        reason: str,
        act: str = "promote",
        audience: str = EVERYONE,
        trial: str | None = None,
        share: float = 0.0,
        after: int | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> bool:
        """Serve an adapter's audience with it from the next question on, with a row in the audit log.

        Args:
            name: None takes an audience's adapter away: everyone's answers it, and everyone the base model.
            audience: whose adapter is taken away.
            trial: answers a share of everyone's conversations beside it.
            after: everyone's switch that must be the last one; False where it is not, and nothing was switched.

        Raises:
            NotFoundError: no adapter has this name.
        """
        parameters = {"name": name, "by": by, "reason": reason, "act": act, "audience": audience, "trial": trial}
        parameters |= {"share": share, "after": after, "facts": Jsonb(facts or {})}
        if await self._database.fetch_one(QUERIES["switch"], parameters, _Id) is not None:
            return True
        if after is None:
            raise NotFoundError(f"no adapter named {trial or name!r}; `nightbake adapters` lists them")
        return False

    async def get_previous_name(self, audience: str = EVERYONE) -> str | None:
        """What an audience was served before the current one; None is the base model, or everyone's."""
        found = await self._database.fetch_one(QUERIES["get_previous"], {"audience": audience}, _Name)
        return found.name if found else None

    async def find_switches(self, limit: int = 50) -> list[dict[str, Any]]:
        """The latest switches: id, name, switched_by, reason, switched_at."""
        return await self._database.fetch_dicts(QUERIES["find_switches"], {"limit": limit})
