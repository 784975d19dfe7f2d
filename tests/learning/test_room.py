"""One GPU for serving and training: the model rests, people are told, and it comes back proven."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.answer import Asked
from core.adapters import Adapters
from core.database import Database
from core.errors import ModelServerError, ProcessError
from core.interactions import Interaction, Interactions
from core.model_server import ModelServer
from core.rests import Rests
from core.serving import Serving
from learning.gpus import read_gpus
from learning.plan import Gpu, NoRoomError, Plan, Way
from learning.room import Room, RoomSettings, wake_abandoned
from learning.runs import Runs
from tests.bot.assistant import LEAVE, build_answerer
from tests.bot.recorded import ListSearch, RecordedReply
from tests.eventually import eventually
from tests.fakes.model_server import FakeModelServer, run_model_server
from tests.learning.log import log_run

QUESTION = "How many days of annual leave do employees have?"
SMI = """#!/bin/sh
cat {table}
"""
SeeGpus = Callable[..., None]


@pytest.fixture
def see_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SeeGpus:
    """Sets what `nvidia-smi` says: for each GPU the MiB that are free of 80 GiB."""
    table = tmp_path / "gpus.csv"
    command = tmp_path / "bin" / "nvidia-smi"
    command.parent.mkdir()
    command.write_text(SMI.format(table=table))
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")

    def see(*free: int) -> None:
        table.write_text("".join(f"{index}, 81920, {mib}\n" for index, mib in enumerate(free)))

    see()
    return see


@pytest.fixture
async def fake() -> AsyncIterator[FakeModelServer]:
    async with run_model_server(FakeModelServer(sleep_mode=True)) as fake:
        yield fake


@pytest.fixture
async def client(fake: FakeModelServer) -> AsyncIterator[ModelServer]:
    client = ModelServer(fake.url, fake.model)
    yield client
    await client.close()


def build_room(database: Database, client: ModelServer, **settings: object) -> Room:
    adapters = Adapters(database)
    serving = Serving(adapters=adapters, model_server=client)
    room = RoomSettings(need=30, **settings)  # type: ignore[arg-type]
    return Room(database, serving, client, room, settle_seconds=0)


def make_plan(way: Way, gpus: tuple[int, ...] = (0,)) -> Plan:
    return Plan(way, gpus, 30, 3600)


async def ask(database: Database, client: ModelServer) -> Interaction:
    """One question, as it was stored with its answer."""
    answerer = build_answerer(database, ListSearch(LEAVE), client, is_resting=Rests(database).is_resting)
    finished = await answerer.answer(Asked("web", "c1", "user:ann", ["everyone"], QUESTION), RecordedReply())
    return await Interactions(database).get(finished.interaction_id)


async def test_a_machine_without_the_command_has_no_gpu(see_gpus: SeeGpus, monkeypatch: pytest.MonkeyPatch) -> None:
    see_gpus(1024, 81920)
    seen = await read_gpus()
    monkeypatch.setenv("PATH", "/nowhere")
    assert (seen, await read_gpus()) == ([Gpu(0, 80, 1), Gpu(1, 80, 80)], [])


async def test_a_full_gpu_is_made_free_by_sleep_where_the_server_has_it(
    database: Database, client: ModelServer, fake: FakeModelServer, see_gpus: SeeGpus
) -> None:
    see_gpus(2048)
    room = build_room(database, client)
    assert await room.plan("model", most_seconds=3600) == make_plan("sleep")
    fake.sleep_mode = False
    with pytest.raises(NoRoomError, match="GPU 0: 2 of 80 GiB free"):
        await room.plan("model", most_seconds=3600)


async def test_a_cpu_is_shared(database: Database, client: ModelServer, see_gpus: SeeGpus) -> None:
    assert await build_room(database, client).plan("model", most_seconds=60) == Plan("beside", (), 30, 60)


async def test_while_the_model_sleeps_answers_are_quoted_and_say_why(
    database: Database, client: ModelServer, fake: FakeModelServer, see_gpus: SeeGpus
) -> None:
    room = build_room(database, client)
    await room.make(make_plan("sleep"), run_id=await log_run(database))
    resting = await ask(database, client)
    assert (resting.mode, resting.mode_reason, fake.requests) == ("quoted", "quoted_resting", [])
    assert fake.sleeps == ["level=1&mode=wait"]
    await room.give_back()
    awake = await ask(database, client)
    assert (awake.mode, awake.mode_reason, fake.is_asleep) == ("generated", None, False)


@pytest.mark.parametrize("way", ["beside", "second"])
async def test_a_model_that_need_not_rest_answers_on(
    database: Database, client: ModelServer, fake: FakeModelServer, see_gpus: SeeGpus, way: Way
) -> None:
    await build_room(database, client).make(make_plan(way), run_id=1)
    assert (await ask(database, client)).mode == "generated"
    assert fake.sleeps == []


async def test_an_answer_under_way_ends_with_the_model(
    database: Database, client: ModelServer, fake: FakeModelServer, see_gpus: SeeGpus
) -> None:
    fake.gate = asyncio.Semaphore(1)
    asked = asyncio.create_task(ask(database, client))

    async def has_begun() -> bool:
        return bool(fake.requests)

    await eventually(has_begun)
    await build_room(database, client).make(make_plan("sleep"), run_id=await log_run(database))
    for _ in fake.pieces():
        fake.gate.release()
    assert (await asked).mode == "generated"


async def test_a_server_that_sleeps_without_letting_go_is_woken_and_nothing_is_trained(
    database: Database, client: ModelServer, fake: FakeModelServer, see_gpus: SeeGpus
) -> None:
    see_gpus(2048)
    with pytest.raises(NoRoomError, match=r"expected 30 GiB free while the model rests \(sleep\), got 2 GiB"):
        await build_room(database, client).make(make_plan("sleep"), run_id=await log_run(database))
    assert (fake.is_asleep, await Rests(database).find()) == (False, None)


async def test_a_night_that_was_killed_while_the_model_slept_goes_on_and_wakes_it(
    database: Database, client: ModelServer, fake: FakeModelServer, see_gpus: SeeGpus
) -> None:
    run_id = await log_run(database)
    await build_room(database, client).make(make_plan("sleep"), run_id=run_id)
    again = build_room(database, client)
    see_gpus(60_000)
    plan = await again.plan("model", most_seconds=3600)
    await again.make(plan, run_id=run_id)
    assert (plan.way, len(fake.sleeps), fake.is_asleep) == ("sleep", 1, True)
    await again.give_back()
    await again.give_back()
    assert (fake.is_asleep, await Rests(database).find()) == (False, None)


async def test_a_model_that_nobody_comes_back_for_is_woken_unless_a_night_is_at_work(
    database: Database, client: ModelServer, fake: FakeModelServer, see_gpus: SeeGpus
) -> None:
    room = build_room(database, client)
    await room.make(make_plan("sleep"), run_id=await log_run(database))
    async with Runs(database).lock():
        await wake_abandoned(database, room)
        assert fake.is_asleep
    await wake_abandoned(database, room)
    assert not fake.is_asleep


async def test_a_rest_whose_night_is_gone_is_not_believed_for_ever(database: Database, client: ModelServer) -> None:
    over = datetime.now(UTC) - timedelta(seconds=1)
    await Rests(database).begin(run_id=None, way="sleep", ends_by=over)
    assert not await Rests(database).is_resting()


async def test_what_was_served_is_loaded_anew_after_a_sleep(
    database: Database, client: ModelServer, fake: FakeModelServer, see_gpus: SeeGpus
) -> None:
    room, adapters = build_room(database, client), Adapters(database)
    await adapters.register(name="night-1", folder="/a/1", base_model="base", sha256="0", manifest={})
    await Serving(adapters=adapters, model_server=client).promote("night-1", by="test", reason="x")
    await room.make(make_plan("sleep"), run_id=await log_run(database))
    fake.adapters["night-1"] = "/lost"
    await room.give_back()
    assert fake.adapters == {"night-1": "/a/1"}


async def test_a_server_is_stopped_and_started_by_the_administrators_commands(
    database: Database, client: ModelServer, tmp_path: Path, see_gpus: SeeGpus
) -> None:
    log = tmp_path / "commands"
    stop, start = (f"{sys.executable} -c \"open('{log}', 'a').write('{word} ')\"" for word in ("stop", "start"))
    room = build_room(database, client, wish="restart", stop_command=stop, start_command=start)
    see_gpus(60_000)
    plan = await room.plan("model", most_seconds=3600)
    await room.make(plan, run_id=await log_run(database))
    assert (plan.way, log.read_text()) == ("restart", "stop ")
    # This server never went away, so nothing has to be started.
    await room.give_back()
    assert (log.read_text(), await Rests(database).find()) == ("stop ", None)


async def test_a_command_that_fails_is_named(database: Database, client: ModelServer, see_gpus: SeeGpus) -> None:
    room = build_room(database, client, stop_command="false --now", start_command="true")
    with pytest.raises(ProcessError, match="'false' ended with code 1"):
        await room.make(make_plan("restart"), run_id=await log_run(database))


async def test_a_server_without_sleep_mode_cannot_be_put_to_sleep(client: ModelServer, fake: FakeModelServer) -> None:
    fake.sleep_mode = False
    assert await client.is_sleeping() is None
    with pytest.raises(ModelServerError):
        await client.sleep()
