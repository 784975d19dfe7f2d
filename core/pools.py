"""The connections of one process: a pool for each part of the service, with the rights of that part and no more."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from core.database import Database, Role
from core.migrate import migrate

# Of a pool that works for one person or one loop at a time.
_FEW = 4


@dataclass(frozen=True, slots=True)
class Pools:
    """A pool a part; migration 0029 says what each may do.

    Attributes:
        login: of DATABASE_URL itself: migrates, and serves the operator's own commands; no answer comes from it.
        bot: takes questions and votes, and answers; it reads no document but for an asker.
        index: reads documents in, and scans numbers for the search.
        night: learns.
        console: shows and does what administrators may, and forgets people.
    """

    login: Database
    bot: Database
    index: Database
    night: Database
    console: Database


@asynccontextmanager
async def open_pools(url: str, *, size: int, open_seconds: float | None = None) -> AsyncGenerator[Pools]:
    """Reach the database, migrate it, and open the pools.

    Args:
        size: connections of the pools that many people share.

    Raises:
        DatabaseError: the database is away, or was migrated by a newer version.
    """
    async with AsyncExitStack() as stack:
        login = await stack.enter_async_context(Database(url, size=_FEW, open_seconds=open_seconds))
        await migrate(login)

        async def open_as(role: Role, most: int, *, idle: int = 0) -> Database:
            return await stack.enter_async_context(Database(url, role=role, size=most, idle=idle))

        yield Pools(
            login=login,
            bot=await open_as("nightbake_bot", size, idle=1),
            index=await open_as("nightbake_index", size, idle=1),
            night=await open_as("nightbake_night", _FEW),
            console=await open_as("nightbake_console", _FEW),
        )
