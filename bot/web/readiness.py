"""Which parts work, for the console and for whoever watches the service."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from core.database import Database
from core.errors import DatabaseError
from core.model_server import ModelServer

Readiness = Callable[[], Awaitable[Mapping[str, bool]]]

HEALTH_SECONDS = 3.0


def check_readiness(database: Database, model_server: ModelServer | None = None) -> Readiness:
    """Asks each part when called, all at once, and waits `HEALTH_SECONDS` at most."""

    async def readiness() -> Mapping[str, bool]:
        if model_server is None:
            return {"database": await _answers(database)}
        answers = await asyncio.gather(_answers(database), _is_healthy(model_server))
        return dict(zip(("database", "model_server"), answers, strict=True))

    return readiness


async def _answers(database: Database) -> bool:
    try:
        async with asyncio.timeout(HEALTH_SECONDS):
            await database.fetch_dicts(b"SELECT 1 AS one")
    except (TimeoutError, DatabaseError):
        return False
    return True


async def _is_healthy(model_server: ModelServer) -> bool:
    try:
        async with asyncio.timeout(HEALTH_SECONDS):
            return await model_server.is_healthy()
    except TimeoutError:
        return False
