"""What is served changes by one row, only after the adapter is loaded, and the audit log says who did it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import web

from core.adapters import Adapters
from core.database import Database
from core.errors import ModelServerError, NotFoundError
from core.model_server import ModelServer
from core.serving import Serving
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
        yield Parts(Serving(database=database, adapters=adapters, model_server=client), adapters, fake, database)
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


async def test_a_model_server_gets_nothing_where_the_base_model_is_served(parts: Parts) -> None:
    await parts.serving.restore()
    assert parts.fake.adapters == {}
