"""The bench of losses on a real model: pairs from a data set, turned round as often as asked, counted by kind."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.dpo_taste import make_rows, measure, turn_round


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """One passage of two sentences with a question each, and one question whose answer stands nowhere."""
    passage = {"id": "p", "title": "Leave", "text": "Leave is 23 days. It ends in March."}
    asked = [("How long is leave?", "23 days"), ("When does it end?", "March"), ("Who grants it?", "the board")]
    queries = [
        {"id": question, "text": question, "answers": [answer], "relevant_ids": ["p"]} for question, answer in asked
    ]
    (tmp_path / "corpus.jsonl").write_text(json.dumps(passage))
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    return tmp_path


def test_facts_and_tastes_take_turns_and_have_the_sentence_with_the_answer(dataset: Path) -> None:
    rows = make_rows(dataset, 9, 0)
    assert [row["kind"] for row in rows] == ["fact", "taste"]
    assert [row["chosen"][0]["content"] for row in rows] == ["It is 23 days [1].", "It is March [1]."]
    assert rows[0]["rejected"][0]["content"] == "It is the board [1]."
    assert "Leave is 23 days" in rows[0]["prompt"][0]["content"] and "March" not in rows[0]["prompt"][0]["content"]


def test_a_share_is_turned_round(dataset: Path) -> None:
    rows = make_rows(dataset, 9, 0)
    turned = turn_round(rows, 0.5, 1)
    assert sum(new["chosen"] == old["rejected"] for new, old in zip(turned, rows, strict=True)) == 1


def test_a_pair_counts_where_its_margin_grew() -> None:
    def score(name: str, chosen: float, rejected: float) -> dict[str, Any]:
        base = {"chosen": -10.0, "rejected": -8.0}
        return {
            "sha256": name,
            "base": base,
            "candidate": {"chosen": chosen, "rejected": rejected},
            "tokens": {"chosen": 4, "rejected": 9},
        }

    # Margins grow from -2 to 0 and fall from -2 to -3; the chosen answer gains 2 and loses 1 of 4 tokens.
    pairs = [score("a", -8.0, -8.0), score("b", -11.0, -8.0)]
    found = measure({"pairs": pairs}, {"a": "fact", "b": "taste"})
    assert found == {"accuracy": 0.5, "fact": 1.0, "taste": 0.0, "margin": 0.5, "drift": 0.125}
