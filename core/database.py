"""The connection pool: aware UTC times, frozen records, errors with advice, patience while the server restarts."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, Self, TypeVar

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import class_row, dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from core.errors import DatabaseError

log = logging.getLogger(__name__)

Record = TypeVar("Record")
Parameters = Mapping[str, Any] | Sequence[Any] | None

RETRY_PAUSE_SECONDS = 0.25
# A server whose machine vanished says nothing more: noticed within a minute, where the kernel's default is two hours.
VANISHED = {
    "connect_timeout": 10,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
}


# As which the parts of the service work, each with the rights of migration 0029.
Role = Literal["nightbake_bot", "nightbake_index", "nightbake_night", "nightbake_console"]

# For one transaction: with it go the rights.
_SET_PRINCIPALS = b"SELECT set_config('nightbake.principals', %s::text[]::text, true)"


class Database:
    """A pool of autocommit connections.

    Args:
        url: `postgresql://…`; a password in it never reaches a log or an error.
        role: whose rights its connections have; None leaves those of the login.
        size: of its connections at most; `idle`: that stay open while nobody asks.
        patience_seconds: how long one call waits for a server that is away before it gives up.
        open_seconds: how long opening waits; None waits as long as a call.
    """

    def __init__(
        self,
        url: str,
        *,
        role: Role | None = None,
        size: int = 8,
        idle: int = 1,
        patience_seconds: float = 60,
        open_seconds: float | None = None,
    ) -> None:
        self.url = url
        self._role = role
        self._open_seconds = max(patience_seconds, 5) if open_seconds is None else open_seconds
        self._patience_seconds = patience_seconds
        self._pool = AsyncConnectionPool(
            url,
            min_size=idle,
            max_size=size,
            open=False,
            timeout=min(patience_seconds, 30),
            configure=self._configure,
            kwargs=dict(VANISHED),
        )

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _configure(self, connection: AsyncConnection[Any]) -> None:
        await connection.set_autocommit(True)
        await connection.execute("SET timezone = 'UTC'")
        if self._role:
            await connection.execute("SELECT set_config('role', %s, false)", [self._role])

    async def open(self) -> None:
        """Connect.

        Raises:
            DatabaseError: no connection within the patience.
        """
        try:
            await self._pool.open(wait=True, timeout=self._open_seconds)
        except PoolTimeout as error:
            await self._pool.close()
            raise DatabaseError(
                f"no answer from the database at {safe_url(self.url)}; is it running, and is DATABASE_URL right"
            ) from error

    def measure_pool(self) -> dict[str, int]:
        """Counts of the pool by its own names, as `pool_size` and `requests_waiting`; empty ones are left out."""
        return self._pool.get_stats()

    async def close(self) -> None:
        """Return every connection; safe to call twice."""
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[AsyncConnection[Any]]:
        """One autocommit connection, for LISTEN, COPY and advisory locks.

        Raises:
            DatabaseError: none came free within the patience.
        """
        try:
            async with self._pool.connection() as connection:
                yield connection
        except PoolTimeout as error:
            raise DatabaseError(f"the database at {safe_url(self.url)} is away; still trying to reach it") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection[Any]]:
        """One connection inside one transaction; rolled back when the block raises."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch_all(self, query: bytes, parameters: Parameters, record: type[Record]) -> list[Record]:
        """Every row as a frozen record; columns are matched to its fields by name."""
        return await self._patiently(query, parameters, record)

    async def fetch_for(
        self, principals: Sequence[str], query: bytes, parameters: Parameters, record: type[Record]
    ) -> list[Record]:
        """Every row that these principals may read, where the role answers people; one round trip, as without them."""
        return await self._patiently(query, parameters, record, principals)

    async def fetch_one(self, query: bytes, parameters: Parameters, record: type[Record]) -> Record | None:
        """The first row, or None."""
        rows = await self.fetch_all(query, parameters, record)
        return rows[0] if rows else None

    async def fetch_dicts(self, query: bytes, parameters: Parameters = None) -> list[dict[str, Any]]:
        """Rows as plain dicts, for pages and reports that show what they are given."""
        return await self._patiently(query, parameters, None)

    async def fetch_tuples(self, query: bytes, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        """Rows as plain tuples in PostgreSQL's binary format, for many bytes at a time."""
        return await self._patiently(query, parameters, tuple)

    async def execute(self, query: bytes, parameters: Parameters = None) -> int:
        """Run one statement; the number of rows it touched."""
        async with self.connection() as connection:
            return (await connection.execute(query, parameters)).rowcount

    async def _patiently(
        self,
        query: bytes,
        parameters: Parameters,
        record: type[Any] | None,
        principals: Sequence[str] | None = None,
    ) -> list[Any]:
        """One statement, tried again while the server is away.

        Only statements that are safe to repeat come here: a connection lost after a commit, before its
        answer, runs the statement twice. Inserts that must happen once carry a unique key.
        """
        deadline = time.monotonic() + self._patience_seconds
        while True:
            try:
                async with self.connection() as connection:
                    cursor = _open_cursor(connection, record)
                    if principals is None:
                        await cursor.execute(query, parameters)
                    else:
                        await _execute_for(connection, principals, cursor, query, parameters)
                    # Not `cursor.description`, which builds an object for each column.
                    return await cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []
            except PoolClosed as error:
                raise DatabaseError("this process is ending, and its connections with it") from error
            except (psycopg.OperationalError, DatabaseError) as error:
                if time.monotonic() > deadline:
                    raise DatabaseError(f"the database at {safe_url(self.url)} stayed away: {error}") from error
                log.warning("database away, trying again", extra={"error": str(error)})
                await asyncio.sleep(RETRY_PAUSE_SECONDS)


async def _execute_for(
    connection: AsyncConnection[Any],
    principals: Sequence[str],
    cursor: AsyncCursor[Any],
    query: bytes,
    parameters: Parameters,
) -> None:
    """Both statements are sent at once, and are one transaction because they are."""
    async with connection.pipeline():
        await connection.execute(_SET_PRINCIPALS, [list(principals)])
        await cursor.execute(query, parameters)


def _open_cursor(connection: AsyncConnection[Any], record: type[Any] | None) -> AsyncCursor[Any]:
    if record is tuple:
        return connection.cursor(binary=True)
    return connection.cursor(row_factory=class_row(record) if record else dict_row)


def safe_url(url: str) -> str:
    """The address without user and password, for messages; of the parameters only the socket's folder is shown."""
    address, _, parameters = url.partition("?")
    folder = next((part for part in parameters.split("&") if part.startswith("host=")), "")
    # From the right: a password may hold an unescaped @, and its rest must not pass for a host.
    shown = address.rsplit("@", 1)[-1].rsplit("://", 1)[-1]
    return f"{shown}?{folder}" if folder else shown
