"""A new embedding model: its vectors are filled in beside those of the active one, then one row is switched.

Questions are asked with the active model until then, and documents that come in meanwhile get both vectors. What was
stored stays when the filling is cut short, and the next one goes on behind it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from core.advisory_lock import hold_lock, lock_transaction
from core.background import BackgroundWork
from core.database import Database
from core.locks import Lock
from core.sql import load_queries
from retrieval.active_model import ActiveModel
from retrieval.embedding import Embedder
from retrieval.fusion_calibration import calibrate_fusion
from retrieval.index import Index

QUERIES = load_queries(__file__)

log = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
LOG_SECONDS = 30.0

OnFilled = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Filling:
    """How many of the chunks that a model reads have its vector."""

    chunks: int
    filled: int


@dataclass(frozen=True, slots=True)
class Left:
    """Vectors of a model that questions are asked with no more."""

    name: str
    vectors: int


async def change_model(database: Database, embedder: Embedder, *, on_filled: OnFilled | None = None) -> bool:
    """Embed every chunk with a model, measure the fusion for it, and make it the active one.

    Args:
        on_filled: called with the number of chunks that have their vector, and of all that need one.

    Returns:
        Whether it is active now; False where another process is at a change of model.

    Raises:
        SettingsError: there is no such model.
        DatabaseError: the database stayed away; what was embedded stays.
    """
    async with hold_lock(database, Lock.EMBEDDING_MODEL, wait=False) as held:
        if not held:
            return False
        while True:
            await _fill(database, embedder, on_filled)
            await calibrate_fusion(database, embedder)
            # False where a document came in since it was filled.
            if await _activate(database, embedder):
                break
    log.info("embedding model is active", extra={"model": embedder.name})
    return True


async def measure_filling(database: Database, embedder: Embedder) -> Filling:
    """How far a model is filled in."""
    parameters = {"model": embedder.name, "languages": sorted(embedder.languages)}
    found = await database.fetch_one(QUERIES["measure_filling"], parameters, Filling)
    assert found is not None, "a count is a row"
    return found


async def find_left(database: Database, *, keep: str) -> list[Left]:
    """Models besides the active one and `keep` that have vectors."""
    return await database.fetch_all(QUERIES["find_left"], {"keep": keep}, Left)


async def drop_left(database: Database, *, keep: str) -> list[Left] | None:
    """Delete those vectors, and what was measured with them; what was deleted.

    None where a change of model is under way: what it filled in so far would be among them.
    """
    async with hold_lock(database, Lock.EMBEDDING_MODEL, wait=False) as held:
        if not held:
            return None
        left = await find_left(database, keep=keep)
        await database.execute(QUERIES["drop_left"], {"keep": keep})
        return left


class ModelChange(BackgroundWork):
    """Changes to the model of the settings while the service answers. Several services share the work: one does it.

    It is looked at once, at the start: a service with settings of yesterday does not change back what another one
    changed since.
    """

    def __init__(self, database: Database, active: ActiveModel) -> None:
        super().__init__("change of embedding model", pause_seconds=RETRY_SECONDS)
        self._database = database
        self._active = active
        self._logged_at = 0.0

    async def start(self) -> None:
        """Begin, where another model is active; a batch that a stop cuts short is embedded again."""
        if (await self._active.find()).name != self._active.configured.name:
            await super().start()

    async def turn(self) -> bool:
        """One attempt; whether the model is active now."""
        return await change_model(self._database, self._active.configured, on_filled=self._log)

    def _log(self, filled: int, chunks: int) -> None:
        if time.monotonic() >= self._logged_at + LOG_SECONDS:
            self._logged_at = time.monotonic()
            counts = {"model": self._active.configured.name, "filled": filled, "chunks": chunks}
            log.info("embedding model is being filled in", extra=counts)


async def _fill(database: Database, embedder: Embedder, on_filled: OnFilled | None) -> None:
    filling = await measure_filling(database, embedder)
    filled = filling.filled

    def count(stored: int) -> None:
        nonlocal filled
        filled += stored
        if on_filled:
            on_filled(filled, filling.chunks)

    count(0)
    await Index(database, embedder).fill_embeddings(on_stored=count)


async def _activate(database: Database, embedder: Embedder) -> bool:
    parameters = {"model": embedder.name, "languages": sorted(embedder.languages)}
    async with database.transaction() as connection:
        await lock_transaction(connection, Lock.INDEX)
        return (await connection.execute(QUERIES["activate"], parameters)).rowcount == 1
