"""The seam below fusion: both exact scores of the best of each side, behind the filter."""

from pathlib import Path

from core.database import Database
from retrieval.candidates import Candidates
from retrieval.embedding import Embedder
from retrieval.ingest import ingest
from retrieval.lexical import find_terms
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
