"""A new embedding model is filled in beside the old one and switched, whatever happens in between."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.advisory_lock import hold_lock
from core.database import Database
from core.locks import Lock
from retrieval import active_model
from retrieval.active_model import ActiveModel
from retrieval.documents import Documents
from retrieval.embedding import Embedder, Purpose, Vectors
from retrieval.fusion_calibration import find_calibrations
from retrieval.index import Index
from retrieval.ingest import ingest
from retrieval.model_change import Filling, Left, ModelChange, change_model, drop_left, find_left, measure_filling
from retrieval.search import Search
from tests.eventually import eventually
from tests.retrieval.conftest import Write
from tests.retrieval.small_models import save_model

# One knows holidays and the other machines: whom a question was asked with shows in what it finds.
HOLIDAYS = {"vacation": [1, 0, 0], "leave": [1, 0, 0], "coffee": [0, 1, 0], "machine": [0, 1, 0]}
MACHINES = {"vacation": [0, 0, 0, 1], "leave": [1, 0, 0, 0], "espresso": [0, 1, 0, 0], "coffee": [0, 1, 0, 0]}


@pytest.fixture(autouse=True)
def looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(active_model, "REFRESH_SECONDS", 0.0)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Folders of the old model and of the new one."""
    folder = tmp_path_factory.mktemp("models")
    return save_model(folder / "holidays", HOLIDAYS), save_model(folder / "machines", MACHINES)


@pytest.fixture
def old(models: tuple[str, str]) -> Iterator[Embedder]:
    embedder = Embedder(models[0])
    yield embedder
    embedder.close()


@pytest.fixture
def new(models: tuple[str, str]) -> Iterator[Embedder]:
    embedder = Embedder(models[1])
    yield embedder
    embedder.close()


class Breaking(Embedder):
    """A model that fails at its second batch of documents."""

    batches = 0

    async def embed(self, texts: Sequence[str], *, purpose: Purpose = "document") -> Vectors:
        self.batches += 1
        if self.batches == 2:
            raise OSError("out of memory")
        return await super().embed(texts, purpose=purpose)


async def find(search: Search, question: str) -> list[str]:
    """The best by meaning; `any.txt`, the first one, where the question means nothing to the model."""
    return [passage.path for passage in await search.search(question, ["everyone"], side="dense", limit=1)]


async def knows_machines(search: Search) -> bool:
    """Whether the search asks with the new model."""
    return await find(search, "espresso") == ["coffee.txt"]


async def ingest_two_pages(database: Database, embedder: Embedder, folder: Path, write: Write) -> None:
    """One on each of what the models know."""
    write("coffee.txt", "The coffee is hot.")
    write("any.txt", "Leave is granted.")
    await ingest(database, embedder, [folder])


async def count_vectors(database: Database, embedder: Embedder) -> int:
    return (await measure_filling(database, embedder)).filled


def write_pages(write: Write, count: int) -> None:
    for number in range(count):
        write(f"page{number}.txt", f"Leave number {number} is granted in room {number * 7}.")


async def test_the_old_model_is_asked_until_every_chunk_has_its_new_vector(
    database: Database, old: Embedder, new: Embedder, folder: Path, write: Write
) -> None:
    write("leave.txt", "Leave is granted.")
    write("coffee.txt", "The coffee is hot.")
    await ingest(database, old, [folder])
    search = Search(database, new)

    async def is_switched() -> bool:
        return (await search.active.find()).name == new.name

    assert (await find(search, "vacation"), await is_switched()) == (["leave.txt"], False)
    assert await change_model(database, new)
    # It loads beside the questions.
    await eventually(is_switched)
    assert await find(search, "espresso") == ["coffee.txt"]
    assert [await count_vectors(database, embedder) for embedder in (old, new)] == [2, 2]


async def test_another_process_follows_the_row(
    database: Database, old: Embedder, new: Embedder, folder: Path, write: Write
) -> None:
    await ingest_two_pages(database, old, folder, write)
    search = Search(database, old)
    assert await find(search, "coffee") == ["coffee.txt"]
    await change_model(database, new)

    async def is_followed() -> bool:
        # Never nothing: with the old model until the new one is loaded.
        assert await find(search, "coffee") == ["coffee.txt"]
        return await knows_machines(search)

    await eventually(is_followed)
    assert (await search.active.find_embedder()).name == new.name
    change = ModelChange(database, Search(database, new).active)
    await change.start()
    assert not change.is_running


async def test_documents_that_come_in_meanwhile_get_both_vectors(
    database: Database, old: Embedder, new: Embedder, folder: Path, write: Write
) -> None:
    class Slow(Embedder):
        """While it embeds, another document is stored."""

        async def embed(self, texts: Sequence[str], *, purpose: Purpose = "document") -> Vectors:
            if not (folder / "late.txt").exists():
                write("late.txt", "The machine is late.")
                await ingest(database, await active.find_embedder(), [folder])
            return await super().embed(texts, purpose=purpose)

    write("leave.txt", "Leave is granted.")
    await ingest(database, old, [folder])
    active = ActiveModel(database, new)
    await change_model(database, Slow(new.name))
    assert [await count_vectors(database, embedder) for embedder in (old, new)] == [2, 2]


async def test_a_document_that_comes_back_behind_the_filling_is_filled_in_before_the_switch(
    database: Database, old: Embedder, new: Embedder, folder: Path, write: Write
) -> None:
    class Slow(Embedder):
        """While it embeds, a document of a smaller number comes back."""

        async def embed(self, texts: Sequence[str], *, purpose: Purpose = "document") -> Vectors:
            if await documents.find_stored(hidden=True):
                await documents.restore(1)
            return await super().embed(texts, purpose=purpose)

    write("a.txt", "Leave is granted.")
    write("b.txt", "The coffee is hot.")
    await ingest(database, old, [folder])
    documents = Documents(database)
    await documents.remove(1)
    await change_model(database, Slow(new.name))
    assert (await measure_filling(database, new)) == Filling(chunks=2, filled=2)


async def test_nothing_is_switched_while_a_chunk_is_without_its_vector(
    database: Database, old: Embedder, new: Embedder, folder: Path, write: Write
) -> None:
    write("leave.txt", "Leave is granted.")
    await ingest(database, old, [folder])
    breaking = Breaking(new.name)
    breaking.batches = 1
    with pytest.raises(OSError, match="out of memory"):
        await change_model(database, breaking)
    assert (await ActiveModel(database, new).find()).name == old.name


async def test_a_filling_that_was_cut_short_goes_on_behind_what_was_stored(
    database: Database, old: Embedder, new: Embedder, folder: Path, write: Write
) -> None:
    write_pages(write, 300)
    await ingest(database, old, [folder])
    change = ModelChange(database, ActiveModel(database, Breaking(new.name)))
    with pytest.raises(OSError, match="out of memory"):
        await change.turn()
    seen: list[tuple[int, int]] = []
    await change_model(database, new, on_filled=lambda *counts: seen.append(counts))
    assert seen == [(256, 300), (300, 300)]


async def test_two_processes_do_not_fill_in_at_once(
    database: Database, old: Embedder, new: Embedder, folder: Path, write: Write
) -> None:
    write("leave.txt", "Leave is granted.")
    await ingest(database, old, [folder])
    async with hold_lock(database, Lock.EMBEDDING_MODEL, wait=False):
        assert (await change_model(database, new), await drop_left(database, keep=new.name)) == (False, None)
    assert await change_model(database, new) is True


async def test_the_service_changes_beside_its_answers(
    database: Database, old: Embedder, new: Embedder, folder: Path, write: Write
) -> None:
    await ingest_two_pages(database, old, folder, write)
    search = Search(database, new)
    change = ModelChange(database, search.active)
    await change.start()
    assert change.is_running
    # It fills in beside the questions.
    await eventually(lambda: knows_machines(search))
    await change.stop()


async def test_the_fusion_is_measured_for_the_new_model_before_it_is_asked(
    database: Database, old: Embedder, new: Embedder, folder: Path, write: Write
) -> None:
    for number in range(30):
        write(f"page{number}.md", f"# Leave of kind {number}\n\nLeave {number} is granted in room {number * 7} only.\n")
    await ingest(database, old, [folder])
    await change_model(database, new)
    measured = await find_calibrations(database, new.name)
    assert (await ActiveModel(database, new).find()).calibrations == measured
    assert measured["en"].chunks == 30


async def test_without_the_old_model_questions_are_found_by_words(
    database: Database, old: Embedder, new: Embedder, folder: Path, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write("coffee.txt", "The coffee is hot.")
    await ingest(database, old, [folder])
    await database.execute(b"UPDATE embedding_models SET name = '/nowhere'")
    search = Search(database, new)
    found = await search.search("coffee", ["everyone"])
    assert ([passage.path for passage in found], found[0].dense_score) == (["coffee.txt"], 0.0)
    assert (await search.search("espresso", ["everyone"]), await find(search, "espresso")) == ([], [])
    assert "questions are found by words only" in caplog.text
    assert await search.embed(["coffee"]) == [None]


async def test_a_new_installation_asks_the_model_of_its_settings(
    database: Database, old: Embedder, new: Embedder, folder: Path, write: Write
) -> None:
    assert (await ActiveModel(database, new).find()).name == new.name
    write("leave.txt", "Leave is granted.")
    await ingest(database, new, [folder])
    assert (await ActiveModel(database, old).find()).name == new.name


async def test_only_vectors_that_nobody_asks_for_are_dropped(
    database: Database, old: Embedder, new: Embedder, folder: Path, write: Write
) -> None:
    write("leave.txt", "Leave is granted.")
    await ingest(database, old, [folder])
    await Index(database, new).fill_embeddings()
    assert await drop_left(database, keep=new.name) == []
    await change_model(database, new)
    assert await drop_left(database, keep=new.name) == [Left(old.name, 1)]
    assert [await count_vectors(database, embedder) for embedder in (old, new)] == [0, 1]
    assert await find_left(database, keep=new.name) == []
    # And the way back is to fill it in again.
    assert await change_model(database, old)
