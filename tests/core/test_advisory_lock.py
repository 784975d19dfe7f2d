"""Advisory locks between processes: held for a block or a transaction, each part apart."""

import asyncio

import pytest

from core.advisory_lock import hold_lock, lock_transaction
from core.database import Database
from core.locks import Lock
from tests.eventually import eventually

KILL = b"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = %(key)s"


async def is_free(database: Database, lock: Lock, part: str | None = None) -> bool:
    async with hold_lock(database, lock, part=part, wait=False) as held:
        return held is not None


async def test_one_holds_it_and_it_is_free_afterwards(database: Database, database_url: str) -> None:
    async with Database(database_url) as other:
        async with hold_lock(database, Lock.NIGHT, wait=False):
            assert not await is_free(other, Lock.NIGHT)
            assert await is_free(other, Lock.EMBEDDING_MODEL)
        assert await is_free(other, Lock.NIGHT)


async def test_parts_are_locked_apart(database: Database) -> None:
    async with hold_lock(database, Lock.SOURCE, part="wiki", wait=True):
        assert [await is_free(database, Lock.SOURCE, part) for part in ("wiki", "handbook", None)] == [
            False, True, True
        ]  # fmt: skip


async def test_who_waits_gets_it_when_it_is_free(database: Database) -> None:
    async def take() -> bool:
        async with hold_lock(database, Lock.SOURCE, part="wiki", wait=True) as held:
            return held is not None

    async with hold_lock(database, Lock.SOURCE, part="wiki", wait=False):
        taking = asyncio.create_task(take())
        await eventually(lambda: is_waiting(database))
        assert not taking.done()
    assert await taking


async def is_waiting(database: Database) -> bool:
    return bool(await database.fetch_dicts(b"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))


async def test_a_block_that_fails_lets_go_of_it(database: Database, database_url: str) -> None:
    with pytest.raises(ValueError, match="the lamp is broken"):
        async with hold_lock(database, Lock.NIGHT, wait=False):
            raise ValueError("the lamp is broken")
    async with Database(database_url) as other:
        assert await is_free(other, Lock.NIGHT)


async def test_a_broken_connection_ends_the_block_in_peace(database: Database) -> None:
    async with hold_lock(database, Lock.NIGHT, wait=False):
        await database.fetch_dicts(KILL, {"key": Lock.NIGHT})
    assert await is_free(database, Lock.NIGHT)


async def test_a_transaction_holds_it_until_its_end(database: Database, database_url: str) -> None:
    async with Database(database_url) as other:
        async with database.transaction() as connection:
            await lock_transaction(connection, Lock.INDEX)
            assert not await is_free(other, Lock.INDEX)
        assert await is_free(other, Lock.INDEX)
