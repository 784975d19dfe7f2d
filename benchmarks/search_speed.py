"""How quickly and how completely passages are found among 100,000 chunks, with and without a permission filter.

The chunks go in through `Index.put_many`, as those of people do, with vectors that are ready. A search is what stands
below fusion: `Candidates.find` for one side or both, for hybrid also an even fusion and the statement that fetches the
ten best passages behind the filter; the query's embedding is left out. Recall is held against every vector compared in
numpy. The baselines of the same run: pgvector alone (`ORDER BY vector <#> question LIMIT 10` over all halfvec, no
filter) and bm25s in memory.

    python -m benchmarks.search_speed                      # about ten minutes, with an embedded PostgreSQL of its own
    python -m benchmarks.search_speed --chunks 10000 --questions 50
    python -m benchmarks.search_speed --vectors 1000000    # the dense side alone, 3 GB of disk for the time
    python -m benchmarks.search_speed --data shared/data/squad-a --database postgresql://localhost/scratch --json-only
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import bm25s
import click
import numpy as np
import uvloop
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import Conditions, read_conditions
from benchmarks.scratch_database import open_embedded
from benchmarks.search_workload import READERS, SOURCE, Company, Question, ReadyVectors
from benchmarks.vector_speed import run_vectors
from core.database import Database
from core.migrate import migrate
from core.records import Passage
from retrieval.access import Access
from retrieval.bm25 import K1, B
from retrieval.candidates import Candidate, Candidates
from retrieval.embedding import Embedder
from retrieval.index import Index
from retrieval.measures import ndcg, percentile
from retrieval.search import QUERIES
from retrieval.vectors import render_vector

CLIENTS = (1, 4, 16)
DEPTH = 10
PER_SIDE = 200
PUTS_AT_ONCE = 10
EVERYBODY, HUNDREDTH = "group:all", "group:hundredth"
_BARE = (
    b"SELECT chunk_id FROM embeddings WHERE model_id = %(model_id)s ORDER BY vector <#> %(vector)s::halfvec LIMIT 10"
)
_CHUNKS = (
    b"SELECT chunks.id, path::integer AS document, ordinal FROM chunks JOIN documents ON documents.id = document_id"
)
_SIZES = b"""
SELECT pg_total_relation_size('packed_postings') + pg_total_relation_size('fresh_postings') AS postings,
       pg_total_relation_size('embeddings') AS vectors,
       pg_total_relation_size('audience_blocks') AS audiences, (SELECT id FROM embedding_models) AS model_id"""

Ask = Callable[[Question], Awaitable[object]]


@dataclass(slots=True)
class Stock:
    """A database with all chunks in it, and what the benchmark needs to know of it.

    Attributes:
        bot, index: the same with the rights of who answers people and of what scans, as in the service.
    """

    database: Database
    bot: Database
    index: Database
    company: Company
    model_id: int
    chunk_ids: NDArray[np.int64]
    bytes_by_table: dict[str, int]
    load_seconds: float
    candidates: Candidates = field(init=False)
    access: Access = field(init=False)

    def __post_init__(self) -> None:
        self.access = Access(self.bot, self.index)
        self.candidates = Candidates(self.index, self.access)

    async def find(self, question: Question, reader: str, *, dense: bool, lexical: bool) -> list[Candidate]:
        """Candidates of one side or both."""
        terms = question.terms if lexical else []
        vector = question.vector if dense else None
        return await self.candidates.find(terms, vector, self.model_id, [reader], limit_per_side=PER_SIDE)

    async def search(self, question: Question, reader: str) -> list[Passage]:
        """Both sides, fused evenly, and the ten best passages."""
        best = fuse(await self.find(question, reader, dense=True, lexical=True))[:DEPTH]
        parameters = {
            "chunk_ids": [one.chunk_id for one in best],
            "scores": [0.0] * len(best),
            "dense_scores": [one.dense_score or 0.0 for one in best],
            "lexical_scores": [one.lexical_score for one in best],
        }
        return await self.access.fetch_visible(QUERIES["find_passages"], [reader], parameters, Passage)

    async def search_bare(self, question: Question) -> None:
        """The baseline of the dense side."""
        parameters = {"vector": render_vector(question.vector), "model_id": self.model_id}
        await self.database.fetch_tuples(_BARE, parameters)


def fuse(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Best first, by the mean of both scores, each scaled by its highest."""
    top = max((one.lexical_score for one in candidates), default=0.0) or 1.0
    return sorted(candidates, key=lambda one: -((one.dense_score or 0.0) + one.lexical_score / top))


@asynccontextmanager
async def open_schema(url: str, schema: str) -> AsyncGenerator[Database]:
    """Empty tables in a schema that does not outlive the block."""
    separator = "&" if "?" in url else "?"
    async with Database(url) as outside:
        await outside.execute(b"CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public")
        await outside.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
        await outside.execute(f"CREATE SCHEMA {schema}".encode())
        try:
            async with Database(
                f"{url}{separator}options={quote(f'-c search_path={schema},public')}", size=max(CLIENTS)
            ) as database:
                await migrate(database)
                yield database
        finally:
            await outside.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())


@asynccontextmanager
async def open_stock(url: str, company: Company, order: Sequence[int], schema: str) -> AsyncGenerator[Stock]:
    """All documents, loaded in this order."""
    async with open_schema(url, schema) as database:
        most = max(CLIENTS)
        async with (
            Database(database.url, role="nightbake_bot", size=most) as bot,
            Database(database.url, role="nightbake_index", size=most) as index,
        ):
            yield await load(database, bot, index, company, order)


async def load(database: Database, bot: Database, scanned: Database, company: Company, order: Sequence[int]) -> Stock:
    """Store every document, ten a transaction."""
    index = Index(database, cast(Embedder, ReadyVectors()))
    began = time.perf_counter()
    for batch in _batch(company.build_puts(order), PUTS_AT_ONCE):
        await index.put_many([put for put, _ in batch], {key: value for _, own in batch for key, value in own.items()})
    seconds = time.perf_counter() - began
    for table in (
        b"packed_postings",
        b"fresh_postings",
        b"embeddings",
        b"audience_blocks",
        b"chunks",
        b"documents",
    ):
        await database.execute(b"VACUUM ANALYZE " + table)
    chunk_ids = np.zeros(company.chunks, dtype=np.int64)
    for chunk_id, document, ordinal in await database.fetch_tuples(_CHUNKS):
        chunk_ids[document * (company.chunks // company.documents) + ordinal] = chunk_id
    found = (await database.fetch_dicts(_SIZES))[0]
    return Stock(database, bot, scanned, company, found.pop("model_id"), chunk_ids, found, seconds)


def _batch(puts: Iterable[Any], size: int) -> Iterable[list[Any]]:
    batch: list[Any] = []
    for put in puts:
        batch.append(put)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


async def time_clients(ask: Ask, questions: Sequence[Question], clients: int) -> list[float]:
    """Milliseconds of each question, the questions shared by so many clients at once."""
    waiting = list(questions)
    taken: list[float] = []

    async def work() -> None:
        while waiting:
            question = waiting.pop()
            began = time.perf_counter()
            await ask(question)
            taken.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(work() for _ in range(clients)))
    return taken


async def measure_recall(stock: Stock, questions: Sequence[Question]) -> dict[str, float]:
    """Share of the exact best ten vectors among the candidates' best ten, by the share of chunks that is visible.

    Raises:
        SystemExit: fewer rows came back than exist, or one that must not be seen.
    """
    exact = stock.company.vectors.astype(np.float16).astype(np.float32)
    recalls: dict[str, float] = {}
    for reader, share in READERS.items():
        visible = stock.company.find_visible(reader)
        ids, vectors = stock.chunk_ids[visible], exact[visible]
        hits = wanted = 0
        for question in questions:
            scores = vectors @ question.vector.astype(np.float16).astype(np.float32)
            best = set(ids[np.argsort(-scores)[:DEPTH]].tolist())
            found = await stock.find(question, reader, dense=True, lexical=False)
            if len(found) < min(PER_SIDE, len(ids)) or not {one.chunk_id for one in found} <= set(ids.tolist()):
                raise SystemExit(f"expected {min(PER_SIDE, len(ids))} rows that {reader} may see, got {len(found)}")
            ranked = sorted(found, key=lambda one: -(one.dense_score or 0.0))[:DEPTH]
            hits += len(best & {one.chunk_id for one in ranked})
            wanted += len(best)
        recalls[f"{100 / share:g}"] = hits / wanted
    return recalls


async def measure_gain(stock: Stock, questions: Sequence[Question]) -> float:
    """Mean nDCG@10 of the even fusion."""
    gains: list[float] = []
    for question in questions:
        best = fuse(await stock.find(question, EVERYBODY, dense=True, lexical=True))[:DEPTH]
        relevant = [str(stock.chunk_ids[question.chunk])]
        gains.append(ndcg([str(one.chunk_id) for one in best], relevant))
    return sum(gains) / len(gains)


async def compare_orders(url: str, company: Company, questions: Sequence[Question], seed: int) -> float:
    """How much nDCG@10 differs between loading in the source's order and shuffled."""
    gains: list[float] = []
    for order in (range(company.documents), np.random.default_rng(seed).permutation(company.documents).tolist()):
        async with open_stock(url, company, order, "search_speed_order") as stock:
            gains.append(await measure_gain(stock, questions))
    return abs(gains[0] - gains[1])


def build_baseline(company: Company) -> bm25s.BM25:
    """bm25s over the same terms."""
    numbers: dict[str, int] = {}
    ids = [
        [numbers.setdefault(term, len(numbers)) for term, count in terms.items() for _ in range(count)]
        for terms in company.terms
    ]
    baseline = bm25s.BM25(k1=K1, b=B, method="lucene")
    baseline.index(bm25s.tokenization.Tokenized(ids, numbers), show_progress=False)
    return baseline


async def check_scores(stock: Stock, baseline: bm25s.BM25, questions: Sequence[Question]) -> float:
    """The largest difference of a lexical score from bm25s, which computes in float32."""
    places = {chunk_id: place for place, chunk_id in enumerate(stock.chunk_ids.tolist())}
    differences: list[float] = []
    for question in questions:
        # bm25s leaves out the constant factor.
        expected = (K1 + 1) * baseline.get_scores([term for term in question.terms if term in baseline.vocab_dict])
        found = await stock.find(question, EVERYBODY, dense=False, lexical=True)
        if len(found) < min(PER_SIDE, int(np.count_nonzero(expected))):
            raise SystemExit(f"expected {PER_SIDE} rows that hold a term, got {len(found)}")
        differences += [abs(one.lexical_score - float(expected[places[one.chunk_id]])) for one in found]
    return max(differences)


async def measure(stock: Stock, questions: Sequence[Question]) -> dict[str, dict[int, list[float]]]:
    """Milliseconds by kind of search and number of clients; the bare query right beside what is compared with it."""
    kinds: dict[str, Ask] = {
        "bare pgvector": stock.search_bare,
        "dense": lambda question: stock.find(question, EVERYBODY, dense=True, lexical=False),
        "lexical": lambda question: stock.find(question, EVERYBODY, dense=False, lexical=True),
        "hybrid": lambda question: stock.search(question, EVERYBODY),
        "dense, 1 %": lambda question: stock.find(question, HUNDREDTH, dense=True, lexical=False),
        "lexical, 1 %": lambda question: stock.find(question, HUNDREDTH, dense=False, lexical=True),
        "hybrid, 1 %": lambda question: stock.search(question, HUNDREDTH),
    }
    taken: dict[str, dict[int, list[float]]] = {}
    for kind, ask in kinds.items():
        await time_clients(ask, questions[:20], max(CLIENTS))
        taken[kind] = {clients: await time_clients(ask, questions, clients) for clients in CLIENTS}
    return taken


def time_baseline(baseline: bm25s.BM25, questions: Sequence[Question]) -> list[float]:
    """Milliseconds of bm25s, one question at a time."""
    taken: list[float] = []
    for question in questions:
        began = time.perf_counter()
        baseline.retrieve([question.terms], k=DEPTH, show_progress=False)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


async def run(
    url: str, *, chunks: int, questions: int, seed: int, folder: Path | None, console: Console
) -> tuple[dict[str, Any], dict[str, dict[int, list[float]]]]:
    """Every figure, and the times behind them."""
    small = Company(max(chunks // 10, 1000), seed=seed, folder=folder)
    difference = await compare_orders(url, small, small.ask(questions), seed)
    company = Company(chunks, seed=seed, folder=folder)
    asked = company.ask(questions)
    console.print(f"{company.chunks} chunks, {len(asked)} questions; loading")
    async with open_stock(url, company, range(company.documents), "search_speed") as stock:
        recalls = await measure_recall(stock, asked)
        baseline = build_baseline(company)
        score_difference = await check_scores(stock, baseline, asked)
        taken = await measure(stock, asked)
    taken["bm25s in memory"] = {1: time_baseline(baseline, asked)}
    figures = build_figures(taken) | {
        "chunks": company.chunks,
        "recall_at_10": round(recalls["100"], 4),
        "recall_at_10_filtered": round(min(value for share, value in recalls.items() if share != "100"), 4),
        "recall_at_10_by_percent_visible": {share: round(value, 4) for share, value in recalls.items()},
        "load_order_ndcg_difference": round(difference, 5),
        "lexical_score_difference": round(score_difference, 6),
        "chunks_stored_per_second": round(company.chunks / stock.load_seconds, 1),
        **{f"{table}_megabytes": round(size / 1e6, 1) for table, size in stock.bytes_by_table.items()},
        "source": SOURCE if folder is None else folder.name,
    }
    return figures, taken


async def run_many(url: str, vectors: int, questions: int, seed: int) -> dict[str, Any]:
    """What `--vectors` measures."""
    async with open_schema(url, "search_speed_vectors") as database:
        return await run_vectors(database, vectors, questions, seed)


def build_figures(taken: dict[str, dict[int, list[float]]]) -> dict[str, Any]:
    """The JSON object's times: those without a number are of one client."""
    figures: dict[str, Any] = {}
    for kind, by_clients in taken.items():
        name = kind.replace(", 1 %", "_filtered").replace(" ", "_")
        for clients, times in by_clients.items():
            suffix = "" if clients == 1 else f"_{clients}"
            for share in (50, 95, 99):
                figures[f"{name}_p{share}_ms{suffix}"] = round(percentile(times, share / 100), 2)
    slower = max(figures["bare_pgvector_p50_ms"], figures["bm25s_in_memory_p50_ms"])
    figures["hybrid_over_slower_part"] = round(figures["hybrid_p50_ms"] / slower, 3)
    figures["dense_over_bare_pgvector"] = round(figures["dense_p50_ms"] / figures["bare_pgvector_p50_ms"], 3)
    figures["lexical_over_bm25s"] = round(figures["lexical_p50_ms"] / figures["bm25s_in_memory_p50_ms"], 3)
    return figures


def build_table(taken: dict[str, dict[int, list[float]]]) -> Table:
    """The same for people."""
    table = Table(title="milliseconds a search: p50 / p95 / p99")
    table.add_column("search")
    for clients in CLIENTS:
        table.add_column(f"{clients} clients" if clients > 1 else "1 client", justify="right")
    for kind, by_clients in taken.items():
        table.add_row(kind, *(_render(by_clients.get(clients)) for clients in CLIENTS))
    return table


def _render(times: list[float] | None) -> str:
    return " / ".join(f"{percentile(times, share):.1f}" for share in (0.5, 0.95, 0.99)) if times else "–"


def build_report(figures: dict[str, Any], conditions: Conditions) -> dict[str, Any]:
    """The last line."""
    return figures | asdict(conditions)


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--chunks", default=100_000, show_default=True, help="Chunks in the index; the load order has a tenth.")
@click.option("--vectors", type=click.IntRange(1000), help="Instead, only the dense side among so many.")
@click.option("--questions", default=200, show_default=True, help="Questions of each loop.")
@click.option("--seed", default=1, show_default=True, help="Of texts, vectors and questions.")
@click.option("--data", "folder", type=click.Path(path_type=Path, exists=True), help="Take words from a data set.")
@click.option("--database", "url", help="A scratch database, postgresql://…; default: an embedded one.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(
    chunks: int,
    vectors: int | None,
    questions: int,
    seed: int,
    folder: Path | None,
    url: str | None,
    json_only: bool,
) -> None:
    """Load, measure, print."""
    console = Console(quiet=json_only, width=120)
    conditions = read_conditions(seed)
    console.print(conditions.line())
    with nullcontext(url) if url else open_embedded() as address:
        if vectors:
            figures = uvloop.run(run_many(address, vectors, questions, seed))
            print(json.dumps(build_report(figures, conditions)))
            return
        figures, taken = uvloop.run(
            run(address, chunks=chunks, questions=questions, seed=seed, folder=folder, console=console)
        )
    console.print(build_table(taken))
    print(json.dumps(build_report(figures, conditions)))


if __name__ == "__main__":
    main()
