"""What is served changes by one row, only after the adapter is loaded, and the audit log says who did it."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from core.adapters import Adapters
from core.database import Database
from core.errors import ModelServerError, NotFoundError
from core.interactions import Interactions
from core.model_server import ModelServer
from core.records import Outcome, Question
from core.serving import Serving
from core.weights import WEIGHTS, hash_file
from tests.fakes.model_server import FakeModelServer, run_model_server


@dataclass
class Refusing(FakeModelServer):
    """Loads nothing whose folder ends in `bad`."""

    async def load(self, request: web.Request) -> web.Response:
        if (await request.json())["lora_path"].endswith("bad"):
            return web.json_response({"message": "rank 64 is above 16"}, status=400)
        return await super().load(request)


@dataclass
class Parts:
    serving: Serving
    adapters: Adapters
    fake: FakeModelServer
    database: Database

    async def find_acts(self) -> list[str]:
        rows = await self.database.fetch_dicts(b"SELECT actor, act, subject FROM audit ORDER BY id")
        return [f"{row['actor']}: {row['act']} {row['subject']}" for row in rows]

    async def find_served(self) -> str | None:
        active = await self.adapters.find_active()
        return active.name if active else None


@pytest.fixture
async def parts(database: Database) -> AsyncIterator[Parts]:
    """A server that has loaded nothing, and three adapters of which the third cannot be loaded."""
    async with run_model_server(Refusing()) as fake:
        client, adapters = ModelServer(fake.url, fake.model), Adapters(database)
        for name, folder in (("night-1", "/a/1"), ("night-2", "/a/2"), ("night-3", "/a/bad")):
            await adapters.register(name=name, folder=folder, base_model="base", sha256="00", manifest={})
        yield Parts(Serving(adapters=adapters, model_server=client), adapters, fake, database)
        await client.close()


async def test_a_promoted_adapter_is_loaded_and_served(parts: Parts) -> None:
    await parts.serving.promote("night-1", by="user:ann", reason="better")
    assert (parts.fake.adapters, await parts.find_served()) == ({"night-1": "/a/1"}, "night-1")


async def test_the_old_adapter_stays_loaded_for_answers_under_way(parts: Parts) -> None:
    await parts.serving.promote("night-1", by="user:ann", reason="first")
    await parts.serving.promote("night-2", by="user:ann", reason="second")
    assert set(parts.fake.adapters) == {"night-1", "night-2"}


async def test_an_adapter_that_cannot_be_loaded_switches_nothing(parts: Parts) -> None:
    await parts.serving.promote("night-1", by="user:ann", reason="first")
    with pytest.raises(ModelServerError, match="rank 64 is above 16"):
        await parts.serving.promote("night-3", by="user:ann", reason="too large")
    assert await parts.find_served() == "night-1"
    assert await parts.find_acts() == ["user:ann: promote night-1"]


async def test_an_unknown_adapter_is_not_asked_of_the_server(parts: Parts) -> None:
    with pytest.raises(NotFoundError, match="no adapter named 'night-9'"):
        await parts.serving.promote("night-9", by="user:ann", reason="typo")
    assert parts.fake.adapters == {}


async def test_rolling_back_serves_what_was_served_before(parts: Parts) -> None:
    await parts.serving.promote("night-1", by="user:ann", reason="first")
    await parts.serving.promote("night-2", by="user:ann", reason="second")
    parts.fake.adapters.clear()
    assert await parts.serving.roll_back(by="user:bo") == "night-1"
    assert (parts.fake.adapters, await parts.find_served()) == ({"night-1": "/a/1"}, "night-1")


async def test_rolling_back_the_first_adapter_serves_the_base_model(parts: Parts) -> None:
    await parts.serving.promote("night-1", by="user:ann", reason="first")
    assert await parts.serving.roll_back(by="user:bo") is None
    assert await parts.find_served() is None


async def test_the_audit_log_says_who_did_what(parts: Parts) -> None:
    await parts.serving.promote("night-1", by="user:ann", reason="first")
    await parts.serving.roll_back(by="user:bo")
    await parts.serving.promote(None, by="schedule", reason="again")
    assert await parts.find_acts() == [
        "user:ann: promote night-1",
        "user:bo: roll back base model",
        "schedule: promote base model",
    ]


async def test_a_model_server_that_starts_again_gets_the_active_adapter(parts: Parts) -> None:
    await parts.serving.promote("night-1", by="user:ann", reason="first")
    await parts.serving.promote("night-2", by="user:ann", reason="second")
    parts.fake.adapters.clear()
    await parts.serving.restore()
    assert parts.fake.adapters == {"night-2": "/a/2"}


async def test_a_model_server_that_starts_again_gets_what_is_on_trial_too(parts: Parts) -> None:
    await parts.serving.promote("night-1", by="user:ann", reason="first")
    await parts.serving.try_out("night-2", share=0.1, by="user:ann", reason="second")
    parts.fake.adapters.clear()
    await parts.serving.restore()
    assert parts.fake.adapters == {"night-1": "/a/1", "night-2": "/a/2"}


async def test_one_lost_adapter_is_loaded_again_by_its_name(parts: Parts) -> None:
    await parts.serving.promote("night-1", by="user:ann", reason="first")
    await parts.serving.promote("night-2", by="user:ann", reason="second")
    parts.fake.adapters.clear()
    await parts.serving.restore("night-1")
    assert parts.fake.adapters == {"night-1": "/a/1"}


async def test_two_processes_that_load_the_same_adapter_at_once_both_succeed(parts: Parts) -> None:
    promotes = (parts.serving.promote("night-1", by=f"user:{name}", reason="first") for name in ("ann", "bo"))
    await asyncio.gather(*promotes)
    assert (parts.fake.adapters, await parts.find_served()) == ({"night-1": "/a/1"}, "night-1")


async def test_a_name_that_holds_another_folder_is_loaded_anew(parts: Parts) -> None:
    parts.fake.adapters["night-1"] = "/elsewhere/1"
    await parts.serving.promote("night-1", by="user:ann", reason="first")
    assert parts.fake.adapters == {"night-1": "/a/1"}


@pytest.mark.parametrize("behind", ["away", "bad"])
async def test_rolling_back_does_not_wait_for_a_server_that_is_away_or_refuses(parts: Parts, behind: str) -> None:
    await parts.adapters.switch("night-3", by="user:ann", reason="first")
    await parts.serving.promote("night-2", by="user:ann", reason="second")
    server = ModelServer("http://127.0.0.1:9", "base") if behind == "away" else ModelServer(parts.fake.url, "base")
    serving = Serving(adapters=parts.adapters, model_server=server)
    began = time.monotonic()
    assert await serving.roll_back(by="user:bo") == "night-3"
    await server.close()
    assert await parts.find_served() == "night-3"
    assert time.monotonic() - began < 10


async def test_rolling_back_passes_over_what_was_rejected_after_it_was_served(parts: Parts) -> None:
    await parts.serving.promote("night-1", by="user:ann", reason="first")
    await parts.serving.promote("night-2", by="user:ann", reason="second")
    await parts.adapters.reject("night-2", "harmful")
    await parts.serving.promote(None, by="user:ann", reason="away with it")
    assert await parts.serving.roll_back(by="user:bo") == "night-1"


async def begin(parts: Parts) -> int:
    """A question that is being answered by what is served."""
    begun = await Interactions(parts.database).begin(Question("web", "c", "user:ann", ["everyone"], "Why?", "en"))
    return begun.id


async def test_an_adapter_is_unloaded_when_nobody_needs_it_and_no_answer_is_under_way(parts: Parts) -> None:
    await parts.serving.promote("night-1", by="user:ann", reason="first")
    under_way = await begin(parts)
    await parts.serving.promote("night-2", by="user:ann", reason="second")
    await parts.serving.promote(None, by="user:ann", reason="third")
    assert await parts.serving.unload_old() == []
    await Interactions(parts.database).finish(Outcome(under_way, "So.", "generated", adapter="night-1"))
    assert await parts.serving.unload_old() == ["night-1"]
    assert parts.fake.adapters == {"night-2": "/a/2"}


async def test_a_folder_is_deleted_only_after_the_server_has_let_go(parts: Parts, tmp_path: Path) -> None:
    for number in (4, 5, 6):
        folder = tmp_path / f"night-{number}"
        folder.mkdir()
        (folder / WEIGHTS).write_bytes(b"")
        values = {"folder": str(folder), "base_model": "base", "sha256": hash_file(folder / WEIGHTS), "manifest": {}}
        await parts.adapters.register(name=folder.name, **values)
        await parts.serving.promote(folder.name, by="user:ann", reason="next")
    assert await parts.serving.delete_old(keep=0) == ["night-3", "night-2", "night-1"]
    assert await parts.serving.unload_old() == ["night-4"]
    assert (tmp_path / "night-4").exists()
    assert await parts.serving.delete_old(keep=0) == ["night-4"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["night-5", "night-6"]
    with pytest.raises(NotFoundError, match="the weights of 'night-4' were deleted"):
        await parts.serving.promote("night-4", by="user:ann", reason="again")


async def test_the_newest_folders_stay(parts: Parts) -> None:
    assert await parts.serving.delete_old(keep=3) == []


async def test_a_model_server_gets_nothing_where_the_base_model_is_served(parts: Parts) -> None:
    await parts.serving.restore()
    assert parts.fake.adapters == {}
