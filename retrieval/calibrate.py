"""Fit the confidence that passages hold an answer, and say how well it tells.

`python -m retrieval.calibrate --dataset FOLDER [--dataset FOLDER] --database URL` prints JSON: the numbers that stand in
`confidence.py`, with AUROC and error rates on questions that the fit did not see. Answerable are a set's own questions;
unanswerable are the same ones, asked by somebody who may not read the documents that answer them.
"""

import argparse
import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.prompt import detect_language
from retrieval.confidence import Features, measure_features
from retrieval.embedding import Embedder
from retrieval.evaluate import READER, Query, hide, load_corpus, open_schema, read_lines, read_queries
from retrieval.lexical import find_terms
from retrieval.search import Search
from retrieval.vocabulary import Vocabulary

Floats = NDArray[np.float64]

PASSAGES = 3
# False "not found" that is accepted among answerable questions.
ACCEPTED = 0.02
_RIDGE = 1.0
_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Example:
    """One question as it was answered.

    Attributes:
        answerable: whether its document could be found, that is, was not hidden.
    """

    dataset: str
    language: str
    answerable: bool
    features: Features


async def collect(
    database_url: str, embedder: Embedder, folder: Path, *, documents: int, queries: int, seed: int = 0
) -> list[Example]:
    """Ask each question with and without its documents, over the answering documents and others drawn with the seed."""
    asked = await asyncio.to_thread(read_queries, folder / "queries.jsonl", queries, seed)
    needed = {name for query in asked for name in query.relevant_ids}
    corpus = await asyncio.to_thread(read_lines, folder / "corpus.jsonl")
    others = [entry for entry in corpus if entry["id"] not in needed]
    random.Random(seed).shuffle(others)
    chosen = [entry for entry in corpus if entry["id"] in needed] + others[: max(0, documents - len(needed))]
    async with open_schema(database_url) as database:
        await load_corpus(database, embedder, chosen)
        search, vocabulary = Search(database, embedder), Vocabulary(database)
        found = [await _ask(search, vocabulary, query, folder.name, hidden) for query in asked for hidden in (0, 1)]
    return [example for example in found if example]


async def _ask(search: Search, vocabulary: Vocabulary, query: Query, dataset: str, hidden: int) -> Example | None:
    principals = [READER, *(hide(name) for name in query.relevant_ids if hidden)]
    passages = await search.search(query.text, principals, limit=PASSAGES)
    if not passages:
        return None
    counts = await vocabulary.count(find_terms(query.text), principals)
    features = await asyncio.to_thread(measure_features, query.text, passages, counts)
    return Example(dataset, detect_language(query.text), not hidden, features)


def fit(examples: Sequence[Example], used: Sequence[str]) -> Floats:
    """Bias and weights of a logistic with a small ridge, by Newton's method; features that are not used weigh 0."""
    mask = np.array([1.0, *(float(field.name in used) for field in fields(Features))])
    rows, labels = _to_arrays(examples)
    rows = rows * mask
    weights = np.zeros(rows.shape[1])
    ridge = np.diag([1e-6, *([_RIDGE] * (rows.shape[1] - 1))])
    for _ in range(_ROUNDS):
        likely = 1 / (1 + np.exp(-(rows @ weights)))
        curvature = rows.T @ (rows * (likely * (1 - likely))[:, None]) + ridge
        weights = weights + np.linalg.solve(curvature, rows.T @ (labels - likely) - ridge @ weights)
    return weights * mask


def judge(examples: Sequence[Example], weights: Floats, threshold: float) -> dict[str, float]:
    """AUROC, and the shares of answerable and of unanswerable questions that are told "not found"."""
    rows, labels = _to_arrays(examples)
    scores = 1 / (1 + np.exp(-(rows @ weights)))
    yes, no = scores[labels == 1], scores[labels == 0]
    above = (yes[:, None] > no[None, :]).mean() + (yes[:, None] == no[None, :]).mean() / 2
    return {
        "auroc": round(float(above), 3),
        "false_not_found": round(float((yes < threshold).mean()), 4),
        "true_not_found": round(float((no < threshold).mean()), 4),
        "answerable": len(yes),
        "unanswerable": len(no),
    }


def calibrate(examples: Sequence[Example], used: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """Fit on half of the examples, in pairs, choose the threshold there, and judge on the other half, by data set."""
    places = list(range(len(examples) // 2))
    random.Random(seed).shuffle(places)
    half = set(places[: len(places) // 2])
    seen = [example for place, example in enumerate(examples) if place // 2 in half]
    unseen = [example for place, example in enumerate(examples) if place // 2 not in half]
    weights = fit(seen, used)
    rows, labels = _to_arrays(seen)
    scores = 1 / (1 + np.exp(-(rows @ weights)))
    threshold = float(np.quantile(scores[labels == 1], ACCEPTED))
    names = sorted({example.dataset for example in unseen})
    return {
        "bias": round(float(weights[0]), 3),
        "weights": dict(zip([field.name for field in fields(Features)], weights[1:].round(3).tolist(), strict=True)),
        "threshold": round(threshold, 3),
        "judged": {name: judge([e for e in unseen if e.dataset == name], weights, threshold) for name in names},
    }


def _to_arrays(examples: Sequence[Example]) -> tuple[Floats, Floats]:
    rows = np.array([(1.0, *astuple(example.features)) for example in examples])
    return rows, np.array([float(example.answerable) for example in examples])


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.calibrate", description="fit the confidence")
    parser.add_argument("--dataset", type=Path, action="append", required=True, help="corpus.jsonl and queries.jsonl")
    parser.add_argument("--database", required=True, help="postgresql://…; a schema of its own is made and dropped")
    parser.add_argument("--documents", type=int, default=600, help="documents of each set, at least the answering ones")
    parser.add_argument("--queries", type=int, default=200, help="questions of each set")
    parser.add_argument("--examples", type=Path, help="also write the features, one JSON object a line")
    given = parser.parse_args(arguments)
    embedder = Embedder()
    examples: list[Example] = []
    for folder in given.dataset:
        examples += asyncio.run(
            collect(given.database, embedder, folder, documents=given.documents, queries=given.queries)
        )
    embedder.close()
    if given.examples:
        given.examples.write_text("".join(json.dumps(asdict(one)) + "\n" for one in examples), "utf-8")
    lexical = ["coverage", "coverage_together", "rarest", "strength", "gap"]
    english = [example for example in examples if example.language == "en"]
    korean = [example for example in examples if example.language == "ko"]
    kinds = [("en", english, lexical), ("en_dense", english, [*lexical, "dense", "agreement"]), ("ko", korean, lexical)]
    print(json.dumps({kind: calibrate(chosen, used) for kind, chosen, used in kinds if chosen}, indent=2))


if __name__ == "__main__":
    main()
