"""The seam below fusion: both exact scores of the best of each side, behind the filter, from what is read once."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.database import Database, Parameters
from retrieval.candidates import Candidates
from retrieval.embedding import Embedder
from retrieval.ingest import ingest
from retrieval.lexical import find_terms
from retrieval.query import Finder
from retrieval.search import Search
from retrieval.synonyms import Synonyms
from tests.retrieval.conftest import Write

MODEL = b"SELECT id FROM embedding_models"
SHARED = "Employees get 23 days of annual leave."


async def test_each_side_gives_its_best_with_both_scores(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.txt", SHARED)
    write("train.txt", "The train leaves at nine.")
    write("visa.txt", "Visa applications take three weeks.")
    await ingest(database, embedder, [folder])
    model_id = (await database.fetch_dicts(MODEL))[0]["id"]
    vector = await embedder.embed_query("visa")
    find = Candidates(database).find
    found = await find(find_terms("annual leave"), vector, model_id, ["everyone"], limit_per_side=1)
    lexical = await find(find_terms("annual leave"), None, None, ["everyone"], limit_per_side=3)
    paths = await database.fetch_dicts(
        b"SELECT chunks.id, path FROM chunks JOIN documents ON documents.id = document_id"
    )
    by_path = {row["path"]: row["id"] for row in paths}
    assert {one.chunk_id for one in found} == {by_path["leave.txt"], by_path["visa.txt"]}
    assert all(one.dense_score is not None and -1 <= one.dense_score <= 1 for one in found)
    assert {one.chunk_id: one.lexical_score for one in found}[by_path["visa.txt"]] == 0
    assert {one.dense_score for one in lexical} == {None}
    assert await find(find_terms("annual leave"), vector, model_id, ["user:nobody"], limit_per_side=9) == []


class Watched(Database):
    """Counts how often the postings of each term were read."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.read = Counter[str]()

    async def fetch_tuples(self, query: bytes, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        if b"packed_postings" in query and isinstance(parameters, dict):
            self.read.update(parameters["terms"])
        return await super().fetch_tuples(query, parameters)


@pytest.fixture
async def watched(database: Database, database_url: str, embedder: Embedder, write: Write) -> AsyncIterator[Watched]:
    folder = write("leave.txt", SHARED).parent
    write("visa.txt", "Visa applications take three weeks, vacation or not.")
    await ingest(database, embedder, [folder])
    async with Watched(database_url) as watched:
        yield watched


async def test_a_typed_word_with_synonyms_is_read_once(watched: Watched, embedder: Embedder) -> None:
    search = Search(watched, embedder, synonyms=Synonyms([["annual leave", "vacation"]]))
    found = await search.search("annual leave days", ["everyone"], side="lexical")
    assert {passage.path for passage in found} == {"leave.txt", "visa.txt"}
    assert watched.read == {"annual": 1, "leav": 1, "day": 1, "vacat": 1}


async def test_what_a_question_read_is_counted_from_then_on(watched: Watched, embedder: Embedder) -> None:
    finder = Finder(watched, Search(watched, embedder))
    first = await finder.find("annual leave days", ["everyone"], limit=3)
    # Once to see that the words exist, once to rank by them; to judge the passages reads nothing.
    assert watched.read == {"annual": 2, "leav": 2, "day": 2}
    assert await finder.find("annual leave days", ["everyone"], limit=3) == first
    assert watched.read == {"annual": 3, "leav": 3, "day": 3}


async def test_counts_are_of_the_index_as_it_is(
    watched: Watched, database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    finder = Finder(watched, Search(watched, embedder))
    first = await finder.find("annual leave", ["everyone"], limit=3)
    for number in range(20):
        write(f"more{number}.txt", f"Annual leave of room {number}.")
    await ingest(database, embedder, [folder])
    fresh = await Finder(database, Search(database, embedder)).find("annual leave", ["everyone"], limit=3)
    later = await finder.find("annual leave", ["everyone"], limit=3)
    assert later == fresh
    assert later.confidence != first.confidence
