"""What is so at this moment, for Prometheus: read from the database and the model server when somebody asks."""

import asyncio
import logging
from typing import Any

import psycopg
from prometheus_client import Gauge, generate_latest

from bot.web.readiness import HEALTH_SECONDS, Readiness
from core.database import Database
from core.errors import DatabaseError
from core.metrics import REGISTRY
from core.revision import find_version
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

# By the column that they show.
_NUMBERS = {
    "oldest_seconds": Gauge(
        "nightbake_queue_oldest_seconds", "Longest that an event waits for a worker now", registry=REGISTRY
    ),
    "claimed": Gauge("nightbake_queue_claimed", "Events that some worker holds", registry=REGISTRY),
    "retried": Gauge("nightbake_queue_retried", "Open events that were tried more than once", registry=REGISTRY),
    "nights_paused": Gauge("nightbake_nights_paused", "1 where an admin paused the nights", registry=REGISTRY),
    "night_running": Gauge("nightbake_night_running", "1 while a night runs", registry=REGISTRY),
    "night_finished_at": Gauge(
        "nightbake_night_last_finished_timestamp_seconds", "When the last night ended, in Unix time", registry=REGISTRY
    ),
    "model_resting": Gauge("nightbake_model_resting", "1 while the model makes room for a training", registry=REGISTRY),
    "alerts": Gauge("nightbake_alerts_open", "Alerts that admins were told and that last", registry=REGISTRY),
    "documents": Gauge("nightbake_documents", "Documents that are searched", registry=REGISTRY),
    "chunks": Gauge("nightbake_chunks", "Chunks of those documents", registry=REGISTRY),
    "unreadable": Gauge("nightbake_documents_unreadable", "Files that could not be read", registry=REGISTRY),
    "sources_failing": Gauge(
        "nightbake_sources_failing", "Sources whose last reading ended with an error", registry=REGISTRY
    ),
    "sources_reading": Gauge("nightbake_sources_reading", "Sources that are read now", registry=REGISTRY),
    "sources_read_at": Gauge(
        "nightbake_sources_oldest_read_timestamp_seconds",
        "When the source that waits longest was read, in Unix time",
        registry=REGISTRY,
    ),
    "index_version": Gauge("nightbake_index_version", "Grows with each change of the index", registry=REGISTRY),
}
_WAITING = Gauge("nightbake_queue_waiting", "Events that no worker holds: question, other", ["kind"], registry=REGISTRY)
_BURIED = Gauge("nightbake_queue_buried", "Events that were given up, ever", registry=REGISTRY)
_ADAPTER = Gauge("nightbake_adapter_info", "What answers: the adapter's name, or base", ["adapter"], registry=REGISTRY)
_NIGHT = Gauge(
    "nightbake_night_last_result",
    "How the last night ended: promote, refuse, abstain, or where it came to no verdict skipped, refused, failed, done",
    ["result"],
    registry=REGISTRY,
)
_UP = Gauge("nightbake_up", "Whether a part answers: database, model_server", ["part"], registry=REGISTRY)
_CONNECTIONS = Gauge(
    "nightbake_database_connections", "Of this process' pool: used, free, most", ["state"], registry=REGISTRY
)
_QUEUED = Gauge("nightbake_database_waiting", "Statements that wait for a connection of it", registry=REGISTRY)
_BUILD = Gauge("nightbake_build_info", "What is running", ["version"], registry=REGISTRY)


class Gauges:
    """The whole page of metrics; those of a part that is away are left out, so that nobody reads old ones.

    Args:
        database: whose pool is measured; console: that is asked; default: the same.
    """

    def __init__(self, database: Database, readiness: Readiness, console: Database | None = None) -> None:
        self._database = database
        self._console = console or database
        self._readiness = readiness
        # Gauges are the process': two that ask at once must not mix.
        self._one_at_a_time = asyncio.Lock()
        _BUILD.labels(find_version()).set(1)

    async def render(self) -> bytes:
        """The text that Prometheus reads; looks at every part, for at most some seconds."""
        async with self._one_at_a_time:
            for part, answers in (await self._readiness()).items():
                _UP.labels(part).set(answers)
            _show_pool(self._database.measure_pool())
            _show_state(await self._measure())
            return generate_latest(REGISTRY)

    async def _measure(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                (state,) = await self._console.fetch_dicts(QUERIES["measure"])
                (counted,) = await self._console.fetch_dicts(QUERIES["count_buried"])
        except (TimeoutError, DatabaseError, psycopg.Error) as error:
            log.warning("metrics without the database's part", extra={"error": repr(error)})
            return {}
        return state | counted


def _show_state(state: dict[str, Any]) -> None:
    for gauge in (_WAITING, _ADAPTER, _NIGHT):
        gauge.clear()
    for column, gauge in _NUMBERS.items():
        gauge.set(_to_number(state.get(column)))
    _BURIED.set(_to_number(state.get("buried")))
    if not state:
        return
    _WAITING.labels("question").set(state["questions_waiting"])
    _WAITING.labels("other").set(state["others_waiting"])
    _ADAPTER.labels(state["adapter"] or "base").set(1)
    if state["night_result"]:
        _NIGHT.labels(state["night_result"]).set(1)


def _to_number(value: float | None) -> float:
    """What is not known is no number, and no alert's threshold holds for it."""
    return float("nan") if value is None else float(value)


def _show_pool(pool: dict[str, int]) -> None:
    size, free = pool.get("pool_size", 0), pool.get("pool_available", 0)
    for state, count in (("used", size - free), ("free", free), ("most", pool.get("pool_max", 0))):
        _CONNECTIONS.labels(state).set(count)
    _QUEUED.set(pool.get("requests_waiting", 0))
