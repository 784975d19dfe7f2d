"""A question in one language finds pages of the other where the model reads both, and nothing stands in its way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.database import Database
from retrieval.active_model import Asked
from retrieval.embedding import Embedder
from retrieval.fusion import UNMEASURED, Calibration
from retrieval.fusion_calibration import Measured, calibrate_fusion
from retrieval.ingest import ingest
from retrieval.query import Finder
from retrieval.search import Search
from tests.retrieval.conftest import Write
from tests.retrieval.small_models import save_model

# The same in both languages.
BOTH = {
    "vacation": [1, 0, 0],
    "휴가는": [1, 0, 0],
    "coffee": [0, 1, 0],
    "커피": [0, 1, 0],
    "visa": [0, 0, 1],
    "비자": [0, 0, 1],
}
QUESTION = "휴가는 며칠인가요?"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(tmp_path_factory.mktemp("models") / "both", BOTH)


@pytest.fixture
def both(model: str) -> Iterator[Embedder]:
    """A model that reads Korean and English, and the settings say so."""
    embedder = Embedder(model, languages=["en", "ko"])
    yield embedder
    embedder.close()


@pytest.fixture
def pages(write: Write) -> None:
    for number in range(40):
        write(f"coffee{number}.md", f"# Coffee corner {number}\n\nThe coffee of corner {number} is hot at noon.\n")
    write("vacation.md", "# Vacation\n\nEverybody takes 23 days of vacation.\n")
    write("비자.md", "# 비자\n\n비자 서류는 며칠 걸립니다.\n")


def measured(language: str, share: float) -> Measured:
    return Measured(
        language,
        dense_mean=0.4,
        dense_spread=0.05,
        dense_share=share,
        dense_mrr=0.5,
        lexical_mrr=0.9,
        fused_mrr=0.9,
        questions=90,
        chunks=400,
    )


@pytest.mark.usefixtures("pages")
async def test_a_korean_question_finds_an_english_page(database: Database, both: Embedder, folder: Path) -> None:
    await ingest(database, both, [folder])
    await calibrate_fusion(database, both)
    search = Search(database, both)
    assert (await search.search(QUESTION, ["everyone"], limit=1))[0].path == "vacation.md"
    found = await Finder(database, search).find(QUESTION, ["everyone"], limit=3)
    assert "vacation.md" in [passage.path for passage in found.passages]
    assert (found.searched, found.is_answerable) == (QUESTION, True)


@pytest.mark.usefixtures("pages")
async def test_an_english_question_finds_a_korean_page(database: Database, both: Embedder, folder: Path) -> None:
    await ingest(database, both, [folder])
    found = await Search(database, both).search("How long does a visa take?", ["everyone"], limit=1)
    assert [passage.path for passage in found] == ["비자.md"]


@pytest.mark.usefixtures("pages")
async def test_a_model_of_one_language_is_not_asked_in_the_other(database: Database, model: str, folder: Path) -> None:
    english = Embedder(model)
    await ingest(database, english, [folder])
    found = await Search(database, english).search(QUESTION, ["everyone"], limit=3)
    assert [(passage.path, passage.dense_score) for passage in found] == [("비자.md", 0.0)]


def test_a_language_of_too_few_chunks_is_judged_by_the_scale_of_the_other(both: Embedder) -> None:
    asked = Asked("both", both, 1, {"en": measured("en", 0.5)})
    assert asked.choose_calibration(QUESTION) == Calibration(dense_mean=0.4, dense_spread=0.05, dense_share=1.0)
    assert asked.choose_calibration("a question") == Calibration(dense_mean=0.4, dense_spread=0.05, dense_share=0.5)
    assert Asked("both", both, 1).choose_calibration(QUESTION) == UNMEASURED


def test_a_model_that_was_measured_to_be_blind_is_not_asked(both: Embedder) -> None:
    asked = Asked("both", both, 1, {"en": measured("en", 1.0), "ko": measured("ko", 0.0)})
    assert (asked.reads(QUESTION), asked.reads("a question")) == (False, True)
    assert not Asked("both", None, 1).reads("a question")
