"""How large the index is, and whether its quick scan of vectors finds what a comparison in full does."""

from dataclasses import dataclass

import numpy as np

from core.database import Database
from core.sql import load_queries
from retrieval.vector_scan import VectorScan
from retrieval.vectors import render_vector
from retrieval.visible import read_visible

QUERIES = load_queries(__file__)

_SAMPLE = 8
_DEPTH = 10


@dataclass(frozen=True, slots=True)
class IndexHealth:
    """What was measured.

    Attributes:
        recall: share of the exact ten nearest that the scan finds, for stored vectors as questions; None without any.
    """

    chunks: int
    posting_bytes: int
    vector_bytes: int
    recall: float | None


@dataclass(frozen=True, slots=True)
class _Size:
    chunks: int
    posting_bytes: int
    vector_bytes: int


@dataclass(frozen=True, slots=True)
class _Drawn:
    model_id: int
    vector: list[float]


@dataclass(frozen=True, slots=True)
class _Nearest:
    chunk_id: int


async def measure_index(database: Database, model: str) -> IndexHealth:
    """Sizes and recall; about half a second for 100,000 chunks."""
    size = (await database.fetch_all(QUERIES["measure_index"], None, _Size))[0]
    recall = await _measure_recall(database, model)
    return IndexHealth(size.chunks, size.posting_bytes, size.vector_bytes, recall)


async def _measure_recall(database: Database, model: str) -> float | None:
    everything = read_visible(await database.fetch_tuples(QUERIES["find_all_chunks"]), version=0)
    drawn = await database.fetch_all(QUERIES["draw_vectors"], {"model": model, "limit": _SAMPLE}, _Drawn)
    scan, hits, wanted = VectorScan(database), 0, 0
    for one in drawn if everything.count else ():
        vector = np.array(one.vector, dtype=np.float32)
        found = await scan.find_near(vector, one.model_id, everything, limit=_DEPTH)
        parameters = {"model_id": one.model_id, "vector": render_vector(vector)}
        nearest = {row.chunk_id for row in await database.fetch_all(QUERIES["find_nearest"], parameters, _Nearest)}
        hits, wanted = hits + len(nearest.intersection(found)), wanted + len(nearest)
    return hits / wanted if wanted else None
