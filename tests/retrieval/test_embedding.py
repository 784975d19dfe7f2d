"""Vectors: of length 1, in order, near for near meanings; a second model has its own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.database import Database
from core.errors import SettingsError
from retrieval.embedding import DEFAULT_MODEL, Embedder, Vectors, group_by_length
from retrieval.index import Index
from retrieval.ingest import ingest
from tests.retrieval.conftest import Write


class Renamed(Embedder):
    """The package's model as if it were another one, counting what it embeds."""

    def __init__(self, inner: Embedder, name: str) -> None:
        super().__init__()
        self.name = name
        self._inner = inner
        self.embedded: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        return await self._inner.embed(texts)

    async def get_dimension(self) -> int:
        return await self._inner.get_dimension()


async def test_vectors_are_float32_of_length_1_in_order(embedder: Embedder) -> None:
    texts = [f"{'word ' * (number % 7)}number {number}" for number in range(40)]
    vectors = await embedder.embed(texts)
    alone = np.stack([(await embedder.embed([text]))[0] for text in (texts[0], texts[39])])
    assert (vectors.dtype, vectors.shape) == (np.float32, (40, await embedder.get_dimension()))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(40), abs=1e-5)
    assert (vectors[[0, 39]] * alone).sum(axis=1) == pytest.approx(np.ones(2), abs=1e-3)


async def test_near_meanings_have_near_vectors(embedder: Embedder) -> None:
    question = await embedder.embed_query("How long is my vacation?")
    leave, coffee = await embedder.embed(["Employees get 23 days of annual leave.", "Clean the coffee machine."])
    assert question @ leave > question @ coffee + 0.2


async def test_nothing_gives_no_vectors(embedder: Embedder) -> None:
    assert (await embedder.embed([])).shape == (0, await embedder.get_dimension())


async def test_tokens_are_counted_beyond_the_models_longest_text(embedder: Embedder) -> None:
    await embedder.load()
    assert embedder.count_tokens(["one two three", "word " * 1000]) == [3, 1000]


async def test_korean_is_counted_by_its_length_where_the_model_reads_none(embedder: Embedder) -> None:
    await embedder.load()
    assert embedder.count_tokens(["휴가는 열흘입니다"]) == [5]


async def test_the_default_model_comes_out_of_its_package_by_its_name_too() -> None:
    assert await Embedder(DEFAULT_MODEL).get_dimension() == 384


async def test_an_unknown_model_is_a_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="EMBEDDING_MODEL"):
        await Embedder(str(tmp_path / "nowhere")).load()


async def test_a_new_model_embeds_what_is_stored(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", "# Leave\n\nEmployees get 23 days of leave.\n")
    await ingest(database, embedder, [folder])
    other = Renamed(embedder, "another")
    report = await ingest(database, other, [folder])
    assert (report.unchanged, report.embedded) == (1, 1)
    assert other.embedded == ["Leave\nEmployees get 23 days of leave."]


async def test_a_name_stands_for_vectors_of_one_length(database: Database, embedder: Embedder) -> None:
    await database.execute(b"INSERT INTO embedding_models (name, dimension) VALUES ('all-MiniLM-L6-v2', 7)")
    with pytest.raises(SettingsError, match="another length"):
        await Index(database, embedder).fill_embeddings("any")


def test_batches_hold_texts_of_a_length_and_no_more_tokens_than_there_is_room_for() -> None:
    # Padded to its longest: 1 x 50 (cut off at 50), 2 x 40, then 4 x 10 and the rest, which takes nothing.
    tokens = [10, 90, 10, 40, 0, 10, 35, 10]
    assert group_by_length(tokens, room_tokens=80, most_tokens=50) == [[1], [3, 6], [0, 2, 5, 7, 4]]


def test_a_text_longer_than_the_room_is_a_batch_of_its_own() -> None:
    assert group_by_length([500, 500], room_tokens=80, most_tokens=None) == [[0], [1]]
