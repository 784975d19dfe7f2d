"""What of a night's votes is no pair: single votes in KTO's form, and judged queries for the search."""

from collections.abc import Collection, Sequence
from typing import Literal

from core.database import Database
from core.group_commit import to_json_rows
from core.sql import load_queries
from learning.blame import JudgedQuery
from learning.gather import Single

QUERIES = load_queries(__file__)

# Where single votes outnumber pairs so many times, what they say is worth the weaker signal.
KTO_FROM = 3

Use = Literal["kto", "evaluation"]


def choose_use(*, singles: int, pairs: int) -> Use:
    """Whether single votes are offered for training; no pair and no single vote is nothing to train on."""
    return "kto" if singles and singles >= KTO_FROM * pairs else "evaluation"


def find_refused(singles: Sequence[Single]) -> dict[int, str | None]:
    """Each vote behind a single, with the reason where it may not be used."""
    return {id_: None if one.is_open else "restricted_documents" for one in singles for id_ in one.feedback_ids}


async def store_singles(database: Database, run_id: int, singles: Sequence[Single], trained: Collection[int]) -> None:
    """Keep those that may be used, the trained ones for KTO and the others for evaluation; storing again replaces."""
    rows = to_json_rows([one for one in singles if one.is_open])
    await database.execute(QUERIES["store_singles"], {"run_id": run_id, "trained": list(trained), "rows": rows})


async def store_queries(database: Database, run_id: int, queries: Sequence[JudgedQuery]) -> None:
    """Keep what the search should have found; what an earlier night said of the same answers goes."""
    await database.execute(QUERIES["store_queries"], {"run_id": run_id, "rows": to_json_rows(queries)})
