"""The nights as rows: one at a time under a lock, resumed where a crash left it, each with its ledger of pairs."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from core.advisory_lock import hold_lock
from core.database import Database
from core.errors import NightbakeError, NotFoundError
from core.locks import Lock
from core.sql import load_queries
from learning.curate import Fate
from learning.pairs import Pair
from learning.permission import EVERYONE

QUERIES = load_queries(__file__)

# A pair is a prompt of some kilobytes.
ROWS_A_STATEMENT = 500

State = Literal["running", "done", "skipped", "refused", "failed"]
Kind = Literal["night", "exercises"]
Stage = Literal["collect", "train", "serve", "evaluate", "gate", "switch", "report"]


class NightRunningError(NightbakeError):
    """Another process works on a night; wait for its report."""


class NightLockLostError(NightbakeError):
    """The database forgot our lock, so another process may work on a night; this one stops."""


@dataclass(frozen=True, slots=True)
class Run:
    """One night as stored; running while `finished_at` is None.

    Attributes:
        window_to: votes given at or after this do not exist for this night.
        counts: votes, pairs and fates; see `collect`.
        seconds: time spent in each stage.
        trial: how its adapter fared on trial, once that has ended; see `learning/trial.py`.
        is_rehearsal: it collects pairs and trains nothing.
        has_lost_pairs: somebody was forgotten since it collected.
        audience: the principal that everyone who will be served has.
        kind: trained on votes, or supervised on exercises.
    """

    id: int
    night: date
    requested_by: str
    window_from: datetime
    window_to: datetime
    stage: Stage
    state: State
    attempts: int
    counts: dict[str, Any]
    tickets: list[dict[str, Any]]
    evaluation: dict[str, Any] | None
    proof: dict[str, Any] | None
    gate: dict[str, Any] | None
    seconds: dict[str, float]
    adapter: str | None
    reason: str | None
    error: str | None
    started_at: datetime
    finished_at: datetime | None
    is_rehearsal: bool = False
    has_lost_pairs: bool = False
    audience: str = EVERYONE
    trial: dict[str, Any] | None = None
    kind: Kind = "night"


@dataclass(frozen=True, slots=True)
class RunPair:
    """A pair as one night used it."""

    sha256: str
    prompt: list[dict[str, str]]
    chosen: str
    rejected: str
    question: str
    language: str
    voters: list[str]
    origin: str
    state: Literal["trained", "held_out", "dropped"]
    reason: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """A night's report in one language, complete as Markdown and as one self-contained page."""

    run_id: int
    language: str
    markdown: str
    html: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class _Held:
    held: bool


class NightLock:
    """The right to work on a night, held by one database connection."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection

    async def check(self) -> None:
        """Ask whether the right is still held; call before anything that people see.

        Raises:
            NightLockLostError: the connection broke, and the lock went with it.
        """
        try:
            await self._connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise NightLockLostError(
                "the database connection that held the night's lock broke; run it again"
            ) from error


class Runs:
    """Begin, resume, update and find nights."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def lock(self) -> AsyncGenerator[NightLock]:
        """The lock under which nights run; it ends with the process, however that dies.

        Raises:
            NightRunningError: another process holds it.
        """
        async with hold_lock(self._database, Lock.NIGHT, wait=False) as connection:
            if connection is None:
                raise NightRunningError("a night is running already; `nightbake report` shows it when it is done")
            yield NightLock(connection)

    async def resume(self) -> Run | None:
        """The night that a crash left unfinished. Call it under the lock only: else it may be at work elsewhere."""
        return await self._database.fetch_one(QUERIES["resume"], None, Run)

    async def begin(
        self,
        *,
        night: date,
        requested_by: str,
        window_from: datetime,
        window_to: datetime,
        audience: str = EVERYONE,
        kind: Kind = "night",
    ) -> Run | None:
        """A new night of an audience; None where the schedule has had it already."""
        values = {"night": night, "requested_by": requested_by, "window_from": window_from, "window_to": window_to}
        values |= {"audience": audience, "kind": kind}
        return await self._database.fetch_one(QUERIES["begin"], values, Run)

    async def rehearse(self, *, night: date, requested_by: str, window_from: datetime, window_to: datetime) -> Run:
        """A run that only collects pairs; it is no night. Call it under the lock."""
        values = {"night": night, "requested_by": requested_by, "window_from": window_from, "window_to": window_to}
        begun = await self._database.fetch_one(QUERIES["begin_rehearsal"], values, Run)
        assert begun, "a rehearsal meets no unique key"
        return begun

    async def forget_rehearsals(self, *, before: int) -> None:
        """Leave out those that another has replaced; what it did not store anew goes with them."""
        await self._database.execute(QUERIES["forget_rehearsals"], {"before": before})

    async def has_night(self, night: date) -> bool:
        """Whether a night of this date has finished, by schedule or by hand."""
        found = await self._database.fetch_one(QUERIES["has_night"], {"night": night}, _Held)
        return bool(found and found.held)

    async def update(
        self,
        run_id: int,
        *,
        stage: Stage | None = None,
        counts: Mapping[str, Any] | None = None,
        tickets: Sequence[Mapping[str, Any]] | None = None,
        evaluation: Mapping[str, Any] | None = None,
        proof: Mapping[str, Any] | None = None,
        gate: Mapping[str, Any] | None = None,
        trial: Mapping[str, Any] | None = None,
        adapter: str | None = None,
        seconds: Mapping[str, float] | None = None,
    ) -> Run:
        """Store what a stage brought; what is None stays as it is."""
        documents = {"counts": counts, "tickets": tickets, "evaluation": evaluation, "proof": proof, "gate": gate}
        documents["trial"] = trial
        values: dict[str, Any] = {name: None if one is None else Jsonb(one) for name, one in documents.items()}
        values |= {"id": run_id, "stage": stage, "adapter": adapter, "seconds": Jsonb(seconds or {})}
        return await self._one("update", values, run_id)

    async def finish(self, run_id: int, state: State, *, reason: str | None = None, error: str | None = None) -> Run:
        """Close a night, which did what rebuilds ask unless it failed or paused; again changes only the words."""
        if state != "failed" and reason != "paused":
            await self._database.execute(QUERIES["take_rebuilds"], {"id": run_id})
        return await self._one("finish", {"id": run_id, "state": state, "reason": reason, "error": error}, run_id)

    async def get(self, run_id: int) -> Run:
        """One night.

        Raises:
            NotFoundError: no night has this id.
        """
        return await self._one("get", {"id": run_id}, run_id)

    async def find_latest(self, limit: int = 30) -> list[Run]:
        """Nights, newest first."""
        return await self._database.fetch_all(QUERIES["find_latest"], {"limit": limit}, Run)

    async def store_ledger(
        self, run_id: int, pairs: Sequence[tuple[Pair, str, str | None]], fates: Mapping[int, Fate]
    ) -> None:
        """Keep the pairs of a night (with state and reason) and what became of every vote."""
        latest = list({pair[0].sha256: pair for pair in pairs}.values())
        votes = [{"feedback_id": key, "state": fate.state, "reason": fate.reason} for key, fate in fates.items()]
        async with self._database.transaction() as connection:
            # What an attempt before this one stored, with a pair that a review or a vote has changed since.
            await connection.execute(QUERIES["forget_run_pairs"], {"run_id": run_id})
            for at in range(0, len(latest), ROWS_A_STATEMENT):
                rows = [_pair_row(*pair) for pair in latest[at : at + ROWS_A_STATEMENT]]
                text = json.dumps(rows, ensure_ascii=False)
                await connection.execute(QUERIES["store_pairs"], {"run_id": run_id, "rows": text})
            await connection.execute(QUERIES["store_fates"], {"run_id": run_id, "rows": json.dumps(votes)})

    async def find_pairs(self, run_id: int) -> list[RunPair]:
        """Every pair of a night, in the order it is trained in."""
        return await self._database.fetch_all(QUERIES["find_pairs"], {"run_id": run_id}, RunPair)

    async def store_report(self, run_id: int, language: str, *, markdown: str, html: str) -> None:
        """Keep a report; writing it again replaces it."""
        values = {"run_id": run_id, "language": language, "markdown": markdown, "html": html}
        await self._database.execute(QUERIES["store_report"], values)

    async def get_report(self, run_id: int, language: str = "en") -> Report:
        """A night's report.

        Raises:
            NotFoundError: the night is still running, or no night has this id.
        """
        found = await self._database.fetch_one(QUERIES["get_report"], {"run_id": run_id, "language": language}, Report)
        if found is None:
            raise NotFoundError(f"no report of the night {run_id} in {language!r} yet")
        return found

    async def get_reported_until(self, run: Run) -> datetime:
        """Until when earlier reports tell what happened; the start of this night's window where there is none."""
        rows = await self._database.fetch_dicts(QUERIES["get_reported_until"], {"id": run.id})
        return rows[0]["until"] or run.window_from

    async def find_last_report_at(self, run: Run) -> datetime | None:
        """When the report of an earlier night was last written."""
        rows = await self._database.fetch_dicts(QUERIES["find_last_report_at"], {"id": run.id})
        return rows[0]["written_at"]

    async def count_votes_by_day(self, until: datetime) -> list[dict[str, Any]]:
        """Votes of the thirty days up to a moment, one row a day (UTC), also where there were none."""
        return await self._database.fetch_dicts(QUERIES["count_votes_by_day"], {"until": until})

    async def _one(self, query: str, values: Mapping[str, Any], run_id: int) -> Run:
        found = await self._database.fetch_one(QUERIES[query], values, Run)
        if found is None:
            raise NotFoundError(f"no night has the id {run_id}; `nightbake report` shows the latest")
        return found


def _pair_row(pair: Pair, state: str, reason: str | None) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(pair, name) for name in Pair.__slots__}
    return row | {
        "sha256": pair.sha256,
        "given_at": pair.given_at.isoformat(),
        "state": state,
        "reason": reason,
    }
