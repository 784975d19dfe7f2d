"""Forget a person on learning's side: pairs, data sets, reports and adapters; a rebuild is queued, a receipt written.

The log itself is erased by whoever calls this (`erase`), between finding what used it and retiring that.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from core.adapters import Adapters
from core.database import Database
from core.errors import ModelServerError
from core.model_server import ModelServer
from core.serving import Serving
from core.sql import load_queries
from core.wording import normalise_text
from learning.split import hash_question

QUERIES = load_queries(__file__)

REASON = "trained on what a person asked to be forgotten"

# Erases a person from the log; how much of what, by name.
EraseLog = Callable[[str], Awaitable[Mapping[str, int]]]


@dataclass(frozen=True, slots=True)
class Used:
    """What used a person's words: ids of pairs, runs that held one, adapters that trained on one, and questions."""

    pairs: list[int]
    runs: list[int]
    adapters: list[str]
    questions: list[str]
    interactions: list[int]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was forgotten. It names nobody: it is for the person who asked.

    Attributes:
        log: rows of the log that are gone, by kind.
        serving: what answers now, where that had to change; `base` is the base model.
        folders_left: adapters whose weights the model server still holds; delete them once it has stopped.
        rebuild: number of the queued night; None where no adapter was touched.
    """

    number: int
    log: dict[str, int]
    pairs: int
    nights: list[int]
    reports: int
    adapters: list[str]
    serving: str | None
    folders_left: list[str]
    rebuild: int | None


@dataclass(frozen=True, slots=True)
class Retired:
    """What came of retiring adapters; the fields are those of `Receipt`."""

    serving: str | None
    folders_left: list[str]
    rebuild: int | None


async def forget(
    *,
    database: Database,
    adapters: Adapters,
    serving: Serving,
    model_server: ModelServer,
    home: Path,
    person: str,
    by: str,
    erase: EraseLog,
) -> Receipt:
    """Forget a person. Done again, it forgets what came since; a crash on the way is mended by doing it again.

    What left the house stays out there: exported files, messages in a chat, a report that was sent.

    Args:
        home: state folder, with the nights' jobs and the adapters.
        by: who asked for it, for the audit.
    """
    used = await find_used(database, person)
    # First what answers: from here on nobody is answered by what has to go.
    retired = await retire_adapters(
        database=database, adapters=adapters, serving=serving, model_server=model_server, home=home,
        names=used.adapters, by=by,
    )  # fmt: skip
    reports = await _erase_learnt(database, used)
    log = dict(await erase(person))
    await asyncio.to_thread(_delete_jobs, home, used.runs)
    facts = Receipt(
        0, log, len(used.pairs), used.runs, reports, used.adapters, retired.serving, retired.folders_left,
        retired.rebuild,
    )  # fmt: skip
    values = {"receipt": Jsonb({key: value for key, value in asdict(facts).items() if key != "number"}), "by": by}
    rows = await database.fetch_dicts(QUERIES["write_receipt"], values)
    await serving.record_act(by, "forget person", f"receipt {rows[0]['id']}")
    return Receipt(rows[0]["id"], *list(asdict(facts).values())[1:])


async def retire_adapters(
    *,
    database: Database,
    adapters: Adapters,
    serving: Serving,
    model_server: ModelServer,
    home: Path,
    names: list[str],
    by: str,
) -> Retired:
    """Stop serving adapters for good, delete their weights and queue a night; also for a wish that came by chat."""
    if not names:
        return Retired(None, [], None)
    now_serving = await _retire(adapters, serving, names, by)
    left = [name for name in names if not await _delete_weights(model_server, home, name)]
    rows = await database.fetch_dicts(QUERIES["queue_rebuild"], {"reason": REASON})
    return Retired(now_serving, left, rows[0]["id"])


async def find_used(database: Database, person: str) -> Used:
    """Where a person's questions, answers to them, and votes went."""
    rows = await database.fetch_dicts(QUERIES["find_used"], {"person": person})
    return Used(**rows[0])


async def erase_log(database: Database, person: str) -> dict[str, int]:
    """Erase what a person asked, was answered and judged, with others' votes on these answers."""
    counts: dict[str, int] = {}
    async with database.transaction() as connection:
        for name in ("votes", "expert_requests", "expert_replies", "questions", "events"):
            cursor = await connection.execute(QUERIES[f"erase_{name}"], {"person": person})
            counts[name] = cursor.rowcount
    return counts


async def _erase_learnt(database: Database, used: Used) -> int:
    """Pairs, their use, the nights' words about them; how many reports went with them."""
    questions = [hash_question(normalise_text(question)) for question in used.questions]
    values: dict[str, Any] = {"pairs": used.pairs, "runs": used.runs, "questions": questions}
    values["interactions"] = used.interactions
    async with database.transaction() as connection:
        for name in ("erase_run_pairs", "erase_pairs", "erase_sides", "erase_words"):
            await connection.execute(QUERIES[name], values)
        cursor = await connection.execute(QUERIES["erase_reports"], values)
        return cursor.rowcount


async def _retire(adapters: Adapters, serving: Serving, names: list[str], by: str) -> str | None:
    """Reject the adapters; where one of them answers, serve the latest before it that stays, or the base model."""
    for name in names:
        await adapters.reject(name, REASON)
    active = await adapters.find_active()
    if active is None or active.name not in names:
        return None
    rejected = {adapter.name for adapter in await adapters.find_all() if adapter.reason}
    served = [switch["name"] for switch in await adapters.find_switches() if switch["name"]]
    successor = next((name for name in served if name not in rejected), None)
    try:
        await serving.promote(successor, by=by, reason=REASON)
    except ModelServerError:
        successor = None
        await serving.promote(None, by=by, reason=REASON)
    return successor or "base"


async def _delete_weights(model_server: ModelServer, home: Path, name: str) -> bool:
    """Unload, then delete: a server that misses the folder of a loaded adapter dies. False where it holds on."""
    folder = home / "adapters" / name
    if not folder.exists():
        return True
    try:
        await model_server.unload_adapter(name)
    except ModelServerError:
        return False
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return True


def _delete_jobs(home: Path, runs: list[int]) -> None:
    """The data sets that a night wrote for its training process, where a crash left them."""
    for run_id in runs:
        shutil.rmtree(home / "nights" / str(run_id), ignore_errors=True)
