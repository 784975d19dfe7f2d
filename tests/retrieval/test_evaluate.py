"""Measures worked out by hand, and a small data set from end to end."""

import json
import math
from pathlib import Path

import pytest

from core.database import Database
from core.errors import InvalidInputError
from retrieval.embedding import Embedder
from retrieval.evaluate import evaluate_dataset
from retrieval.measures import ndcg, percentile, recall, reciprocal_rank

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


async def test_a_data_set_is_measured_and_leaves_nothing_behind(
    database: Database, database_url: str, embedder: Embedder, tmp_path: Path
) -> None:
    corpus = [
        {"id": "leave", "title": "Leave", "text": "Employees get 23 days.\n\nApply in time."},
        {"id": "휴가", "title": "", "text": "연차 휴가는 15일입니다."},
    ]
    queries = [
        {"id": "1", "text": "How many days off?", "answers": [], "relevant_ids": ["leave"]},
        {"id": "2", "text": "연차는 며칠?", "answers": [], "relevant_ids": ["휴가"]},
    ]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    evaluation = await evaluate_dataset(database_url, embedder, tmp_path, sides=["hybrid"])
    assert (evaluation.documents, evaluation.chunks) == (2, 2)
    assert [(one.language, one.recall_at_1, one.ndcg_at_10) for one in evaluation.measured] == [
        ("en", 1, 1),
        ("ko", 1, 1),
    ]
    rows = await database.fetch_dicts(
        b"SELECT (SELECT count(*) FROM documents) AS documents, to_regnamespace('evaluation') IS NULL AS dropped"
    )
    assert rows == [{"documents": 0, "dropped": True}]


async def test_a_folder_without_a_data_set_says_so(database_url: str, embedder: Embedder, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"corpus\.jsonl"):
        await evaluate_dataset(database_url, embedder, tmp_path)
