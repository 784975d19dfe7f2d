"""How well and how quickly passages are found, on a data set of questions with known answers.

`python -m retrieval.evaluate --dataset FOLDER --database URL [--json]`; the folder holds `corpus.jsonl`
{id, title, text} and `queries.jsonl` {id, text, relevant_ids}.
"""

import argparse
import asyncio
import hashlib
import json
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from core.database import Database
from core.errors import InvalidInputError
from core.migrate import migrate
from core.prompt import detect_language
from core.sql import load_queries
from retrieval.embedding import Embedder
from retrieval.formats.blocks import Block, Extracted
from retrieval.formats.text import split_paragraphs
from retrieval.index import Index
from retrieval.ingest import MAX_TOKENS
from retrieval.measures import ndcg, percentile, recall, reciprocal_rank
from retrieval.prepare import PreparedDocument, prepare_extracted
from retrieval.search import Search, Side
from retrieval.sources.access_rules import AccessRule

QUERIES = load_queries(__file__)

SIDES: tuple[Side, ...] = ("hybrid", "dense", "lexical")
SCHEMA = "evaluation"
DEPTH = 20
_BATCH = 64
READER = "group:evaluation"


@dataclass(frozen=True, slots=True)
class Query:
    """A question and the ids of the documents that answer it."""

    text: str
    relevant_ids: list[str]


@dataclass(frozen=True, slots=True)
class Measured:
    """One side of the search on the questions of one language; times in milliseconds, one question at a time."""

    dataset: str
    side: Side
    language: str
    queries: int
    recall_at_1: float
    recall_at_5: float
    recall_at_20: float
    mrr_at_10: float
    ndcg_at_10: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured, and how quickly the documents went in."""

    documents: int
    chunks: int
    chunks_per_second: float
    measured: list[Measured]


@dataclass(frozen=True, slots=True)
class _Answered:
    ranked: list[str]
    query: Query
    milliseconds: float


@dataclass(frozen=True, slots=True)
class _Count:
    chunks: int


async def evaluate_dataset(
    database_url: str,
    embedder: Embedder,
    folder: Path,
    *,
    sides: Sequence[Side] = SIDES,
    max_queries: int = 300,
    max_tokens: int = MAX_TOKENS,
    seed: int = 0,
) -> Evaluation:
    """Load a data set into a schema of its own, ask its questions, and drop the schema.

    Every document of the corpus goes in; `max_queries` questions are drawn with the seed. A document's place is
    that of its best chunk.

    Raises:
        InvalidInputError: the folder does not hold a data set.
    """
    corpus = await asyncio.to_thread(read_lines, folder / "corpus.jsonl")
    queries = await asyncio.to_thread(read_queries, folder / "queries.jsonl", max_queries, seed)
    async with open_schema(database_url) as database:
        began = time.monotonic()
        await load_corpus(database, embedder, corpus, max_tokens)
        seconds = time.monotonic() - began
        found = await database.fetch_one(QUERIES["count"], None, _Count)
        search = Search(database, embedder)
        await search.warm_up()
        measured = [one for side in sides for one in await _measure(search, folder.name, queries, side)]
    chunks = found.chunks if found else 0
    return Evaluation(len(corpus), chunks, chunks / seconds, measured)


@asynccontextmanager
async def open_schema(database_url: str) -> AsyncGenerator[Database]:
    """A database whose tables lie in a schema of their own, which does not outlive the block."""
    separator = "&" if "?" in database_url else "?"
    options = quote(f"-c search_path={SCHEMA},public")
    async with Database(database_url) as outside:
        await outside.execute(QUERIES["create_extension"])
        await outside.execute(QUERIES["drop_schema"])
        await outside.execute(QUERIES["create_schema"])
        try:
            async with Database(f"{database_url}{separator}options={options}") as inside:
                await migrate(inside)
                yield inside
        finally:
            await outside.execute(QUERIES["drop_schema"])


async def load_corpus(
    database: Database, embedder: Embedder, corpus: Sequence[dict[str, Any]], max_tokens: int = MAX_TOKENS
) -> None:
    """Store every entry; a search by `READER` and `hide(id)` is one over a corpus without that document."""
    index = Index(database, embedder)
    for start in range(0, len(corpus), _BATCH):
        entries = corpus[start : start + _BATCH]
        documents = await asyncio.to_thread(_prepare, entries, embedder, max_tokens)
        vectors = await index.embed([document for _, document in documents])
        for name, document in documents:
            await index.put(
                document, vectors, source=SCHEMA, path=name, rule=AccessRule(allow=[READER], deny=[hide(name)])
            )
    await database.execute(QUERIES["analyze"])


def hide(name: str) -> str:
    """The principal that may not read one document of the corpus."""
    return f"group:without {name}"


def _prepare(
    entries: Sequence[dict[str, Any]], embedder: Embedder, max_tokens: int
) -> list[tuple[str, PreparedDocument]]:
    return [
        (
            entry["id"],
            prepare_extracted(
                Extracted(entry["title"], [Block("paragraph", part) for part in split_paragraphs(entry["text"])]),
                format_name="text",
                sha256=hashlib.sha256(entry["text"].encode()).hexdigest(),
                count_tokens=embedder.count_tokens,
                max_tokens=max_tokens,
            ),
        )
        for entry in entries
        if entry["text"].strip()
    ]


async def _measure(search: Search, dataset: str, queries: Sequence[Query], side: Side) -> list[Measured]:
    answered = [await _ask(search, query, side) for query in queries]
    languages = sorted({detect_language(query.text) for query in queries})
    return [
        _summarise(dataset, side, language, [one for one in answered if detect_language(one.query.text) == language])
        for language in languages
    ]


async def _ask(search: Search, query: Query, side: Side) -> _Answered:
    began = time.monotonic()
    passages = await search.search(query.text, [READER], limit=DEPTH, side=side)
    milliseconds = (time.monotonic() - began) * 1000
    return _Answered(list(dict.fromkeys(passage.path for passage in passages)), query, milliseconds)


def _summarise(dataset: str, side: Side, language: str, answered: Sequence[_Answered]) -> Measured:
    def mean(values: Sequence[float]) -> float:
        return round(sum(values) / len(values), 4)

    times = [one.milliseconds for one in answered]
    pairs = [(one.ranked, one.query.relevant_ids) for one in answered]
    return Measured(
        dataset=dataset,
        side=side,
        language=language,
        queries=len(answered),
        recall_at_1=mean([recall(*pair, at=1) for pair in pairs]),
        recall_at_5=mean([recall(*pair, at=5) for pair in pairs]),
        recall_at_20=mean([recall(*pair, at=20) for pair in pairs]),
        mrr_at_10=mean([reciprocal_rank(*pair) for pair in pairs]),
        ndcg_at_10=mean([ndcg(*pair) for pair in pairs]),
        p50_ms=round(percentile(times, 0.5), 1),
        p95_ms=round(percentile(times, 0.95), 1),
    )


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Objects of a JSON Lines file.

    Raises:
        InvalidInputError: it is not one.
    """
    try:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"expected a data set with {path.name}, one JSON object a line; {error}") from error


def read_queries(path: Path, max_queries: int, seed: int) -> list[Query]:
    """Questions that have an answer, drawn with the seed."""
    queries = [Query(entry["text"], entry["relevant_ids"]) for entry in read_lines(path) if entry["relevant_ids"]]
    return random.Random(seed).sample(queries, min(max_queries, len(queries)))


def _render(evaluation: Evaluation) -> str:
    columns = list(Measured.__dataclass_fields__)
    rows = [[str(value) for value in asdict(one).values()] for one in evaluation.measured]
    lines = ["| " + " | ".join(row) + " |" for row in [columns, ["---"] * len(columns), *rows]]
    speed = f"{evaluation.documents} documents, {evaluation.chunks} chunks, {evaluation.chunks_per_second:.1f} chunks/s"
    return "\n".join([speed, "", *lines])


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.evaluate", description="measure the search")
    parser.add_argument("--dataset", type=Path, required=True, help="folder with corpus.jsonl and queries.jsonl")
    parser.add_argument("--database", required=True, help="postgresql://…; a schema of its own is made and dropped")
    parser.add_argument("--queries", type=int, default=300, help="questions to ask")
    parser.add_argument("--side", choices=SIDES, action="append", help="measure only this side; may be repeated")
    parser.add_argument("--model", help="embedding model; default all-MiniLM-L6-v2")
    parser.add_argument("--languages", default="en", help="languages the model reads, comma-separated")
    parser.add_argument("--json", action="store_true", help="print JSON and not a table")
    given = parser.parse_args(arguments)
    embedder = Embedder(given.model, languages=given.languages.split(","))
    evaluation = asyncio.run(
        evaluate_dataset(given.database, embedder, given.dataset, sides=given.side or SIDES, max_queries=given.queries)
    )
    print(json.dumps(asdict(evaluation), indent=2) if given.json else _render(evaluation))


if __name__ == "__main__":
    main()
