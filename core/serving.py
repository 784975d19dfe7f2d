"""Change what is served: load first, then switch one row, and say who did it in the audit log."""

from core.adapters import EVERYONE, Adapters
from core.audit import record_act
from core.database import Database
from core.model_server import ModelServer


class Serving:
    """Promote, roll back, and restore after a restart of the model server.

    Questions that are being answered keep the adapter they began with; the old one stays loaded for them.
    """

    def __init__(self, *, database: Database, adapters: Adapters, model_server: ModelServer) -> None:
        self._database = database
        self._adapters = adapters
        self._model_server = model_server

    async def promote(self, name: str | None, *, by: str, reason: str, audience: str = EVERYONE) -> None:
        """Serve an adapter from the next question on to its audience; None takes away that of the named audience.

        Raises:
            NotFoundError: no adapter has this name.
            ModelServerError: it could not be loaded; nothing was switched.
        """
        if name is not None:
            adapter = await self._adapters.get(name)
            await self._model_server.load_adapter(adapter.name, adapter.folder)
        await self._adapters.switch(name, by=by, reason=reason, audience=audience)

    async def roll_back(self, *, by: str, reason: str = "rolled back", audience: str = EVERYONE) -> str | None:
        """Serve an audience again what it was served before; its name, None for the base model."""
        previous = await self._adapters.get_previous_name(audience)
        if previous is not None:
            adapter = await self._adapters.get(previous)
            await self._model_server.load_adapter(adapter.name, adapter.folder)
        await self._adapters.switch(previous, by=by, reason=reason, act="roll back", audience=audience)
        return previous

    async def restore(self) -> None:
        """Load what answers into a model server that has just started: everyone's adapter, and those of audiences."""
        for adapter in await self._adapters.find_served():
            await self._model_server.load_adapter(adapter.name, adapter.folder)

    async def record_act(self, actor: str, act: str, subject: str) -> None:
        """One row in the audit log."""
        await record_act(self._database, actor=actor, act=act, subject=subject)
