"""The dense side alone among very many vectors: what `benchmarks.search_speed --vectors` measures.

The vectors go in by COPY and chunks hold no words, so that only what a vector costs is measured: how long a search
takes and what it finds of the exact ten nearest at each share that is visible, the first search after a start, which
reads all signs, and the memory that they take.
"""

import time
from typing import Any

import numpy as np

from benchmarks.ingest_workload import forget_peak_memory, read_peak_mib
from benchmarks.search_workload import CHUNKS_OF_DOCUMENT, DIMENSION, READERS, SOURCE, Company
from benchmarks.vector_workload import (
    BLOCK_DOCUMENTS,
    COPY_BEGIN,
    COPY_END,
    Crowd,
    measure_recall,
    pack_rows,
)
from core.database import Database
from core.sql import load_queries
from retrieval.access import Access
from retrieval.candidates import Candidates
from retrieval.embedding import Vectors
from retrieval.measures import percentile
from retrieval.vectors import render_vector
from retrieval.visible import VisibleChunks

QUERIES = load_queries(__file__)

_DEPTH = 10
_BARE_QUESTIONS = 10


async def run_vectors(database: Database, chunks: int, questions: int, seed: int) -> dict[str, Any]:
    """Every figure; milliseconds are of one client.

    Args:
        database: migrated and empty.

    Raises:
        SystemExit: fewer rows came back than exist, or one that must not be seen.
    """
    crowd = Crowd(chunks, seed=seed)
    model_id, seconds = await load(database, crowd)
    asked = crowd.ask(questions)
    exact = crowd.find_nearest(asked)
    candidates = Candidates(database)
    figures: dict[str, Any] = await measure_first(candidates, asked[0], model_id)
    for reader, share in READERS.items():
        found, taken = await search_all(candidates, asked, model_id, reader)
        _check(found, crowd, share)
        name = f"{100 / share:g}_percent"
        figures[f"recall_at_10_{name}"] = round(measure_recall(found, exact.by_reader[reader]), 4)
        figures[f"dense_{name}_p50_ms"] = round(percentile(taken, 0.5), 2)
        figures[f"dense_{name}_p95_ms"] = round(percentile(taken, 0.95), 2)
    bare = await time_bare(database, asked[:_BARE_QUESTIONS], model_id)
    visible = await Access(database).find_visible_chunks(["group:all"])
    return figures | {
        "vectors": crowd.chunks,
        "bare_pgvector_p50_ms": round(percentile(bare, 0.5), 1),
        "dense_over_bare_pgvector": round(figures["dense_100_percent_p50_ms"] / percentile(bare, 0.5), 3),
        "signs_megabytes": round(_measure_signs(visible) / 1e6, 1),
        "mask_megabytes": round(visible.mask.nbytes / 1e6, 1),
        "copied_per_second": round(crowd.chunks / seconds),
    }


async def load(database: Database, crowd: Crowd) -> tuple[int, float]:
    """Store documents, chunks and vectors; the model's id, and seconds taken."""
    began = time.perf_counter()
    ((model_id,),) = await database.fetch_tuples(QUERIES["register_model"], {"dimension": DIMENSION})
    async with database.connection() as connection, connection.cursor() as cursor:
        async with cursor.copy(QUERIES["copy_documents"]) as copy:
            for number in range(crowd.documents):
                rule = Company.build_rule(number)
                await copy.write_row(
                    (number + 1, SOURCE, str(number), rule.allow, rule.deny, "", "text", "en", "", "1")
                )
        for block in range(crowd.blocks):
            vectors, first = crowd.make_block(block), block * BLOCK_DOCUMENTS * CHUNKS_OF_DOCUMENT
            await cursor.execute(
                QUERIES["put_chunks"],
                {"first": first, "last": first + len(vectors) - 1, "of_document": CHUNKS_OF_DOCUMENT},
            )
            async with cursor.copy(QUERIES["copy_vectors"]) as copy:
                await copy.write(COPY_BEGIN + pack_rows(vectors, first, model_id) + COPY_END)
    for table in (b"documents", b"chunks", b"embeddings", b"audience_blocks"):
        await database.execute(b"VACUUM ANALYZE " + table)
    return model_id, time.perf_counter() - began


async def measure_first(candidates: Candidates, question: Vectors, model_id: int) -> dict[str, Any]:
    """The first search of a process, and the most memory that it took."""
    forget_peak_memory()
    before, began = read_peak_mib(), time.perf_counter()
    await search(candidates, question, model_id, "group:all")
    return {
        "first_search_seconds": round(time.perf_counter() - began, 2),
        "first_search_peak_mib": read_peak_mib() - before,
    }


async def search(candidates: Candidates, question: Vectors, model_id: int, reader: str) -> list[int]:
    """Numbers of the ten nearest chunks, as a search of people finds them."""
    found = await candidates.find([], question, model_id, [reader], limit_per_side=_DEPTH)
    ranked = sorted(found, key=lambda one: -(one.dense_score or 0.0))[:_DEPTH]
    return [one.chunk_id - 1 for one in ranked]


async def search_all(
    candidates: Candidates, asked: Vectors, model_id: int, reader: str
) -> tuple[list[list[int]], list[float]]:
    """What each question finds, and its milliseconds."""
    await search(candidates, asked[0], model_id, reader)
    found: list[list[int]] = []
    taken: list[float] = []
    for question in asked:
        began = time.perf_counter()
        found.append(await search(candidates, question, model_id, reader))
        taken.append((time.perf_counter() - began) * 1000)
    return found, taken


async def time_bare(database: Database, asked: Vectors, model_id: int) -> list[float]:
    """Milliseconds of pgvector's own exact scan, without a filter."""
    taken: list[float] = []
    for question in asked:
        began = time.perf_counter()
        await database.fetch_tuples(QUERIES["search_bare"], {"model_id": model_id, "vector": render_vector(question)})
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def _check(found: list[list[int]], crowd: Crowd, share: int) -> None:
    visible = crowd.documents // share * CHUNKS_OF_DOCUMENT
    for chunks in found:
        if len(chunks) < min(_DEPTH, visible) or any(chunk // CHUNKS_OF_DOCUMENT % share for chunk in chunks):
            raise SystemExit(f"expected {_DEPTH} chunks that one of {share} documents holds, got {chunks}")


def _measure_signs(visible: VisibleChunks) -> int:
    """Bytes of all signs: a bit a dimension and row, and a byte a row."""
    return len(visible.mask) * (-(-DIMENSION // 64) * np.dtype(np.uint64).itemsize + 1)
