"""What a model's scores mean in this corpus: measured on questions made from it, stored, measured again on change.

Questions made from a text favour words (`known_items.py`), and the fusion must not learn that. Measured on English
sets where meaning is as good as words on people's own questions, MRR@10 of the dense side on made ones was 0.39 to 0.67
of the lexical side's; of one that is blind in Korean 0.08, and 0.20 among 99 chunks (docs/retrieval.md). So made
questions decide one thing only: a dense side above `SOUND` of the lexical one keeps its whole say, one below `BLIND`
has none.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np

from core.database import Database
from core.sql import load_queries
from retrieval.candidates import Candidate, Candidates
from retrieval.embedding import Embedder, Vectors
from retrieval.fusion import UNMEASURED, Calibration, fuse
from retrieval.known_items import KnownItem, Source, build_known_items
from retrieval.lexical import find_terms
from retrieval.measures import reciprocal_rank

QUERIES = load_queries(__file__)

SOUND, BLIND = 0.35, 0.25
SAMPLE = 160
# With fewer questions, chance decides.
LEAST_QUESTIONS = 25
# Where neither side finds what questions were made of, as in thousands of rows that are all but equal, no text is
# unrelated to another and nothing can be told.
LEAST_MRR = 0.1
# Unrelated pairs are taken from these chunks.
_BACKGROUND = 48
LIMIT_PER_SIDE = 200
# Chunks of a language may grow or shrink by this share of what was measured before it is measured again.
CHANGED = 0.2


@dataclass(frozen=True, slots=True)
class Measured:
    """A calibration and what it rests on: MRR@10 of each side and of both, on questions made from the corpus."""

    language: str
    dense_mean: float
    dense_spread: float
    dense_share: float
    dense_mrr: float
    lexical_mrr: float
    fused_mrr: float
    questions: int
    chunks: int
    measured_at: datetime | None = None

    @property
    def calibration(self) -> Calibration:
        """What the fusion needs of it."""
        return Calibration(self.dense_mean, self.dense_spread, self.dense_share)


@dataclass(frozen=True, slots=True)
class _Principal:
    principal: str


@dataclass(frozen=True, slots=True)
class _Chunks:
    language: str
    chunks: int


@dataclass(frozen=True, slots=True)
class SampledChunk:
    """A chunk of the sample, as it stands in the index."""

    id: int
    title: str
    heading_path: str
    text: str


@dataclass(frozen=True, slots=True)
class _Model:
    id: int


@dataclass(frozen=True, slots=True)
class _Asked:
    item: KnownItem
    candidates: list[Candidate]


async def calibrate_fusion(database: Database, embedder: Embedder, *, force: bool = False) -> list[Measured]:
    """Measure each language that the model is said to read, where the corpus changed since; what was measured.

    Some seconds a language. One with too few chunks to tell stays unmeasured and is fused as `UNMEASURED` says.

    Raises:
        DatabaseError: the database stayed away.
    """
    found: list[Measured] = []
    for language in await find_outdated(database, embedder, force=force):
        measured = await _measure(database, embedder, language)
        if measured:
            await database.execute(QUERIES["put_calibration"], {**asdict(measured), "model": embedder.name})
            found.append(measured)
    return found


async def find_calibrations(database: Database, model: str) -> dict[str, Measured]:
    """What is stored for a model, by language."""
    rows = await database.fetch_all(QUERIES["find_calibrations"], {"model": model}, Measured)
    return {row.language: row for row in rows}


async def find_outdated(database: Database, embedder: Embedder, *, force: bool = False) -> list[str]:
    """Languages of the model that were never measured, or whose chunks are by `CHANGED` more or fewer."""
    stored = await find_calibrations(database, embedder.name)
    counts = await _count(database)
    wanted = {language: counts.get(language, 0) for language in sorted(embedder.languages)}
    return [
        language
        for language, chunks in wanted.items()
        if chunks >= LEAST_QUESTIONS
        and (
            force or language not in stored or abs(chunks - stored[language].chunks) > CHANGED * stored[language].chunks
        )
    ]


async def find_readers(database: Database) -> list[str]:
    """Principals that together may read whatever is denied to none of them: the service's own eyes."""
    rows = await database.fetch_all(QUERIES["find_readers"], None, _Principal)
    return [row.principal for row in rows]


async def sample_chunks(database: Database, language: str, limit: int) -> list[SampledChunk]:
    """Chunks of a language from all over the corpus, the same ones while it stays the same."""
    parameters = {"principals": await find_readers(database), "language": language, "limit": limit}
    return await database.fetch_all(QUERIES["sample_chunks"], parameters, SampledChunk)


def make_questions(chunks: Sequence[SampledChunk]) -> list[KnownItem]:
    """Known items of a sample; the heading of a chunk is its own, not that of its chapter."""
    return build_known_items(
        [Source(chunk.id, chunk.heading_path.rpartition(" > ")[2] or chunk.title, chunk.text) for chunk in chunks]
    )


async def _measure(database: Database, embedder: Embedder, language: str) -> Measured | None:
    model = await database.fetch_one(QUERIES["find_model"], {"name": embedder.name}, _Model)
    chunks = await sample_chunks(database, language, SAMPLE)
    items = make_questions(chunks)
    if model is None or len(items) < LEAST_QUESTIONS:
        return None
    vectors = await embedder.embed([item.text for item in items], purpose="query")
    background = await embedder.embed([_show(chunk) for chunk in chunks[:_BACKGROUND]])
    mean, spread = _measure_background(vectors, items, background, [chunk.id for chunk in chunks[:_BACKGROUND]])
    asked = await _ask(database, items, vectors, model.id, await find_readers(database))
    dense_mrr = _mean([_place(one.item, _by_dense(one.candidates)) for one in asked])
    lexical_mrr = _mean([_place(one.item, _by_words(one.candidates)) for one in asked])
    fused = UNMEASURED
    if max(dense_mrr, lexical_mrr) >= LEAST_MRR:
        fused = Calibration(mean, spread, choose_share(dense_mrr, lexical_mrr))
    return Measured(
        language=language,
        dense_mean=fused.dense_mean,
        dense_spread=fused.dense_spread,
        dense_share=fused.dense_share,
        dense_mrr=dense_mrr,
        lexical_mrr=lexical_mrr,
        fused_mrr=_mean([_place(one.item, _by_both(one.candidates, fused)) for one in asked])
        if fused.dense_share
        else lexical_mrr,
        questions=len(items),
        chunks=(await _count(database))[language],
    )


def choose_share(dense_mrr: float, lexical_mrr: float) -> float:
    """1 for a sound dense side, 0 for a blind one, in proportion between."""
    return min(1.0, max(0.0, (dense_mrr / max(lexical_mrr, 1e-9) - BLIND) / (SOUND - BLIND)))


async def _ask(
    database: Database, items: Sequence[KnownItem], vectors: Vectors, model_id: int, principals: Sequence[str]
) -> list[_Asked]:
    candidates, asked = Candidates(database), list[_Asked]()
    for item, vector in zip(items, vectors, strict=True):
        terms = list(dict.fromkeys(await asyncio.to_thread(find_terms, item.text)))
        found = await candidates.find(terms, vector, model_id, principals, limit_per_side=LIMIT_PER_SIDE)
        asked.append(_Asked(item, found))
    return asked


def _measure_background(
    vectors: Vectors, items: Sequence[KnownItem], background: Vectors, ids: Sequence[int]
) -> tuple[float, float]:
    """Mean and standard deviation of the cosines between questions and chunks that they were not made of."""
    cosines = vectors @ background.T
    unrelated = np.array([[item.chunk_id != chunk_id for chunk_id in ids] for item in items])
    found = cosines[unrelated]
    return float(found.mean()), max(float(found.std()), UNMEASURED.dense_spread / 10)


def _by_both(candidates: Sequence[Candidate], calibration: Calibration) -> list[str]:
    return [str(hit.chunk_id) for hit in fuse(candidates, calibration)]


def _by_words(candidates: Sequence[Candidate]) -> list[str]:
    return [str(one.chunk_id) for one in sorted(candidates, key=lambda one: (-one.lexical_score, one.chunk_id))]


def _by_dense(candidates: Sequence[Candidate]) -> list[str]:
    near = [(one.dense_score, one.chunk_id) for one in candidates if one.dense_score is not None]
    return [str(chunk_id) for _, chunk_id in sorted(near, key=lambda one: (-one[0], one[1]))]


def _place(item: KnownItem, ranked: Sequence[str]) -> float:
    return reciprocal_rank(ranked, [str(item.chunk_id)])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _show(chunk: SampledChunk) -> str:
    return "\n".join(part for part in (chunk.title, chunk.heading_path, chunk.text) if part)


async def _count(database: Database) -> dict[str, int]:
    return {row.language: row.chunks for row in await database.fetch_all(QUERIES["count_chunks"], None, _Chunks)}
