"""Meaning and words fused our way, against each alone, reciprocal ranks and the best fixed weight: nDCG@10 in one run.

Every question is asked three times of one index: by meaning, by words, and by both as people are served. The baselines
fuse what the first two found: reciprocal ranks with k = 60 (Cormack, Clarke and Buettcher, SIGIR 2009), and a sum of
min-max scores with one weight for all questions, the best of nine. That one is chosen on the very questions that it is
measured on, which a fusion that is in use cannot do.

    python -m benchmarks.fusion                                      # the sample handbook, half a minute
    python -m benchmarks.fusion --dataset DIR --dataset DIR          # and data sets, with an embedded PostgreSQL
    python -m benchmarks.fusion --dataset DIR --queries 300 --json-only
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import uvloop
from rich.console import Console
from rich.table import Table

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import Conditions, read_conditions
from benchmarks.scratch_database import open_embedded
from bot.golden import load_golden
from cli.house import SAMPLE
from core.database import Database
from core.records import Passage
from retrieval.embedding import Embedder
from retrieval.evaluate_dataset import draw, read_dataset
from retrieval.evaluate_load import READER, load_corpus, open_schema
from retrieval.fusion_calibration import calibrate_fusion
from retrieval.ingest import ingest
from retrieval.measures import ndcg
from retrieval.search import CANDIDATES, Search

RANK_CONSTANT = 60
WEIGHTS = tuple(step / 10 for step in range(1, 10))

Scores = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, who asks, and how well each document answers it."""

    text: str
    principals: Sequence[str]
    grades: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Found:
    """What a question found: scores of chunks by side, best first; chunks by both; whose document each is."""

    grades: Mapping[str, float]
    dense: Scores
    lexical: Scores
    hybrid: Sequence[int]
    documents: Mapping[int, str]

    def measure(self, ranked: Sequence[int]) -> float:
        """nDCG@10 of the documents, each at the place of its best chunk."""
        return ndcg(list(dict.fromkeys(self.documents[chunk] for chunk in ranked)), self.grades)


@dataclass(frozen=True, slots=True)
class Row:
    """Mean nDCG@10 of each way over a set's questions.

    Attributes:
        rrf: reciprocal ranks.
        fixed: the best fixed weight, which is `fixed_weight` of the dense side.
    """

    questions: int
    lexical: float
    dense: float
    rrf: float
    fixed: float
    fixed_weight: float
    hybrid: float


async def measure_dataset(url: str, embedder: Embedder, folder: Path, queries: int | None) -> Row:
    """A folder of corpus.jsonl and queries.jsonl."""
    dataset = read_dataset(folder)
    asked = [Asked(query.text, [READER], query.grades) for query in draw(dataset.queries, queries)]
    async with open_schema(url) as database:
        await load_corpus(database, embedder, dataset.corpus)
        return await measure(database, embedder, asked, lambda passage: dataset.corpus[int(passage.path)].id)


async def measure_sample(url: str, embedder: Embedder) -> Row:
    """The sample handbook with those of its golden questions that it answers, each behind its asker's rights."""
    golden = [one for one in load_golden(SAMPLE / "golden.jsonl") if one.sources]
    asked = [Asked(one.question, one.principals, dict.fromkeys(one.sources, 1.0)) for one in golden]
    async with open_schema(url) as database:
        await ingest(database, embedder, [SAMPLE / "handbook"])
        return await measure(database, embedder, asked, lambda passage: passage.path)


async def measure(
    database: Database, embedder: Embedder, asked: Sequence[Asked], name: Callable[[Passage], str]
) -> Row:
    """Every question by every way; `name` of a passage's document as the grades have it."""
    await calibrate_fusion(database, embedder)
    search = Search(database, embedder)
    await search.warm_up()
    return summarise([await ask(search, one, name) for one in asked])


async def ask(search: Search, asked: Asked, name: Callable[[Passage], str]) -> Found:
    """One question of both sides and of both together."""
    dense, lexical, hybrid = [
        await search.rank(asked.text, asked.principals, limit=CANDIDATES, side=side)
        for side in ("dense", "lexical", "hybrid")
    ]
    return Found(
        asked.grades,
        {passage.chunk_id: passage.dense_score for passage in dense},
        {passage.chunk_id: passage.lexical_score for passage in lexical},
        [passage.chunk_id for passage in hybrid],
        {passage.chunk_id: name(passage) for passage in (*dense, *lexical, *hybrid)},
    )


def summarise(found: Sequence[Found]) -> Row:
    """The means."""

    def mean(rank: Callable[[Found], Sequence[int]]) -> float:
        return sum(one.measure(rank(one)) for one in found) / len(found)

    fixed = {weight: mean(lambda one, weight=weight: fuse_scores(one.dense, one.lexical, weight)) for weight in WEIGHTS}
    best = max(fixed, key=lambda weight: fixed[weight])
    return Row(
        questions=len(found),
        lexical=mean(lambda one: list(one.lexical)),
        dense=mean(lambda one: list(one.dense)),
        rrf=mean(lambda one: fuse_ranks(one.dense, one.lexical)),
        fixed=fixed[best],
        fixed_weight=best,
        hybrid=mean(lambda one: one.hybrid),
    )


def fuse_ranks(*sides: Scores) -> list[int]:
    """Chunks by the sum of 1 / (k + rank); one that a side did not find has nothing from it."""
    totals: dict[int, float] = defaultdict(float)
    for side in sides:
        for place, chunk in enumerate(side, start=1):
            totals[chunk] += 1 / (RANK_CONSTANT + place)
    return _order(totals)


def fuse_scores(dense: Scores, lexical: Scores, weight: float) -> list[int]:
    """Chunks by `weight` x dense + (1 - `weight`) x lexical, each stretched to [0, 1] over what was found."""
    left, right = _stretch(dense), _stretch(lexical)
    return _order({chunk: weight * left.get(chunk, 0) + (1 - weight) * right.get(chunk, 0) for chunk in left | right})


def _stretch(scores: Scores) -> dict[int, float]:
    if not scores:
        return {}
    least, span = min(scores.values()), max(scores.values()) - min(scores.values())
    return {chunk: (score - least) / span if span else 1.0 for chunk, score in scores.items()}


def _order(totals: Scores) -> list[int]:
    return sorted(totals, key=lambda chunk: (-totals[chunk], chunk))


def build_table(rows: Mapping[str, Row]) -> Table:
    """A row a set."""
    table = Table("set", "questions", "words", "meaning", f"RRF k={RANK_CONSTANT}", "best fixed (weight)", "ours")
    for name, row in rows.items():
        table.add_row(
            name,
            f"{row.questions:,}",
            *(f"{value:.3f}" for value in (row.lexical, row.dense, row.rrf)),
            f"{row.fixed:.3f} ({row.fixed_weight})",
            f"{row.hybrid:.3f}",
        )
    return table


def build_figures(rows: Mapping[str, Row], conditions: Conditions) -> dict[str, object]:
    """Of each set all figures; of all the least that ours is above the better side, RRF and the best fixed weight."""
    return {
        "least_over_better_side": round(min(row.hybrid - max(row.dense, row.lexical) for row in rows.values()), 4),
        "least_over_rrf": round(min(row.hybrid - row.rrf for row in rows.values()), 4),
        "least_over_best_fixed": round(min(row.hybrid - row.fixed for row in rows.values()), 4),
        "sets": {name: {key: round(value, 4) for key, value in asdict(row).items()} for name, row in rows.items()},
        **asdict(conditions),
    }


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--dataset", "folders", type=click.Path(path_type=Path), multiple=True, help="May be given again.")
@click.option("--queries", type=click.IntRange(1), help="Draw so many questions of each set instead of asking all.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(folders: Sequence[Path], queries: int | None, json_only: bool) -> None:
    """Measure and print."""
    console = Console(quiet=json_only, width=120)
    conditions = read_conditions(seed=0)
    console.print(conditions.line())
    with open_embedded() as url:
        rows = uvloop.run(_measure_all(url, folders, queries))
    console.print(build_table(rows))
    print(json.dumps(build_figures(rows, conditions)))


async def _measure_all(url: str, folders: Sequence[Path], queries: int | None) -> dict[str, Row]:
    embedder = Embedder()
    await embedder.load()
    rows = {"sample handbook": await measure_sample(url, embedder)}
    for folder in folders:
        rows[folder.resolve().name] = await measure_dataset(url, embedder, folder, queries)
    return rows


if __name__ == "__main__":
    main()
