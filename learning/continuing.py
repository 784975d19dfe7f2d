"""Going on from the adapter that is served, in place of a fresh one: an option.

It saves time: only what is new is trained, with as many of the pairs that were learnt before beside it. It costs trust:
weights hold whatever they were ever trained on, and the mistakes of earlier nights. So a night goes on only while
nothing was taken back, by a changed vote, a changed document, a permission, or age: every pair and single vote that the
served adapter learnt is among tonight's. Else it starts afresh, as all nights do without the option.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.adapters import Adapter
from core.database import Database
from core.sql import load_queries
from learning.night import NightSettings

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class _Taken:
    back: int


@dataclass(frozen=True, slots=True)
class _Learnt:
    sha256: str


async def find_learnt(database: Database, run_id: int, served: Adapter | None, settings: NightSettings) -> set[str]:
    """Hashes of the pairs that the served adapter learnt; none where this night must start afresh."""
    if not settings.goes_on or served is None or not _has_shape(served, settings):
        return set()
    parameters = {"run_id": run_id, "adapter": served.name}
    taken = await database.fetch_one(QUERIES["count_taken_back"], parameters, _Taken)
    if taken is None or taken.back:
        return set()
    return {one.sha256 for one in await database.fetch_all(QUERIES["find_learnt"], parameters, _Learnt)}


def choose_rows(rows: Sequence[Mapping[str, Any]], learnt: set[str], *, seed: int) -> list[Mapping[str, Any]]:
    """What is new and as many of the others, drawn by the seed, in their order; all where nothing is new."""
    new = {row["sha256"] for row in rows if row["sha256"] not in learnt}
    known = sorted(row["sha256"] for row in rows if row["sha256"] in learnt)
    if not new or not known:
        return list(rows)
    kept = new | set(random.Random(seed).sample(known, min(len(new), len(known))))
    return [row for row in rows if row["sha256"] in kept]


def _has_shape(served: Adapter, settings: NightSettings) -> bool:
    job = served.manifest.get("job", {})
    return served.base_model == settings.base_model and job.get("rank") == settings.rank
