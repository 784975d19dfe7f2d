"""What is measured on a corpus: a model that reads it keeps its say, one that does not loses it."""

from pathlib import Path

import pytest

from core.database import Database
from retrieval.embedding import Embedder
from retrieval.fusion import UNMEASURED
from retrieval.fusion_calibration import (
    LEAST_MRR,
    calibrate_fusion,
    choose_share,
    find_calibrations,
    find_outdated,
)
from retrieval.ingest import ingest
from retrieval.search import Search
from tests.retrieval.conftest import Write

KOREAN = sorted((Path(__file__).parents[2] / "sample" / "handbook").rglob("*.ko.md"))[:8]
TOPICS = ["annual leave", "business travel", "salary", "insurance", "training", "laptops", "meetings", "reviews"]
RULES = ["must be approved by the head of the department", "is handled by the office on the third floor"]


def write_corpus(write: Write) -> None:
    for first, topic in enumerate(TOPICS):
        for second, other in enumerate(TOPICS):
            rule = RULES[(first + second) % 2]
            write(f"en/{first}-{second}.txt", f"Every question about {topic} together with {other} {rule} this year.")


def test_a_sound_side_keeps_its_say_and_a_blind_one_has_none() -> None:
    assert [choose_share(dense, 0.8) for dense in (0.8, 0.28, 0.24, 0.2, 0.0)] == pytest.approx([1, 1, 0.5, 0, 0])
    assert choose_share(0.4, 0.0) == 1


async def test_a_language_that_the_model_cannot_read_has_no_dense_side_whatever_the_settings_say(
    database: Database, folder: Path, write: Write
) -> None:
    embedder = Embedder(languages=["ko"])
    for file in KOREAN:
        write(file.name, file.read_text(encoding="utf-8"))
    await ingest(database, embedder, [folder], default_allow=["everyone"])
    await calibrate_fusion(database, embedder)
    stored = await find_calibrations(database, embedder.name)
    found = await Search(database, embedder).search("출장비 정산", ["everyone"])
    embedder.close()
    assert stored["ko"].dense_share == 0
    assert found and {passage.dense_score for passage in found} == {0}


async def test_it_is_measured_again_when_a_good_part_of_the_corpus_changed(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write_corpus(write)
    await ingest(database, embedder, [folder])
    assert await find_outdated(database, embedder) == ["en"]
    first = await calibrate_fusion(database, embedder)
    assert (await calibrate_fusion(database, embedder), await find_outdated(database, embedder)) == ([], [])
    for number in range(20):
        write(f"more/{number}.txt", f"The canteen has {number} kinds of soup, and one of them is always vegetarian.")
    await ingest(database, embedder, [folder])
    again = await calibrate_fusion(database, embedder)
    assert ([one.chunks for one in first], [one.chunks for one in again]) == ([64], [84])


async def test_what_is_denied_to_somebody_is_no_part_of_the_measure(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write(".access.json", '{"allow": ["group:staff"], "deny": ["group:staff"]}')
    write_corpus(write)
    await ingest(database, embedder, [folder])
    assert await calibrate_fusion(database, embedder) == []


async def test_too_few_chunks_are_not_measured(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.txt", "Employees get 23 days of annual leave.")
    await ingest(database, embedder, [folder])
    assert await calibrate_fusion(database, embedder) == []
    found = await Search(database, embedder).search("days of leave", ["everyone"])
    assert [passage.score for passage in found] == [pytest.approx(1)]


async def test_rows_that_are_all_but_equal_tell_nothing_of_the_model(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    for number in range(90):
        write(f"{number}.txt", f"The machine in hall {number} is serviced by the team of the third floor every spring.")
    await ingest(database, embedder, [folder])
    (measured,) = await calibrate_fusion(database, embedder)
    assert max(measured.dense_mrr, measured.lexical_mrr) < LEAST_MRR
    assert measured.calibration == UNMEASURED
