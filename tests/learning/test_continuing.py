"""Going on from what is served: only while nothing of it was taken back, on what is new and as much of the old."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from core.adapters import Adapter, Adapters
from core.database import Database
from learning.collect import CollectSettings, collect
from learning.continuing import choose_rows, find_learnt
from learning.night import NightSettings
from learning.runs import Run, Runs
from learning.trainer import read_manifest, run_trainer, write_job
from tests.learning.log import log_answer, make_passage, vote
from tests.learning.made_adapters import ALPHA, DAYS, RANK, make_adapter, make_row
from tests.learning.making import NOON

SETTINGS = NightSettings(base_model="base", rank=4, goes_on=True)


async def hold_night(database: Database) -> Run:
    rows = await database.fetch_dicts(b"SELECT now() + interval '1 second' AS until")
    window = {"window_from": rows[0]["until"] - timedelta(days=1), "window_to": rows[0]["until"]}
    run = await Runs(database).begin(night=NOON.date(), requested_by="test", **window)
    assert run
    await collect(database, Runs(database), run, CollectSettings(max_pairs=99, seed=0))
    return run


async def correct(database: Database, number: int) -> int:
    passage = make_passage(f"subject {number} {'x' * number}", 10 + number)
    answer = await log_answer(database, f"What about {'y' * number}?", [passage], "perhaps for long")
    await vote(database, answer, f"user:{number}", -1, f"The company grants {10 + number} days.")
    return answer


async def serve(database: Database, run: Run) -> Adapter:
    adapters = Adapters(database)
    manifest: dict[str, Any] = {"job": {"rank": 4}}
    await adapters.register(name="night", folder="/a", base_model="base", sha256="0" * 64, manifest=manifest)
    await Runs(database).update(run.id, adapter="night")
    return await adapters.get("night")


async def read_trained(database: Database, run: Run) -> set[str]:
    return {pair.sha256 for pair in await Runs(database).find_pairs(run.id) if pair.state == "trained"}


async def test_a_night_goes_on_while_all_that_was_learnt_still_holds(database: Database) -> None:
    answers = [await correct(database, number) for number in range(8)]
    first = await hold_night(database)
    served, learnt = await serve(database, first), await read_trained(database, first)
    await correct(database, 8)
    second = await hold_night(database)
    assert learnt and await find_learnt(database, second.id, served, SETTINGS) == learnt

    afresh = [replace(SETTINGS, goes_on=False), replace(SETTINGS, rank=8), replace(SETTINGS, base_model="other")]
    assert [await find_learnt(database, second.id, served, one) for one in afresh] == [set(), set(), set()]
    assert await find_learnt(database, second.id, None, SETTINGS) == set()

    for number, answer in enumerate(answers):
        await vote(database, answer, f"user:{number}", 1)
    third = await hold_night(database)
    assert await find_learnt(database, third.id, served, SETTINGS) == set()


@pytest.mark.parametrize(("new", "known", "chosen"), [(0, 5, 5), (2, 5, 4), (5, 2, 7), (3, 0, 3)])
def test_as_many_known_rows_as_new_ones_are_trained(new: int, known: int, chosen: int) -> None:
    rows = [{"sha256": f"new {number}"} for number in range(new)] + [{"sha256": f"old {n}"} for n in range(known)]
    learnt = {f"old {number}" for number in range(known)}
    found = choose_rows(rows, learnt, seed=3)
    assert len(found) == chosen and [row for row in rows if row in found] == found
    assert [row for row in found if row["sha256"].startswith("new")] == rows[:new]
    assert choose_rows(rows[::-1], learnt, seed=3) == found[::-1]


async def test_training_begins_with_the_weights_it_goes_on_from(base_model: Path, tmp_path: Path) -> None:
    from learning.base_weights import load_base, take_start  # noqa: PLC0415  seconds to import
    from learning.reference_cache import describe_base  # noqa: PLC0415

    first = make_adapter(base_model, tmp_path / "first")
    manifest = read_manifest(first)
    assert manifest
    model, dtype = load_base(str(base_model))
    base_hash = describe_base(model, dtype=dtype, threads=1)["weights"]
    (first / "manifest.json").write_text(json.dumps(manifest | {"base_hash": base_hash}))

    job = {"base_model": str(base_model), "rank": RANK, "alpha": ALPHA, "threads": 1, "start_from": str(first)}
    rows = [make_row(subject, days) | {"sha256": subject, "language": "en"} for subject, days in DAYS.items()]
    # A rate at which no weight moves.
    write_job(tmp_path / "second", job | {"learning_rate": 1e-12}, train=rows[:2], held_out=rows[2:3])

    async def ignore(_: dict[str, Any]) -> None: ...

    await run_trainer(tmp_path / "second", progress=ignore)
    second = tmp_path / "second" / "adapter"
    continued = read_manifest(second)
    assert continued and continued["started_from"] == manifest["sha256"]
    before, after = (load_file(folder / "adapter_model.safetensors") for folder in (first, second))
    assert all((before[name] - after[name]).abs().max() < 1e-6 for name in before)
    # Trained on another base, its weights mean nothing: they are not even read.
    assert take_start(model, str(first), "another base") is None
