"""Measures worked out by hand, and a small data set from end to end."""

import json
import math
from pathlib import Path

import pytest

from core.database import Database
from core.errors import InvalidInputError
from retrieval.embedding import Embedder
from retrieval.evaluate import evaluate_dataset, render_json, render_run
from retrieval.evaluate_dataset import read_dataset
from retrieval.evaluate_own import evaluate_own
from retrieval.ingest import ingest
from retrieval.measures import ndcg, percentile, recall, reciprocal_rank
from tests.retrieval.conftest import Write

RANKED = ["a", "b", "c", "d"]


def test_recall_is_the_share_found() -> None:
    assert recall(RANKED, ["b", "x"], at=2) == 0.5


def test_reciprocal_rank_is_of_the_first_relevant() -> None:
    assert (reciprocal_rank(RANKED, ["c", "d"]), reciprocal_rank(RANKED, ["x"])) == (1 / 3, 0)


def test_ndcg_of_two_relevant_at_second_and_third_place() -> None:
    gain = 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(RANKED, ["b", "c"]) == pytest.approx(gain / (1 + 1 / math.log2(3)))


def test_percentiles_are_by_nearest_rank() -> None:
    assert (percentile([4, 1, 3, 2], 0.5), percentile([4, 1, 3, 2], 0.95), percentile([7], 0.5)) == (2, 4, 7)


def test_ndcg_of_grades_counts_each_by_its_grade() -> None:
    # Grade 3 at place 2, grade 1 at place 1; best the other way round.
    best = 3 + 1 / math.log2(3)
    assert ndcg(["b", "a"], {"a": 3.0, "b": 1.0}) == pytest.approx((1 + 3 / math.log2(3)) / best)


def write_set(folder: Path, **files: list[dict[str, object]]) -> None:
    for name, rows in files.items():
        (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")


def test_a_data_set_is_read_however_it_is_written(tmp_path: Path) -> None:
    write_set(
        tmp_path,
        corpus=[
            {"id": 7, "text": "No title."},
            {"_id": "b", "title": "Only a title", "text": ""},
            {"id": "c", "title": None, "text": None},
            {"id": 7, "title": "", "text": "The same id again."},
        ],
        queries=[
            {"id": 1, "text": "one", "relevant_ids": [7]},
            {"id": "2", "text": "two", "relevant_ids": {"7": 2, "b": 0}},
            {"id": "3", "text": "three", "relevant_ids": [{"id": "b", "grade": 3}]},
            {"id": "4", "text": "four", "relevant_ids": []},
            {"id": "5", "text": "five"},
        ],
    )
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n5\tb\t2\n4\tb\t0\n")
    found = read_dataset(tmp_path)
    assert [(entry.id, entry.title, entry.text) for entry in found.corpus] == [
        ("7", "", "No title."),
        ("b", "", "Only a title"),
    ]
    assert [query.grades for query in found.queries] == [{"7": 1}, {"7": 2}, {"b": 3}, {"b": 2}]
    assert (found.skipped_entries, found.skipped_queries) == (2, 1)


async def test_a_data_set_is_measured_and_leaves_nothing_behind(
    database: Database, database_url: str, embedder: Embedder, tmp_path: Path
) -> None:
    write_set(
        tmp_path,
        corpus=[
            {"id": "leave days", "title": "Leave", "text": "Employees get 23 days.\n\nApply in time."},
            {"id": 12, "title": "", "text": "연차 휴가는 15일입니다."},
        ],
        queries=[
            {"id": "1", "text": "How many days off?", "answers": [], "relevant_ids": ["leave days"]},
            {"id": "2", "text": "연차는 며칠?", "answers": [], "relevant_ids": [12]},
        ],
    )
    evaluation = await evaluate_dataset(database_url, embedder, read_dataset(tmp_path))
    found = render_json(evaluation)
    assert set(found) == {
        *("recall_at_1", "recall_at_5", "recall_at_20", "mrr_at_10", "ndcg_at_10", "p50_ms", "p95_ms"),
        *("chunks_per_second", "languages"),
    }
    assert (found["recall_at_1"], found["ndcg_at_10"], evaluation.documents, evaluation.chunks) == (1, 1, 2, 2)
    assert set(found["languages"]) == {"en", "ko"} and found["languages"]["ko"]["mrr_at_10"] == 1
    lines = render_run(evaluation, "nightbake").splitlines()
    assert "1 Q0 leave_days 1 1.000000 nightbake" in lines and "2 Q0 12 1 1.000000 nightbake" in lines
    rows = await database.fetch_dicts(
        b"SELECT (SELECT count(*) FROM documents) AS documents, count(*) AS schemas"
        b" FROM pg_namespace WHERE starts_with(nspname::text, 'evaluation_')"
    )
    assert rows == [{"documents": 0, "schemas": 0}]


async def test_own_documents_are_asked_about_themselves(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    for number, place in enumerate(["Seoul", "Busan", "Daegu", "Incheon"]):
        write(f"{place}.txt", f"The office in {place} opens its doors at {number + 6} and closes them ten hours later.")
    await ingest(database, embedder, [folder])
    found = await evaluate_own(database, embedder, side="lexical")
    assert (len(found.answered), found.documents, found.measures.recall_at_20) == (4, 4, 1)


async def test_own_documents_that_are_not_there_say_so(database: Database, embedder: Embedder) -> None:
    with pytest.raises(InvalidInputError, match="nightbake ingest"):
        await evaluate_own(database, embedder)


def test_a_folder_without_a_data_set_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"corpus\.jsonl"):
        read_dataset(tmp_path)
    write_set(tmp_path, corpus=[{"id": 1, "text": "a"}], queries=[{"id": 1, "text": "b", "relevant_ids": []}])
    with pytest.raises(InvalidInputError, match="0 such questions"):
        read_dataset(tmp_path)
