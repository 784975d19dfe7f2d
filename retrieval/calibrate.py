"""Fit the confidence that passages hold an answer, and say how well it tells.

`python -m retrieval.calibrate --dataset FOLDER [--dataset FOLDER] --database URL` prints JSON: the numbers of
`confidence.py`, with AUROC and error rates on questions that the fit did not see. Answerable are a set's own questions;
unanswerable are the same ones, asked by somebody who may not read the documents that answer them. The questions of the
other sets of a language are asked too, as strangers; a set that is only checked has no part in the fit.
"""

import argparse
import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.prompt import detect_language
from retrieval.confidence import Features, Kind, measure_features
from retrieval.embedding import Embedder
from retrieval.evaluate_dataset import Query, draw, read_dataset
from retrieval.evaluate_load import READER, hide, load_corpus, open_schema
from retrieval.lexical import find_terms
from retrieval.search import Search
from retrieval.vocabulary import Vocabulary

Floats = NDArray[np.float64]

PASSAGES = 3
# False "not found" that is accepted among answerable questions.
ACCEPTED = 0.01
LEXICAL = ("coverage", "coverage_together", "rarest", "strength", "gap")
USED: dict[Kind, Sequence[str]] = {"en": LEXICAL, "en_dense": (*LEXICAL, "dense", "agreement"), "ko": LEXICAL}
_STRANGERS = 60
_RIDGE = 1.0
_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Example:
    """One question as it was answered.

    Attributes:
        answerable: whether its document could be found, that is, was there and not hidden.
        stranger: a question about another set's documents; judged apart and not fitted.
    """

    dataset: str
    language: str
    answerable: bool
    stranger: bool
    features: Features


async def collect(
    database_url: str,
    embedder: Embedder,
    folder: Path,
    *,
    strangers: Sequence[Query] = (),
    documents: int,
    queries: int,
    seed: int = 0,
) -> list[Example]:
    """Ask each question with and without its documents, over the answering documents and others drawn with the seed."""
    dataset = await asyncio.to_thread(read_dataset, folder)
    asked = draw(dataset.queries, queries, seed)
    needed = {name for query in asked for name in query.relevant_ids}
    others = [entry for entry in dataset.corpus if entry.id not in needed]
    random.Random(seed).shuffle(others)
    chosen = [entry for entry in dataset.corpus if entry.id in needed] + others[: max(0, documents - len(needed))]
    async with open_schema(database_url) as database:
        await load_corpus(database, embedder, chosen)
        ask = partial(_ask, Search(database, embedder), Vocabulary(database), folder.name)
        pairs = [(await ask(query), await ask(query, hidden=True)) for query in asked]
        foreign = [await ask(query, stranger=True) for query in strangers]
    return [one for pair in pairs if all(pair) for one in pair if one] + [one for one in foreign if one]


async def _ask(
    search: Search,
    vocabulary: Vocabulary,
    dataset: str,
    query: Query,
    *,
    hidden: bool = False,
    stranger: bool = False,
) -> Example | None:
    principals = [READER, *(hide(name) for name in query.relevant_ids if hidden)]
    passages = await search.search(query.text, principals, limit=PASSAGES)
    if not passages:
        return None
    counts = await vocabulary.count(find_terms(query.text), principals)
    features = await asyncio.to_thread(measure_features, query.text, passages, counts)
    return Example(dataset, detect_language(query.text), not hidden and not stranger, stranger, features)


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


def judge(examples: Sequence[Example], weights: Floats, threshold: float) -> dict[str, float | None]:
    """AUROC without strangers, and the shares of questions of each kind that are told "not found"."""
    yes = _score([one for one in examples if one.answerable], weights)
    no = _score([one for one in examples if not one.answerable and not one.stranger], weights)
    strangers = [one for one in examples if one.stranger]
    above = (yes[:, None] > no[None, :]).mean() + (yes[:, None] == no[None, :]).mean() / 2
    return {
        "auroc": round(float(above), 3),
        "false_not_found": round(float((yes < threshold).mean()), 4),
        "true_not_found": round(float((no < threshold).mean()), 4),
        "strangers_not_found": round(float((_score(strangers, weights) < threshold).mean()), 4) if strangers else None,
        "questions": len(yes),
    }


def calibrate(
    examples: Sequence[Example], used: Sequence[str], checked: Sequence[str] = (), seed: int = 0
) -> dict[str, Any]:
    """Fit on half of the examples, in pairs, choose the threshold there, and judge on the rest, by data set.

    The threshold is the lowest that a set asks for: none of them may lose more than `ACCEPTED` of its answers.
    """
    pairs = [example for example in examples if not example.stranger and example.dataset not in checked]
    places = list(range(len(pairs) // 2))
    random.Random(seed).shuffle(places)
    half = {id(pairs[place * 2 + at]) for place in places[: len(places) // 2] for at in (0, 1)}
    seen = [example for example in pairs if id(example) in half]
    unseen = [example for example in examples if id(example) not in half]
    weights = fit(seen, used)
    sets = {example.dataset for example in seen}
    wishes = [_score([one for one in seen if one.dataset == name and one.answerable], weights) for name in sets]
    threshold = min(float(np.quantile(scores, ACCEPTED)) for scores in wishes)
    names = sorted({example.dataset for example in unseen if example.answerable})
    return {
        "bias": round(float(weights[0]), 3),
        "weights": dict(zip([field.name for field in fields(Features)], weights[1:].round(3).tolist(), strict=True)),
        "threshold": round(threshold, 3),
        "judged": {name: judge([e for e in unseen if e.dataset == name], weights, threshold) for name in names},
    }


def _score(examples: Sequence[Example], weights: Floats) -> Floats:
    return 1 / (1 + np.exp(-(_to_arrays(examples)[0] @ weights)))


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
    parser.add_argument("--check", type=Path, action="append", default=[], help="a set that is judged and not fitted")
    given = parser.parse_args(arguments)
    examples = asyncio.run(
        _collect_all(given.database, [*given.dataset, *given.check], documents=given.documents, queries=given.queries)
    )
    if given.examples:
        given.examples.write_text("".join(json.dumps(asdict(one)) + "\n" for one in examples), "utf-8")
    checked = [folder.name for folder in given.check]
    found = {
        kind: calibrate([one for one in examples if one.language == kind[:2]], used, checked)
        for kind, used in USED.items()
        if any(one.language == kind[:2] and one.dataset not in checked for one in examples)
    }
    print(json.dumps(found, indent=2))


async def _collect_all(database_url: str, folders: Sequence[Path], *, documents: int, queries: int) -> list[Example]:
    embedder, examples = Embedder(), list[Example]()
    asked = {folder: draw(read_dataset(folder).queries, queries, seed=1) for folder in folders}
    for folder in folders:
        foreign = [query for other, found in asked.items() if other != folder for query in found[:_STRANGERS]]
        examples += await collect(
            database_url, embedder, folder, strangers=foreign, documents=documents, queries=queries
        )
    embedder.close()
    return examples


if __name__ == "__main__":
    main()
