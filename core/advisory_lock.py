"""Taking an advisory lock: for a transaction, or for as long as a block runs."""

import contextlib
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection

from core.database import Database
from core.locks import Lock
from core.sql import load_queries

QUERIES = load_queries(__file__)


async def lock_transaction(connection: AsyncConnection[Any], lock: Lock) -> None:
    """Wait for the lock, and hold it until the connection's transaction ends."""
    await connection.execute(QUERIES["lock_transaction"], {"key": lock})


@asynccontextmanager
async def hold_lock(
    database: Database, lock: Lock, *, part: str | None = None, wait: bool
) -> AsyncGenerator[AsyncConnection[Any] | None]:
    """The connection that holds the lock during the block, however the process dies; None where another one does.

    Args:
        part: what of it is locked, e.g. one source; each part is a lock of its own.
        wait: until it is free, instead of None.

    Raises:
        DatabaseError: no connection came free.
    """
    parameters = {"key": _find_key(lock, part)}
    async with database.connection() as connection:
        row = await (await connection.execute(QUERIES["lock" if wait else "try_lock"], parameters)).fetchone()
        taken = wait or bool(row and row[0])
        try:
            yield connection if taken else None
        finally:
            # A server that restarted let go of the lock already.
            with contextlib.suppress(psycopg.OperationalError):
                if taken:
                    await connection.execute(QUERIES["unlock"], parameters)


def _find_key(lock: Lock, part: str | None) -> int:
    """64 bits, signed; that a part has the key of another lock is as good as impossible."""
    if part is None:
        return lock
    return int.from_bytes(hashlib.sha256(f"{lock:d} {part}".encode()).digest()[:8], signed=True)
