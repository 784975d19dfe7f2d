"""`nightbake pairs`: collected, listed, explained and exported; and what became of every vote."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from tests.cli.running import Ran, run_nightbake
from tests.fakes.model_server import FakeModelServer
from tests.learning.log import log_answer, log_corrected_night, make_passage, vote

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:datasets.*")


@pytest.fixture
def judged(installation: FakeModelServer) -> FakeModelServer:
    """Twelve corrections, each a pair, and one liked answer; nobody samples better ones."""

    async def fill() -> None:
        async with Database(os.environ["DATABASE_URL"]) as database:
            await log_corrected_night(database, 12)
            liked = await log_answer(database, "Lunch [b]?", [make_passage("lunch", 4)], "4 days. [1]")
            await vote(database, liked, "user:bo", 1)

    run_nightbake("migrate")
    asyncio.run(fill())
    return installation


def build() -> dict[str, Any]:
    ran = run_nightbake("pairs", "build", "--json")
    assert ran.code == 0, ran.err
    return ran.json


def export(out: Path, *arguments: str) -> Ran:
    return run_nightbake("pairs", "export", "--out", str(out), *arguments)


def test_pairs_are_built_counted_and_every_vote_is_accounted_for(judged: FakeModelServer) -> None:
    counts = build()
    assert (counts["reconciled"], counts["origins"], counts["dropped_pairs"]) == (True, {"correction": 12}, {})
    assert (counts["votes"], sum(counts["fates"].values())) == (13, 13)
    human = run_nightbake("pairs", "build")
    assert (human.code, "the sums agree" in human.out, "12 pairs" in human.out) == (0, True, True)


def test_a_correction_that_brings_a_planted_name_teaches_nothing(judged: FakeModelServer) -> None:
    names = run_nightbake("pairs", "canaries", "--json").json["canaries"]
    assert (len(set(names)), run_nightbake("pairs", "canaries").out.split()) == (6, names)

    async def leak() -> None:
        async with Database(os.environ["DATABASE_URL"]) as database:
            leaked = await log_answer(database, "Vault [b]?", [make_passage("vault", 4)], "3 days. [1]")
            await vote(database, leaked, "user:bo", -1, correction=f"{names[0]} opens it in 4 days. [1]")

    asyncio.run(leak())
    assert build()["dropped_pairs"] == {"canary": 1}


def test_pairs_are_listed_by_what_they_are(judged: FakeModelServer) -> None:
    build()
    shown = run_nightbake("pairs", "show", "--words", "LUNCH BREAK", "--json").json["pairs"]
    assert [pair["question"] for pair in shown] == ["How many days for lunch break level 1?"]
    assert len(run_nightbake("pairs", "show", "--origin", "correction", "--limit", "5", "--json").json["pairs"]) == 5
    assert run_nightbake("pairs", "show", "--state", "dropped").out.strip() == "no pairs match"


def test_a_pair_is_explained_by_number_or_hash_without_a_name(judged: FakeModelServer) -> None:
    build()
    pair = run_nightbake("pairs", "show", "--limit", "1", "--json").json["pairs"][0]
    by_number = run_nightbake("pairs", "explain", str(pair["id"]), "--json").json
    assert by_number == run_nightbake("pairs", "explain", pair["sha256"][:8], "--json").json
    assert "fault:contradiction" in by_number["why"] or "fault:tone" in by_number["why"]
    assert ("user:" in json.dumps(by_number), by_number["voters"][0].startswith("voter-")) == (False, True)
    human = run_nightbake("pairs", "explain", str(pair["id"]))
    assert (human.code, "people said so by correction" in human.out) == (0, True)


@pytest.mark.parametrize("name", ["0", "abc", "abcdef123456", "9" * 30])
def test_a_pair_that_does_not_exist_is_no_crash(judged: FakeModelServer, name: str) -> None:
    build()
    ran = run_nightbake("pairs", "explain", name)
    assert (ran.code, "nightbake pairs show" in ran.err) == (1, True)


def test_before_anything_was_collected_the_way_is_told(judged: FakeModelServer) -> None:
    ran = run_nightbake("pairs", "show")
    assert (ran.code, "nightbake pairs build" in ran.err) == (1, True)


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("form", "columns"),
    [
        ("preference", ["prompt", "chosen", "rejected"]),
        ("prompt_completion", ["prompt", "completion"]),
        ("kto", ["prompt", "completion", "label"]),
    ],
)
def test_an_export_loads_as_a_data_set(
    judged: FakeModelServer, tmp_path: Path, ending: str, form: str, columns: list[str]
) -> None:
    from datasets import load_dataset  # noqa: PLC0415  seconds to import

    counts = build()
    out = tmp_path / f"pairs.{ending}"
    rows = export(out, "--format", form, "--json").json["rows"]
    assert rows == counts["trained"] * (2 if form == "kto" else 1)
    reader = "json" if ending == "jsonl" else "parquet"
    loaded = load_dataset(reader, data_files=str(out), split="train", cache_dir=str(tmp_path / "cache"))
    assert (loaded.column_names, len(loaded)) == (columns, rows)
    last = loaded[0][columns[1]]
    assert [turn["role"] for turn in last] == ["assistant"]


def test_both_file_formats_hold_the_same(judged: FakeModelServer, tmp_path: Path) -> None:
    import pyarrow.parquet  # noqa: PLC0415  a second to import

    build()
    for ending in ("jsonl", "parquet"):
        export(tmp_path / f"pairs.{ending}")
    lines = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
    assert pyarrow.parquet.read_table(tmp_path / "pairs.parquet").to_pylist() == lines


def test_a_file_of_an_unknown_kind_is_a_wrong_use(judged: FakeModelServer, tmp_path: Path) -> None:
    ran = export(tmp_path / "pairs.csv")
    assert (ran.code, ".parquet" in ran.err) == (2, True)


def test_the_fate_of_every_vote_is_counted(judged: FakeModelServer) -> None:
    before = run_nightbake("feedback", "stats", "--json").json
    assert (before["unseen"], before["fates"], before["hints"]) == (13, {}, {})
    build()
    after = run_nightbake("feedback", "stats", "--json").json
    assert (after["unseen"], sum(after["fates"].values()), after["fates"]["evaluation:unpaired"]) == (0, 13, 1)
    assert "evaluation: unpaired" in run_nightbake("feedback", "stats").out


def test_pairs_of_a_document_that_changed_count_again_once_it_is_checked(judged: FakeModelServer) -> None:
    async def change() -> None:
        async with Database(os.environ["DATABASE_URL"]) as database:
            await database.execute(b"UPDATE documents SET version = 2 WHERE title LIKE '%%lunch break%%'")
            await database.execute(b"UPDATE documents SET removed_at = now() WHERE title LIKE '%%training%%'")

    asyncio.run(change())
    assert build()["dropped_pairs"] == {"stale_document": 2}
    documents = run_nightbake("pairs", "stale", "--json").json["documents"]
    there = {one["title"]: (one["is_there"], one["pairs"]) for one in documents}
    assert there == {"Rules for lunch break level 1": (True, 1), "Rules for training level 1": (False, 1)}
    numbers = {one["is_there"]: str(one["id"]) for one in documents}
    assert run_nightbake("pairs", "check", numbers[True], "--json").json == {"checked": [int(numbers[True])]}
    gone = run_nightbake("pairs", "check", numbers[False])
    assert (gone.code, "nightbake pairs stale" in gone.err) == (1, True)
    assert build()["dropped_pairs"] == {"stale_document": 1}
    assert [one["is_there"] for one in run_nightbake("pairs", "stale", "--json").json["documents"]] == [False]
