"""The things that are watched: the model server, the inbox, and connections that should be open."""

import socket
from collections.abc import Awaitable, Callable

from bot.alerts import QUERIES, Look, Observation
from bot.web.readiness import Readiness
from core.database import Database

# How long the oldest event may wait for a worker.
WAIT_SECONDS = 60.0


def look_at_model_server(readiness: Readiness) -> Look:
    """Bad where it does not answer."""

    async def look() -> Observation:
        return Observation("model_server", not (await readiness()).get("model_server", True))

    return look


def look_at_inbox(database: Database) -> Look:
    """Bad where events wait: more come than are worked on."""

    async def look() -> Observation:
        (row,) = await database.fetch_dicts(QUERIES["measure_inbox"])
        facts = {"waiting": row["waiting"], "seconds": round(row["seconds"])}
        return Observation("inbox", row["seconds"] > WAIT_SECONDS, facts=facts)

    return look


def look_at_connection(is_heard: Callable[[], Awaitable[bool]]) -> Look:
    """Bad where nothing is heard; each machine watches its own."""

    async def look() -> Observation:
        return Observation("socket", not await is_heard(), subject=socket.gethostname())

    return look
