"""Forget a person: what used their words goes, what used others' stays, and the receipt says so."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.adapters import Adapters
from core.database import Database
from core.forgetting import Receipt
from core.model_server import ModelServer
from core.weights import WEIGHTS, hash_file
from learning.collect import CollectSettings, collect
from learning.exercises.make import Wanted
from learning.exercises.sections import read_sections
from learning.exercises.store import Exercises
from learning.runs import Run, Runs
from tests.fakes.model_server import run_model_server
from tests.forgetting import build_forgetting
from tests.learning.exercises.library import build_maker, fill
from tests.learning.log import log_answer, make_passage, vote
from tests.learning.making import NOON

COLUMNS = b"""SELECT table_name, column_name FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type IN ('text', 'jsonb', 'ARRAY')"""

SAY_YES = b"""INSERT INTO exercise_reviews (exercise_id, verdict, reviewer, seconds)
SELECT id, 'accept', %s, 3 FROM exercises"""


@pytest.fixture
async def model_server() -> AsyncIterator[ModelServer]:
    async with run_model_server() as fake:
        client = ModelServer(fake.url, "base")
        yield client
        await client.close()


async def find_left(database: Database, word: str) -> list[tuple[str, str]]:
    """Tables and columns in which a word still stands."""
    found: list[tuple[str, str]] = []
    for row in await database.fetch_dicts(COLUMNS):
        query = f'SELECT 1 AS one FROM "{row["table_name"]}" WHERE "{row["column_name"]}"::text ILIKE %s LIMIT 1'
        if await database.fetch_dicts(query.encode(), [f"%{word}%"]):
            found.append((row["table_name"], row["column_name"]))
    return found


async def run_collection(database: Database) -> Run:
    """A night up to its data set; its numbers."""
    runs = Runs(database)
    rows = await database.fetch_dicts(b"SELECT now() + interval '1 second' AS until")
    window: dict[str, Any] = {"window_from": rows[0]["until"] - timedelta(days=1), "window_to": rows[0]["until"]}
    run = await runs.begin(night=NOON.date(), requested_by="test", **window)
    assert run
    made = await collect(database, runs, run, CollectSettings(max_pairs=99, seed=0))
    return await runs.update(run.id, counts=made.counts, tickets=made.tickets)


async def make_adapter(
    database: Database, home: Path, name: str, run_id: int | None = None, *, made_from: str | None = None
) -> None:
    """An adapter that was served, and which night trained it."""
    adapters, folder = Adapters(database), home / "adapters" / name
    folder.mkdir(parents=True)
    manifest = {"made_from": made_from} if made_from else {}
    (folder / WEIGHTS).write_text(name)
    sha256 = hash_file(folder / WEIGHTS)
    await adapters.register(name=name, folder=str(folder), base_model="b", sha256=sha256, manifest=manifest)
    await adapters.switch(name, by="test", reason="better")
    if run_id:
        await Runs(database).update(run_id, adapter=name)
        await database.execute(b"UPDATE run_pairs SET state = 'trained', reason = NULL WHERE run_id = %s", [run_id])


async def forget_ann(database: Database, model_server: ModelServer, home: Path) -> Receipt:
    return await build_forgetting(database, model_server, home).forget("user:ann", by="test")


async def log_two_people(database: Database) -> None:
    """Ann asks both; she corrects the first, Bo the second."""
    mine = await log_answer(database, "Parking of zanzibar?", [make_passage("parking", 3)], "perhaps for long")
    await vote(database, mine, "user:ann", -1, "The company grants 3 days.")
    other = await log_answer(database, "Lunch?", [make_passage("lunch", 4)], "perhaps for long")
    await database.execute(b"UPDATE interactions SET asker = 'user:bo' WHERE id = %s", [other])
    await vote(database, other, "user:bo", -1, "The company grants 4 days.")
    ticket = await log_answer(database, "Bus?", [make_passage("bus", 4)], "perhaps for long")
    await database.execute(b"UPDATE interactions SET asker = 'user:bo' WHERE id = %s", [ticket])
    await vote(database, ticket, "user:ann", -1, "Zanzibar grants 77 days.")


async def test_what_used_the_person_goes_and_others_stay(
    database: Database, model_server: ModelServer, tmp_path: Path
) -> None:
    await log_two_people(database)
    run = await run_collection(database)
    assert (run.counts["pairs"], len(run.tickets)) == (2, 1)
    await Runs(database).store_report(run.id, "en", markdown="zanzibar", html="zanzibar")
    await make_adapter(database, tmp_path, "night-0-clean")
    await make_adapter(database, tmp_path, "night-1-used", run.id)
    job = tmp_path / "nights" / str(run.id)
    job.mkdir(parents=True)

    receipt = await forget_ann(database, model_server, tmp_path)

    log = {"votes": 2, "expert_requests": 0, "expert_replies": 0, "questions": 1, "events": 0}
    assert receipt == Receipt(1, log, 1, [run.id], 1, ["night-1-used"], "night-0-clean", (), 1)
    left = await find_left(database, "zanzibar") + await find_left(database, "user:ann")
    assert left == []
    active = await Adapters(database).find_active()
    assert (active and active.name, (await Adapters(database).get("night-1-used")).state) == (
        "night-0-clean",
        "rejected",
    )
    assert [path.name for path in (tmp_path / "adapters").iterdir()] == ["night-0-clean"]
    assert not job.exists()
    assert [pair.question for pair in await Runs(database).find_pairs(run.id)] == ["Lunch?"]
    stored = await database.fetch_dicts(b"SELECT receipt FROM forget_receipts")
    assert stored == [
        {"receipt": {key: value for key, value in asdict(receipt).items() if key != "number"} | {"folders_left": []}}
    ]


async def test_a_rebuild_waits_for_the_next_night_which_trains_without_the_person(
    database: Database, model_server: ModelServer, tmp_path: Path
) -> None:
    await log_two_people(database)
    runs, run = Runs(database), await run_collection(database)
    await runs.finish(run.id, "done")
    assert await runs.has_night(NOON.date())
    await make_adapter(database, tmp_path, "night-1-used", run.id)
    receipt = await forget_ann(database, model_server, tmp_path)
    assert (receipt.serving, await runs.has_night(NOON.date())) == ("base", False)
    again = await run_collection(database)
    assert again.counts["fates"] == {"held_out": 1} or again.counts["fates"] == {"trained": 1}
    await runs.finish(again.id, "done")
    assert await runs.has_night(NOON.date())
    assert await database.fetch_dicts(b"SELECT run_id FROM rebuilds") == [{"run_id": again.id}]


async def test_forgetting_somebody_unknown_touches_nothing(
    database: Database, model_server: ModelServer, tmp_path: Path
) -> None:
    await make_adapter(database, tmp_path, "night-0-clean")
    receipt = await forget_ann(database, model_server, tmp_path)
    assert (receipt.adapters, receipt.pairs, receipt.rebuild, receipt.serving) == ([], 0, None, None)
    active = await Adapters(database).find_active()
    assert active and active.name == "night-0-clean"


async def test_what_the_person_wrote_into_a_pair_of_others_goes_and_a_verdict_stays_without_the_name(
    database: Database, model_server: ModelServer, tmp_path: Path
) -> None:
    lunch = await log_answer(database, "Lunch?", [make_passage("lunch", 4)], "perhaps for long")
    await database.execute(b"UPDATE interactions SET asker = 'user:bo' WHERE id = %s", [lunch])
    await vote(database, lunch, "user:bo", -1, "The company grants 4 days.")
    await run_collection(database)
    rows = await database.fetch_dicts(b"SELECT id FROM pairs")
    review = b"INSERT INTO pair_reviews (pair_id, verdict, chosen, reviewer) VALUES (%s, %s, %s, 'user:ann')"
    await database.execute(review, [rows[0]["id"], "approve", None])
    await database.execute(review, [rows[0]["id"], "edit", "The company grants 4 days of zanzibar, kim@rival.co.kr."])
    run = await run_collection(database)
    assert [pair.chosen for pair in await Runs(database).find_pairs(run.id)] == [
        "The company grants 4 days of zanzibar, (e-mail)."
    ]
    await make_adapter(database, tmp_path, "night-1-used", run.id)
    receipt = await forget_ann(database, model_server, tmp_path)
    assert (receipt.pairs, receipt.adapters) == (1, ["night-1-used"])
    assert await find_left(database, "zanzibar") + await find_left(database, "user:ann") == []
    reviews = await database.fetch_dicts(b"SELECT verdict, reviewer FROM pair_reviews")
    assert reviews == [{"verdict": "approve", "reviewer": "erased"}]


async def test_weights_that_the_model_server_holds_go_when_somebody_is_forgotten_again(
    database: Database, model_server: ModelServer, tmp_path: Path
) -> None:
    await log_two_people(database)
    run = await run_collection(database)
    await make_adapter(database, tmp_path, "night-1-used", run.id)
    away = ModelServer("http://127.0.0.1:9", "base")
    receipt = await forget_ann(database, away, tmp_path)
    assert (receipt.serving, receipt.folders_left) == ("base", ("night-1-used",))
    await away.close()
    again = await forget_ann(database, model_server, tmp_path)
    assert (again.number, again.folders_left) == (None, ())
    assert list((tmp_path / "adapters").iterdir()) == []


async def test_what_was_baked_on_top_of_their_words_goes_with_them(
    database: Database, model_server: ModelServer, tmp_path: Path
) -> None:
    await log_two_people(database)
    run = await run_collection(database)
    await make_adapter(database, tmp_path, "bake-0-clean", made_from="night-0-other")
    await make_adapter(database, tmp_path, "night-1-used", run.id)
    await make_adapter(database, tmp_path, "bake-1-on-top", made_from="night-1-used")
    receipt = await forget_ann(database, model_server, tmp_path)
    assert (receipt.adapters, receipt.serving) == (["bake-1-on-top", "night-1-used"], "bake-0-clean")
    assert [path.name for path in (tmp_path / "adapters").iterdir()] == ["bake-0-clean"]


async def test_a_reviewer_of_exercises_is_forgotten_and_what_they_said_counts(
    database: Database, model_server: ModelServer, tmp_path: Path
) -> None:
    await fill(database)
    maker = build_maker(database, Wanted(("definition",), 1))
    await maker.make(await read_sections(database), on_try=lambda _: None)
    for person in ("user:ann", "user:bo"):
        await database.execute(SAY_YES, [person])
    await forget_ann(database, model_server, tmp_path)
    assert await find_left(database, "user:ann") == []
    (exercise,) = await Exercises(database, reviewers=2).find()
    assert (exercise.state, exercise.accepts) == ("accepted", 2)
