"""The search measured on the company's own documents, with questions made from them. It reads as the service does.

Such questions share words with what they were made of, so the figures flatter the lexical side and say nothing of how
people ask. They show what changed: the same documents give the same questions. A question is
answered by the chunk it was made of.
"""

from core.database import Database
from core.errors import InvalidInputError
from retrieval.embedding import Embedder
from retrieval.evaluate import Evaluation, Report, ask_all, count_corpus, ignore, summarise
from retrieval.evaluate_dataset import Query, draw
from retrieval.fusion_calibration import find_readers, make_questions, sample_chunks
from retrieval.search import Side

LANGUAGES = ("en", "ko")
SAMPLE = 1000


async def evaluate_own(
    database: Database,
    embedder: Embedder,
    *,
    side: Side = "hybrid",
    max_queries: int | None = None,
    seed: int = 0,
    report: Report = ignore,
) -> Evaluation:
    """Ask the search what was made of its own chunks; nothing is stored.

    Raises:
        InvalidInputError: there are no documents, or none of which a question can be made.
        DatabaseError: the database stayed away.
    """
    queries = [query for language in LANGUAGES for query in await _make(database, language)]
    if not queries:
        raise InvalidInputError(
            "expected documents with whole sentences, got none; run `nightbake ingest FOLDER` first"
        )
    chosen = draw(queries, max_queries, seed)
    readers = await find_readers(database)
    answered = await ask_all(
        database, embedder, chosen, readers, name=lambda passage: str(passage.chunk_id), side=side, report=report
    )
    return summarise(answered, await count_corpus(database), chunks_per_second=0.0)


async def _make(database: Database, language: str) -> list[Query]:
    chunks = await sample_chunks(database, language, SAMPLE)
    return [
        Query(f"{language}-{item.chunk_id}", item.text, {str(item.chunk_id): 1.0}) for item in make_questions(chunks)
    ]
