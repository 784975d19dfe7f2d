"""What the doctor says of the index."""

from pathlib import Path

import pytest

from core.database import Database
from retrieval import index_health, signs, vector_scan
from retrieval.embedding import Embedder
from retrieval.index_health import measure_index
from retrieval.ingest import ingest
from tests.retrieval.conftest import Write


async def test_an_empty_index_has_no_recall(database: Database, embedder: Embedder) -> None:
    health = await measure_index(database, embedder.name)
    assert (health.chunks, health.recall) == (0, None)


async def test_the_scan_is_held_against_a_comparison_in_full(
    database: Database, embedder: Embedder, folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        write(f"{number}.txt", f"Rule {number} of the travel policy is about city number {number * 7919}.")
    await ingest(database, embedder, [folder])
    well = await measure_index(database, embedder.name)
    monkeypatch.setattr(vector_scan, "MIN_COMPARED", 2)
    monkeypatch.setattr(signs, "_MOST_TIMES", 1)
    monkeypatch.setattr(index_health, "_DEPTH", 2)
    ill = await measure_index(database, embedder.name)
    assert (well.chunks, well.recall) == (40, 1.0)
    # Two are compared of which the ten nearest are wanted.
    assert ill.recall is not None and ill.recall <= 0.2
