"""Change what is served: load first, then switch one row, and say who did it in the audit log."""

import asyncio
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.adapters import EVERYONE, Adapter, Adapters, Served
from core.errors import InvalidInputError, ModelServerError, NotFoundError
from core.model_server import ModelServer
from core.weights import check_adapter

log = logging.getLogger(__name__)

# What was served before is most likely still loaded; who rolls back waits for nothing else.
ROLLBACK_SECONDS = 5.0


class Serving:
    """Promote, try out, roll back, restore after a restart of the model server, and let go of what nobody needs.

    Questions that are being answered keep the adapter they began with; the old one stays loaded for them. A name and
    its folder belong together for good, and weights never change under a name.
    """

    def __init__(self, *, adapters: Adapters, model_server: ModelServer) -> None:
        self._adapters = adapters
        self._model_server = model_server

    async def promote(self, name: str | None, *, by: str, reason: str, audience: str = EVERYONE) -> None:
        """Serve an adapter from the next question on to its audience; None takes away that of the named audience.

        A trial that runs is over where everyone's is switched.

        Raises:
            NotFoundError: no adapter has this name, or its weights were deleted.
            ModelServerError: it could not be loaded; nothing was switched.
        """
        if name is not None:
            await self._load(await self._get(name))
        await self._adapters.switch(name, by=by, reason=reason, audience=audience)

    async def try_out(self, name: str, *, share: float, by: str, reason: str) -> None:
        """Let everyone's adapter answer a share of the conversations, beside what is served.

        Raises:
            InvalidInputError: it is an audience's own, of which too few people vote.
            NotFoundError, ModelServerError: as `promote`.
        """
        adapter = await self._get(name)
        if adapter.audience != EVERYONE:
            raise InvalidInputError(f"expected an adapter for everyone, got one for {adapter.audience}; promote it")
        await self._load(adapter)
        served = await self._adapters.find_serving()
        live = served.name if served else None
        if live != name:
            await self._adapters.switch(live, by=by, reason=reason, act="try out", trial=name, share=share)

    async def end_trial(self, served: Served, *, promote: bool, by: str, reason: str, facts: Mapping[str, Any]) -> bool:
        """Serve what was on trial, or again only what it was tried beside; False where others switched meanwhile."""
        name, act = (served.trial, "promote") if promote else (served.name, "end trial")
        return await self._adapters.switch(name, by=by, reason=reason, act=act, after=served.switch_id, facts=facts)

    async def roll_back(self, *, by: str, reason: str = "rolled back", audience: str = EVERYONE) -> str | None:
        """Serve an audience again what it was served before; its name, None for the base model, or everyone's.

        A trial that runs is ended instead.

        It never waits for the model server: one that is away, or cannot load the weights, gets them with the first
        question, and the base model answers where that fails too.
        """
        served = await self._adapters.find_serving() if audience == EVERYONE else None
        on_trial = served is not None and served.trial is not None
        name = served.name if served and on_trial else await self._adapters.get_previous_name(audience)
        if name is not None:
            try:
                await self._load(await self._adapters.get(name), seconds=ROLLBACK_SECONDS)
            except ModelServerError as error:
                log.error("rolled back to what is not loaded yet", extra={"adapter": name, "error": str(error)})
        await self._adapters.switch(name, by=by, reason=reason, act="roll back", audience=audience)
        return name

    async def restore(self, name: str | None = None) -> None:
        """Load into a model server that has just started: all that is served, or one adapter that it lost.

        Raises:
            ModelServerError: it could not be loaded.
        """
        for adapter in [await self._adapters.get(name)] if name else await self._adapters.find_served():
            await self._load(adapter)

    async def reload(self) -> None:
        """Load all that is served from its folders anew; call it only while nobody is answered.

        Raises:
            ModelServerError: one could not be loaded.
        """
        for adapter in await self._adapters.find_served():
            await self._model_server.unload_adapter(adapter.name)
        await self.restore()

    async def unload_old(self, *, candidate: str | None = None) -> list[str]:
        """Unload every adapter of ours that nobody needs: neither served, nor before that, nor for an answer begun.

        Folders stay where they are: the server may still read one that it has evicted.

        Raises:
            ModelServerError: the server is away.
        """
        keep = {*await self._find_needed(), candidate}
        ours = {adapter.name for adapter in await self._adapters.find_all()}
        unloaded = [name for name in await self._model_server.find_models() if name in ours - keep]
        for name in unloaded:
            await self._model_server.unload_adapter(name)
        return unloaded

    async def delete_old(self, *, keep: int) -> list[str]:
        """Delete the folders of old adapters that the server had let go of before; rows and ledger stay.

        Call it before `unload_old`, so that between the two deeds lies a night.

        Args:
            keep: how many of the newest keep their folders in any case.

        Raises:
            ModelServerError: the server is away, so nobody knows what it holds.
        """
        needed = {*await self._find_needed(), *await self._model_server.find_models()}
        old = [one for one in (await self._adapters.find_all())[keep:] if not one.deleted_at and one.name not in needed]
        for adapter in old:
            await self._adapters.mark_deleted(adapter.name)
            await asyncio.to_thread(shutil.rmtree, Path(adapter.folder), ignore_errors=True)
        return [adapter.name for adapter in old]

    async def _find_needed(self) -> set[str | None]:
        audiences = {adapter.audience for adapter in await self._adapters.find_all()}
        before = {await self._adapters.get_previous_name(audience) for audience in audiences}
        now = {adapter.name for adapter in await self._adapters.find_served()}
        return {*now, *before, *await self._adapters.find_answering()}

    async def _get(self, name: str) -> Adapter:
        adapter = await self._adapters.get(name)
        if adapter.deleted_at:
            raise NotFoundError(f"the weights of {name!r} were deleted; `nightbake night` trains a new adapter")
        return adapter

    async def _load(self, adapter: Adapter, *, seconds: float | None = None) -> None:
        folder = Path(adapter.folder)
        # One that is not there is the model server's to miss: it may see another disk than we do.
        if await asyncio.to_thread(folder.is_dir):
            await asyncio.to_thread(check_adapter, folder, adapter.sha256)
        await self._model_server.load_adapter(adapter.name, adapter.folder, seconds=seconds)
