"""How well and how quickly documents are found, on questions whose answering documents are known.

A document's place is that of its best chunk. The ranking is measured before near-repeats are left out, which people
are not shown twice; a data set counts two copies of a text as two documents.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.database import Database
from core.prompt import detect_language
from core.records import Passage
from core.sql import load_queries
from retrieval.embedding import Embedder, Vectors
from retrieval.evaluate_dataset import Dataset, Query
from retrieval.evaluate_load import READER, Report, ignore, load_corpus, open_schema
from retrieval.fusion_calibration import calibrate_fusion
from retrieval.measures import ndcg, percentile, recall, reciprocal_rank
from retrieval.search import Search, Side

QUERIES = load_queries(__file__)

DEPTH = 20
# Of one long document, several chunks may stand before another document's first.
_PASSAGES = 100
# So many of a language are asked one at a time, embedding and all, as a person would: the times are theirs.
TIMED = 100
_EMBEDDED_TOGETHER = 256


@dataclass(frozen=True, slots=True)
class Measures:
    """Means over the questions; times in milliseconds, of one question at a time with its embedding."""

    recall_at_1: float
    recall_at_5: float
    recall_at_20: float
    mrr_at_10: float
    ndcg_at_10: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Answered:
    """The documents found for a question, best first with the score of their best chunk.

    Attributes:
        milliseconds: None where it was not asked alone.
    """

    query: Query
    ranked: dict[str, float]
    milliseconds: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured of one side of the search.

    Attributes:
        chunks_per_second: how quickly the documents went in, from text to stored vectors; 0 where they were there.
        languages: the same measures over the questions of each language.
    """

    measures: Measures
    languages: dict[str, Measures]
    chunks_per_second: float
    documents: int
    chunks: int
    answered: list[Answered]


@dataclass(frozen=True, slots=True)
class Count:
    """Size of a corpus."""

    documents: int
    chunks: int


async def evaluate_dataset(
    database_url: str, embedder: Embedder, dataset: Dataset, *, side: Side = "hybrid", report: Report = ignore
) -> Evaluation:
    """Load a data set into a schema of its own, calibrate the fusion there, ask every question, drop the schema.

    Raises:
        DatabaseError: the database stayed away.
    """
    await embedder.load()
    async with open_schema(database_url) as database:
        began = time.monotonic()
        await load_corpus(database, embedder, dataset.corpus, report=report)
        seconds = time.monotonic() - began
        if side == "hybrid":
            await calibrate_fusion(database, embedder)
        found = await ask_all(
            database,
            embedder,
            dataset.queries,
            [READER],
            name=lambda passage: dataset.corpus[int(passage.path)].id,
            side=side,
            report=report,
        )
        count = await count_corpus(database)
    return summarise(found, count, chunks_per_second=count.chunks / seconds)


async def ask_all(
    database: Database,
    embedder: Embedder,
    queries: Sequence[Query],
    principals: Sequence[str],
    *,
    name: Callable[[Passage], str],
    side: Side,
    report: Report = ignore,
) -> list[Answered]:
    """Every question through the search: some of each language alone and timed, the rest side by side.

    Args:
        name: of what a passage stands for, as the questions' grades have it.
    """
    search = Search(database, embedder)
    await search.warm_up()
    done = 0

    async def ask(query: Query, vector: Vectors | None, *, timed: bool) -> Answered:
        nonlocal done
        began = time.monotonic()
        passages = await search.rank(query.text, principals, limit=_PASSAGES, side=side, vector=vector)
        milliseconds = (time.monotonic() - began) * 1000
        ranked: dict[str, float] = {}
        for passage in passages:
            ranked.setdefault(name(passage), passage.score)
        done += 1
        report("questions", done, len(queries))
        return Answered(query, dict(list(ranked.items())[:DEPTH]), milliseconds if timed else None)

    alone = _choose_timed(queries)
    found = {id(query): await ask(query, None, timed=True) for query in alone}
    rest = [query for query in queries if id(query) not in found]
    for start in range(0, len(rest), _EMBEDDED_TOGETHER):
        part = rest[start : start + _EMBEDDED_TOGETHER]
        vectors = await search.embed([query.text for query in part], side)
        found |= {id(one.query): one for one in await _gather(part, vectors, ask)}
    return [found[id(query)] for query in queries]


async def _gather(part: Sequence[Query], vectors: Sequence[Vectors | None], ask: Any) -> list[Answered]:
    free = asyncio.Semaphore(os.cpu_count() or 1)

    async def wait(query: Query, vector: Vectors | None) -> Answered:
        async with free:
            return await ask(query, vector, timed=False)

    return await asyncio.gather(*(wait(query, vector) for query, vector in zip(part, vectors, strict=True)))


def summarise(answered: Sequence[Answered], count: Count, *, chunks_per_second: float) -> Evaluation:
    """Means over all questions and over those of each language."""
    by_language: dict[str, list[Answered]] = {}
    for one in answered:
        by_language.setdefault(detect_language(one.query.text), []).append(one)
    return Evaluation(
        measures=_measure(answered),
        languages={language: _measure(part) for language, part in sorted(by_language.items())},
        chunks_per_second=chunks_per_second,
        documents=count.documents,
        chunks=count.chunks,
        answered=list(answered),
    )


def render_json(evaluation: Evaluation) -> dict[str, Any]:
    """The measures, rounded, with `chunks_per_second` and `languages` beside them."""
    languages = {name: _round(measures) for name, measures in evaluation.languages.items()}
    return {
        **_round(evaluation.measures),
        "chunks_per_second": round(evaluation.chunks_per_second, 1),
        "languages": languages,
    }


def render_run(evaluation: Evaluation, tag: str) -> str:
    """The ranking in TREC's form: `query Q0 document place score tag`, white space in ids replaced."""
    return "".join(
        f"{_word(one.query.id)} Q0 {_word(name)} {place} {score:.6f} {_word(tag)}\n"
        for one in evaluation.answered
        for place, (name, score) in enumerate(one.ranked.items(), start=1)
    )


async def count_corpus(database: Database) -> Count:
    """How many documents and chunks there are."""
    found = await database.fetch_one(QUERIES["count"], None, Count)
    assert found is not None, "a count is a row"
    return found


def _choose_timed(queries: Sequence[Query]) -> list[Query]:
    """The first questions of each language."""
    chosen: dict[str, list[Query]] = {}
    for query in queries:
        part = chosen.setdefault(detect_language(query.text), [])
        if len(part) < TIMED:
            part.append(query)
    return [query for part in chosen.values() for query in part]


def _measure(answered: Sequence[Answered]) -> Measures:
    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values)

    pairs = [(list(one.ranked), one.query.relevant_ids) for one in answered]
    times = [one.milliseconds for one in answered if one.milliseconds is not None]
    return Measures(
        recall_at_1=mean([recall(*pair, at=1) for pair in pairs]),
        recall_at_5=mean([recall(*pair, at=5) for pair in pairs]),
        recall_at_20=mean([recall(*pair, at=20) for pair in pairs]),
        mrr_at_10=mean([reciprocal_rank(*pair) for pair in pairs]),
        ndcg_at_10=mean([ndcg(list(one.ranked), one.query.grades) for one in answered]),
        p50_ms=percentile(times, 0.5),
        p95_ms=percentile(times, 0.95),
    )


def _round(measures: Measures) -> dict[str, float]:
    return {name: round(value, 1 if name.endswith("_ms") else 4) for name, value in asdict(measures).items()}


def _word(text: str) -> str:
    return "_".join(text.split()) or "_"
