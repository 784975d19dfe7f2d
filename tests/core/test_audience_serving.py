"""An audience's adapter answers only where everyone who sees the answer belongs to it; everyone else has everyone's."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from core.adapters import Adapters
from core.database import Database
from core.errors import InvalidInputError
from core.interactions import Interactions
from core.model_server import ModelServer
from core.records import Question
from core.serving import Serving
from learning.audiences import Audience, Audiences
from tests.fakes.model_server import FakeModelServer, run_model_server

HR = ["everyone", "user:ann", "group:hr"]


@dataclass
class Parts:
    database: Database
    serving: Serving
    adapters: Adapters
    fake: FakeModelServer
    client: ModelServer

    async def ask(self, *principals: str) -> str | None:
        """Which adapter answers."""
        question = Question("web", "web:c", "user:ann", list(principals), "How many?", "en")
        return (await Interactions(self.database).begin(question)).adapter


@pytest.fixture
async def parts(database: Database) -> AsyncIterator[Parts]:
    """Two nights of everyone, one of two audiences each."""
    async with run_model_server(FakeModelServer()) as fake:
        client, adapters = ModelServer(fake.url, fake.model), Adapters(database)
        for name, audience in (
            ("night-1", "everyone"),
            ("night-2", "everyone"),
            ("hr-1", "group:hr"),
            ("hr-2", "group:hr"),
            ("board-1", "group:board"),
        ):
            await adapters.register(
                name=name, folder=f"/a/{name}", base_model="base", sha256="00", manifest={}, audience=audience
            )
        await Audiences(database).add("hr", "group:hr")
        await Audiences(database).add("board", "group:board")
        serving = Serving(adapters=adapters, model_server=client)
        yield Parts(database, serving, adapters, fake, client)
        await client.close()


async def promote(parts: Parts, *names: str) -> None:
    for name in names:
        await parts.serving.promote(name, by="user:ann", reason="better")


async def test_an_audience_is_answered_by_its_own_adapter_and_nobody_else_is(parts: Parts) -> None:
    await promote(parts, "night-1", "hr-1")
    assert await parts.ask(*HR) == "hr-1"
    assert await parts.ask("everyone", "user:bo") == "night-1"
    # Who is no employee may not be told what every employee may read, and what it was trained on.
    assert (await parts.ask("public"), await parts.ask()) == (None, None)
    assert await parts.ask("everyone", "!group:hr") == "night-1"


async def test_who_belongs_to_two_audiences_has_the_first_by_name(parts: Parts) -> None:
    await promote(parts, "night-1", "hr-1", "board-1")
    assert await parts.ask(*HR, "group:board") == "board-1"


async def test_an_audience_without_an_adapter_has_everyone_s(parts: Parts) -> None:
    await promote(parts, "night-1")
    active = await parts.adapters.find_active("group:hr")
    assert (await parts.ask(*HR), active and active.name) == ("night-1", "night-1")


async def test_a_rollback_of_an_audience_leaves_the_others(parts: Parts) -> None:
    await promote(parts, "night-1", "night-2", "hr-1", "hr-2")
    assert await parts.serving.roll_back(by="user:ann", audience="group:hr") == "hr-1"
    assert (await parts.ask(*HR), await parts.ask("everyone")) == ("hr-1", "night-2")
    assert await parts.serving.roll_back(by="user:ann") == "night-1"
    assert (await parts.ask(*HR), await parts.ask("everyone")) == ("hr-1", "night-1")


async def test_taking_an_audience_s_adapter_away_leaves_everyone_s(parts: Parts) -> None:
    await promote(parts, "night-1", "hr-1")
    await parts.serving.promote(None, by="user:ann", reason="worse", audience="group:hr")
    assert (await parts.ask(*HR), await parts.ask("everyone")) == ("night-1", "night-1")


async def test_a_removed_audience_has_everyone_s_from_the_next_question_on(parts: Parts) -> None:
    await promote(parts, "night-1", "hr-1")
    await Audiences(parts.database).remove("hr")
    assert await parts.ask(*HR) == "night-1"


async def test_a_restarted_model_server_holds_every_adapter_that_answers_and_no_other(parts: Parts) -> None:
    await promote(parts, "night-1", "night-2", "hr-1", "hr-2", "board-1")
    parts.fake.adapters.clear()
    await parts.serving.restore()
    assert set(parts.fake.adapters) == {"night-2", "hr-2", "board-1"}


async def test_what_answers_an_audience_and_what_did_before_stays_loaded(parts: Parts) -> None:
    await promote(parts, "night-1", "hr-1", "hr-2")
    await parts.client.load_adapter("board-1", "/a/board-1")
    assert await parts.serving.unload_old() == ["board-1"]
    assert set(parts.fake.adapters) == {"night-1", "hr-1", "hr-2"}


@pytest.mark.parametrize(
    ("name", "principal"),
    [("night", "group:it"), ("IT", "group:it"), ("it", "everyone"), ("it", "public"), ("it", "group:hr")],
)
async def test_what_is_no_audience_is_refused(parts: Parts, name: str, principal: str) -> None:
    with pytest.raises(InvalidInputError):
        await Audiences(parts.database).add(name, principal)
    assert Audience("it", principal) not in await Audiences(parts.database).find_own()
