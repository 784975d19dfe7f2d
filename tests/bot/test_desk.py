"""Admins decide: once for a click, held against what is served now, and with a row in the audit log."""

from collections.abc import AsyncIterator

import pytest

from bot.desk import Act, Desk
from core.adapters import Adapters
from core.database import Database
from core.errors import NotFoundError
from core.model_server import ModelServer
from core.pauses import Pauses
from core.serving import Serving
from tests.bot.nights import finish_night
from tests.fakes.model_server import FakeModelServer

ANN = "slack:T0HOME:U0ANN"


class Parts:
    """A desk over the fake model server."""

    def __init__(self, database: Database, model_server: ModelServer) -> None:
        self.database = database
        self.adapters = Adapters(database)
        self.desk = Desk(database, Serving(adapters=self.adapters, model_server=model_server))

    async def decide(self, act: Act, run_id: int, *, click: int = 1) -> str:
        return (await self.desk.decide(act, run_id=run_id, by=ANN, event_key=f"inbox {click}")).outcome

    async def find_served(self) -> str | None:
        active = await self.adapters.find_active()
        return active.name if active else None

    async def find_acts(self) -> list[str]:
        rows = await self.database.fetch_dicts(b"SELECT actor, act, subject FROM audit WHERE actor <> 'nightbake'")
        return [f"{row['act']} {row['subject']}" for row in rows if row["actor"] == ANN]


@pytest.fixture
async def parts(database: Database, chat_model: FakeModelServer) -> AsyncIterator[Parts]:
    model_server = ModelServer(chat_model.url, chat_model.model)
    yield Parts(database, model_server)
    await model_server.close()


async def test_an_approved_candidate_is_served_and_audited(parts: Parts) -> None:
    run_id = await finish_night(parts.database)
    assert (await parts.desk.get_night(run_id)).find_acts() == ["approve", "pause"]
    assert (await parts.decide("approve", run_id), await parts.find_served()) == ("done", "night-1")
    assert await parts.find_acts() == ["promote night-1"]


async def test_the_same_click_again_is_done_and_changes_nothing(parts: Parts) -> None:
    run_id = await finish_night(parts.database)
    outcomes = [await parts.decide("approve", run_id) for _ in range(2)]
    assert (outcomes, await parts.find_acts()) == (["done", "done"], ["promote night-1"])


async def test_another_click_on_what_is_served_says_so(parts: Parts) -> None:
    run_id = await finish_night(parts.database)
    outcomes = [await parts.decide("approve", run_id, click=click) for click in (1, 2)]
    assert (outcomes, await parts.find_acts()) == (["done", "is_served"], ["promote night-1"])


async def test_what_was_served_before_answers_again(parts: Parts) -> None:
    run_id = await finish_night(parts.database, served=True)
    assert (await parts.desk.get_night(run_id)).find_acts() == ["roll_back", "pause"]
    outcomes = [await parts.decide("roll_back", run_id, click=click) for click in (1, 1, 2)]
    assert (outcomes, await parts.find_served()) == (["done", "done", "is_not_served"], None)
    assert await parts.find_acts() == ["roll back base model"]


async def test_a_report_that_was_overtaken_approves_nothing(parts: Parts) -> None:
    old = await finish_night(parts.database)
    await finish_night(parts.database, "night-2")
    await parts.adapters.switch("night-2", by="user:bo", reason="promoted by hand")
    assert (await parts.decide("approve", old), await parts.find_served()) == ("was_overtaken", "night-2")
    assert await parts.find_acts() == []


async def test_what_the_gate_refused_is_not_approved_by_a_button(parts: Parts) -> None:
    run_id = await finish_night(parts.database, rejected=True)
    assert await parts.decide("approve", run_id) == "is_rejected"


async def test_a_model_server_that_is_away_changes_nothing(database: Database) -> None:
    away = ModelServer("http://127.0.0.1:9", "base")
    parts = Parts(database, away)
    run_id = await finish_night(database)
    decision = await parts.desk.decide("approve", run_id=run_id, by=ANN, event_key="inbox 1")
    await away.close()
    assert (decision.outcome, bool(decision.error), await parts.find_served()) == ("failed", True, None)


async def test_nights_are_paused_once_and_resumed(parts: Parts) -> None:
    run_id = await finish_night(parts.database)
    steps: list[tuple[Act, int]] = [("resume", 1), ("pause", 2), ("pause", 2), ("pause", 3)]
    outcomes = [await parts.decide(act, run_id, click=click) for act, click in steps]
    assert outcomes == ["is_running", "done", "done", "is_paused"]
    assert await Pauses(parts.database).is_paused()
    assert (await parts.desk.get_night(run_id)).find_acts() == ["approve", "resume"]
    assert await parts.find_acts() == ["pause nights nights"]


async def test_a_night_that_is_not_there_is_said(parts: Parts) -> None:
    with pytest.raises(NotFoundError):
        await parts.decide("pause", 4711)


async def test_a_refusal_is_audited(parts: Parts) -> None:
    await parts.desk.record_refusal("roll_back", run_id=7, by=ANN)
    assert await parts.find_acts() == ["refused: roll back night 7"]
