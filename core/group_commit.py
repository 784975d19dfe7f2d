"""Durable writes that share commits: what arrives while one commit is in flight goes together in the next."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from typing import Any, Generic, TypeVar

import orjson

from core.errors import DatabaseError

Row = TypeVar("Row")
Result = TypeVar("Result")

MAX_BATCH = 256


class GroupCommit(Generic[Row, Result]):
    """Calls `write` with batches; each caller gets its own row's result after the commit.

    There is no timer: a lone caller is written at once, and a crowd shares one round trip and one flush
    to disk. A batch that fails is tried again row by row, so one bad row fails alone. Where the database itself is
    away, `write` has waited as long as is sensible: all fail together, instead of each waiting that long in turn.

    Args:
        write: stores the rows in one transaction and returns one result a row, in order.
    """

    def __init__(self, write: Callable[[Sequence[Row]], Awaitable[Sequence[Result]]]) -> None:
        self._write = write
        self._waiting: list[tuple[Row, asyncio.Future[Result]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, row: Row) -> Result:
        """Store one row; returns only once it is committed."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if self._writer is None:
            self._writer = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                await self._commit(batch)
        finally:
            self._writer = None

    async def _commit(self, batch: list[tuple[Row, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._write([row for row, _ in batch])
        except Exception as error:
            if len(batch) == 1 or isinstance(error, DatabaseError):
                for _, future in batch:
                    _fail(future, error)
                return
            for item in batch:
                await self._commit([item])
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def to_json_rows(rows: Sequence[object]) -> str:
    """A JSON array for `jsonb_to_recordset`: one parameter a batch, whatever its size.

    A record becomes an object of its fields, also inside another.
    """
    try:
        return orjson.dumps(rows).decode()
    except TypeError:
        # Payloads that others wrote may hold integers beyond 64 bits or hundreds of levels.
        return json.dumps(rows, ensure_ascii=False, default=_to_fields)


def _to_fields(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}
