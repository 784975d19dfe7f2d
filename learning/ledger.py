"""The pairs as they are kept: listed, looked up with all that is known of them, and streamed for an export."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from psycopg.rows import dict_row

from core.database import Database
from core.errors import NotFoundError
from core.sql import load_queries
from core.text import clean_text

QUERIES = load_queries(__file__)
ROWS_A_FETCH = 200
SHORTEST_HASH = 6

PairState = Literal["trained", "held_out", "dropped"]


@dataclass(frozen=True, slots=True)
class ListedPair:
    """A pair as one run used it, in short."""

    id: int
    sha256: str
    origin: str
    question: str
    chosen: str
    rejected: str
    language: str
    confidence: float | None
    voters: int
    state: PairState
    reason: str | None
    verdict: str | None


@dataclass(frozen=True, slots=True)
class StaleDocument:
    """A document that changed, or went, since pairs were made from it; so many of them are left out for that."""

    id: int
    title: str
    path: str
    version: int
    owner: str | None
    is_there: bool
    pairs: int


class Ledger:
    """Find pairs of the tables `pairs` and `run_pairs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_run_id(self, run_id: int | None = None) -> int:
        """The run, or the last one that collected pairs, a rehearsal among them.

        Raises:
            NotFoundError: no such run, or none yet.
        """
        rows = await self._database.fetch_tuples(QUERIES["find_run"], {"run_id": run_id})
        if rows:
            return rows[0][0]
        if run_id is None:
            raise NotFoundError("no pairs have been collected yet; `nightbake pairs build` does")
        raise NotFoundError(f"no run {run_id} has collected pairs; `nightbake pairs show` shows those of the last one")

    async def find_pairs(
        self,
        run_id: int,
        *,
        origin: str | None = None,
        state: str | None = None,
        words: str | None = None,
        limit: int = 20,
    ) -> list[ListedPair]:
        """Pairs of a run, the surest first."""
        values = {"run_id": run_id, "origin": origin, "state": state, "words": words, "limit": limit}
        return await self._database.fetch_all(QUERIES["find_pairs"], values, ListedPair)

    async def find_stale(self, run_id: int) -> list[StaleDocument]:
        """Documents whose change keeps pairs of a run out, the costliest first; those that were checked are none."""
        return await self._database.fetch_all(QUERIES["find_stale"], {"run_id": run_id}, StaleDocument)

    async def explain(self, name: str) -> dict[str, Any]:
        """All that is known of a pair, by its number or the beginning of its hash.

        Raises:
            NotFoundError: no pair, or more than one.
        """
        name = clean_text(name).strip().lower()
        is_id = name.isascii() and name.isdigit() and len(name) < 19
        values = {"id": int(name) if is_id else None, "prefix": name if len(name) >= SHORTEST_HASH else None}
        rows = await self._database.fetch_dicts(QUERIES["find_pair"], values)
        if len(rows) != 1:
            raise NotFoundError(
                f"expected the number of a pair, or {SHORTEST_HASH} and more letters of its hash, got {name[:80]!r}, "
                f"which {'several have' if rows else 'none has'}; `nightbake pairs show` lists them"
            )
        (pair,) = rows
        for part in ("runs", "reviews", "votes", "documents_now"):
            pair[part] = await self._database.fetch_dicts(QUERIES[f"find_{part}"], {"id": pair["id"]})
        return pair

    async def stream(
        self, query: Literal["stream_pairs", "stream_singles"], run_id: int
    ) -> AsyncGenerator[Mapping[str, Any]]:
        """Rows of a run that may be trained on, through a server-side cursor."""
        async with (
            self._database.transaction() as connection,
            connection.cursor(name=query, row_factory=dict_row) as cursor,
        ):
            cursor.itersize = ROWS_A_FETCH
            await cursor.execute(QUERIES[query], {"run_id": run_id})
            async for row in cursor:
                yield row
