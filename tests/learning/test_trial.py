"""A trial on a real database: who is answered by what, and how votes or the clock end it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.adapters import Adapters
from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.model_server import ModelServer
from core.pauses import Pauses
from core.records import Feedback, Outcome, Question, Vote
from core.serving import Serving
from learning.runs import Runs
from learning.trial import TrialWatch
from tests.fakes.model_server import FakeModelServer, run_model_server

HOURS = 20.0


class House:
    """What a trial needs, and what people do meanwhile."""

    def __init__(self, database: Database, client: ModelServer, fake: FakeModelServer) -> None:
        self.database, self.fake = database, fake
        self.adapters = Adapters(database)
        self.serving = Serving(adapters=self.adapters, model_server=client)
        self._interactions = Interactions(database)
        self._votes = FeedbackLog(database)

    async def begin(self, conversation: str) -> tuple[int, str | None]:
        begun = await self._interactions.begin(Question("web", conversation, "user:ann", ["everyone"], "Why?", "en"))
        return begun.id, begun.adapter

    async def ask(self, adapter: str | None, *, person: str, value: Vote, conversation: str = "c") -> None:
        """An answer by this adapter, and a vote on it."""
        begun, _ = await self.begin(conversation)
        outcome = Outcome(begun, "So.", "generated", model="base", adapter=adapter, generated="So.")
        await self._interactions.finish(outcome)
        await self._votes.record(Feedback(begun, person, value, "web"))

    async def dislike(self, count: int) -> None:
        """So many people dislike the trial's answers, and as many like the others'."""
        for number in range(count):
            await self.ask("night-1", person=f"user:{number}", value=1)
            await self.ask("night-2", person=f"user:{number}", value=-1)

    async def turn(self, *, hours: float = 1.0) -> None:
        """One look of the watch, so many hours after now."""
        clock = datetime.now(UTC) + timedelta(hours=hours)
        await TrialWatch(self.database, self.serving, hours=HOURS, clock=lambda: clock).turn()

    async def find_states(self) -> dict[str, str]:
        return {one.name: one.state for one in await self.adapters.find_all()}


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """night-1 is served, and night-2 is tried out on half of the conversations."""
    async with run_model_server() as fake:
        client = ModelServer(fake.url, fake.model)
        house = House(database, client, fake)
        for name in ("night-1", "night-2"):
            await house.adapters.register(name=name, folder=f"/a/{name}", base_model="base", sha256="0", manifest={})
        await house.serving.promote("night-1", by="test", reason="first")
        await house.serving.try_out("night-2", share=0.5, by="test", reason="better")
        yield house
        await client.close()


async def log_night(database: Database, adapter: str) -> int:
    """A finished night that trained this adapter."""
    runs, now = Runs(database), datetime.now(UTC)
    run = await runs.begin(night=now.date(), requested_by="test", window_from=now - timedelta(days=1), window_to=now)
    assert run
    gate: dict[str, Any] = {"verdict": "promote", "reason": "better", "checks": [], "significance": 0.05}
    gate["facts"] = {"wins": 20, "losses": 2, "used": 15, "named": []}
    await runs.update(run.id, adapter=adapter, gate=gate)
    await runs.finish(run.id, "done", reason="on_trial")
    return run.id


async def test_a_share_of_the_conversations_is_answered_by_the_trial_and_stays_with_it(house: House) -> None:
    chosen = [(await house.begin(f"c{number}"))[1] for number in range(200)]
    again = [(await house.begin(f"c{number}"))[1] for number in range(200)]
    assert chosen == again
    assert 70 <= chosen.count("night-2") <= 130 and set(chosen) == {"night-1", "night-2"}


async def test_both_are_loaded_and_the_trial_is_named_as_such(house: House) -> None:
    assert set(house.fake.adapters) == {"night-1", "night-2"}
    assert await house.find_states() == {"night-1": "active", "night-2": "trial"}


async def test_a_trial_that_people_dislike_is_taken_back_at_once_and_for_good(house: House) -> None:
    await house.dislike(12)
    await house.turn()
    assert await house.find_states() == {"night-1": "active", "night-2": "rejected"}
    assert {(await house.begin(f"c{number}"))[1] for number in range(20)} == {"night-1"}
    assert await house.serving.roll_back(by="user:ann") is None


async def test_one_person_who_votes_often_is_no_crowd(house: House) -> None:
    for _ in range(12):
        await house.ask("night-1", person="user:ann", value=1)
        await house.ask("night-2", person="user:ann", value=-1)
    await house.turn()
    assert (await house.find_states())["night-2"] == "trial"


async def test_votes_on_answers_from_before_the_trial_do_not_count(house: House) -> None:
    await house.dislike(12)
    await house.serving.promote("night-1", by="test", reason="again")
    await house.serving.try_out("night-2", share=0.5, by="test", reason="again")
    await house.turn()
    assert (await house.find_states())["night-2"] == "trial"


async def test_a_trial_without_harm_serves_everybody_when_its_time_is_over(house: House) -> None:
    await house.turn(hours=HOURS - 1)
    assert (await house.find_states())["night-2"] == "trial"
    await house.turn(hours=HOURS + 1)
    assert await house.find_states() == {"night-1": "retired", "night-2": "active"}
    assert await house.serving.roll_back(by="user:ann") == "night-1"


async def test_nobody_is_promoted_while_nights_are_paused(house: House) -> None:
    await Pauses(house.database).set(True, by="user:ann")
    await house.turn(hours=HOURS + 1)
    assert (await house.find_states())["night-2"] == "trial"


@pytest.mark.parametrize(
    ("disliked", "state", "reason", "words"),
    [(0, "done", "trial_passed", "no harm was found"), (12, "refused", "trial_harmful", "taken back at once")],
)
async def test_the_report_of_the_night_tells_how_the_trial_ended(
    house: House, disliked: int, state: str, reason: str, words: str
) -> None:
    run_id = await log_night(house.database, "night-2")
    await house.dislike(disliked)
    await house.turn(hours=HOURS + 1)
    run = await Runs(house.database).get(run_id)
    assert (run.state, run.reason, (run.trial or {})["trial_votes"]) == (state, reason, disliked)
    assert words in (await Runs(house.database).get_report(run_id)).markdown


async def test_rolling_back_ends_a_trial_and_keeps_what_it_was_tried_beside(house: House) -> None:
    assert await house.serving.roll_back(by="user:ann") == "night-1"
    assert await house.find_states() == {"night-1": "active", "night-2": "candidate"}


async def test_who_promotes_meanwhile_is_not_overruled(house: House) -> None:
    served = await house.adapters.find_serving()
    assert served
    await house.serving.promote("night-2", by="user:ann", reason="I like it")
    ended = await house.serving.end_trial(served, promote=False, by="test", reason="late", facts={})
    assert (ended, (await house.find_states())["night-2"]) == (False, "active")
