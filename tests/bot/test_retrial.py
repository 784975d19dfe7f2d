"""A question asked again under changed circumstances reaches the model with that change and no other."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.compose import Composer, Limits
from bot.retrial import OTHER_WORDING, Retrial
from core.errors import ModelServerError
from core.model_server import ModelServer
from core.prompt import SYSTEM, PromptExample
from core.records import Outcome
from retrieval.memory import Remembered
from tests.bot.assistant import LEAVE, OneDocument
from tests.fakes.model_server import FakeModelServer, run_model_server

QUESTION = "How many days of leave?"
EXAMPLE = PromptExample("Is there a gym?", "Yes, in the cellar. [1]")


class NothingRemembered:
    async def find(self, question: str, principals: Sequence[str], *, adapter: str | None) -> list[Remembered]:
        return []


async def ask(fake: FakeModelServer, *principals: str, **changes: Any) -> Outcome:
    async with run_model_server(fake):
        server = ModelServer(fake.url, fake.model)
        retrial = Retrial(OneDocument(), Composer(server, Limits(examples=0)), NothingRemembered())
        try:
            return await retrial.ask(QUESTION, principals or ["everyone"], **{"adapter": None, **changes})
        finally:
            await server.close()


def read_turns(fake: FakeModelServer) -> list[str]:
    return [turn["content"] for turn in fake.requests[-1]["messages"]]


async def test_as_it_is_it_is_what_people_get() -> None:
    outcome = await ask(fake := FakeModelServer())
    assert (outcome.mode, outcome.prompt_tokens, [one.chunk_id for one in outcome.passages]) == ("generated", 100, [7])
    assert outcome.answer_seconds and outcome.answer_seconds > 0
    assert read_turns(fake)[0] == SYSTEM and len(read_turns(fake)) == 2


async def test_given_passages_stand_in_place_of_what_is_found() -> None:
    given = replace(LEAVE, chunk_id=9, text="Interns have 9 days.")
    await ask(fake := FakeModelServer(), passages=[given])
    assert "Interns have 9 days." in read_turns(fake)[-1] and LEAVE.text not in read_turns(fake)[-1]


@pytest.mark.parametrize(
    ("changes", "is_changed"),
    [
        ({"examples": [EXAMPLE]}, lambda turns: turns[1:3] == ["Question: Is there a gym?", EXAMPLE.answer]),
        ({"is_reworded": True}, lambda turns: turns[0] == OTHER_WORDING),
    ],
)
async def test_the_prompt_is_changed_as_asked(changes: dict[str, Any], is_changed: Callable[[list[str]], bool]) -> None:
    await ask(fake := FakeModelServer(), **changes)
    assert is_changed(read_turns(fake)) and LEAVE.text in read_turns(fake)[-1]


async def test_another_adapter_is_asked_by_its_name() -> None:
    await ask(fake := FakeModelServer(), adapter="night-1")
    assert fake.requests[-1]["model"] == "night-1"


async def test_who_may_read_nothing_is_refused_without_the_model() -> None:
    outcome = await ask(fake := FakeModelServer(), "group:board")
    assert (outcome.mode, outcome.passages, fake.requests) == ("refused", [], [])


async def test_a_quotation_in_place_of_an_answer_would_tell_nothing() -> None:
    with pytest.raises(ModelServerError, match="expected answers of the model server"):
        await ask(FakeModelServer(behaviour="error"))
