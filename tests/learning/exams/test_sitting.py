"""One item asked each way: what the model is shown, and what is read of its answer."""

from collections.abc import AsyncIterator, Sequence

import pytest

from core.model_server import ModelServer
from core.prompt import SYSTEM, PromptPassage
from learning.exams.sitting import Help, Item, ask, list_orders
from tests.fakes.model_server import FakeModelServer, run_model_server

FERRY = Item("ferry", "en", "When does the ferry leave?", ("at 07:50", "at noon", "at 08:10", "never"), 0)
LIGHT = Item("light", "en", "Who mends the light?", ("Ann", "Bo", "Cy", "Di"), 2)


@pytest.fixture
async def fake() -> AsyncIterator[FakeModelServer]:
    async with run_model_server() as fake:
        yield fake


@pytest.fixture
async def server(fake: FakeModelServer) -> AsyncIterator[ModelServer]:
    server = ModelServer(fake.url, "base")
    yield server
    await server.close()


def point_at(option: str):
    """Answers with the letter in whose line the option stands."""

    def answer(messages: list[dict[str, str]]) -> str:
        line = next(line for line in messages[-1]["content"].split("\n") if line.endswith(f") {option}"))
        return f"{line[0]})"

    return answer


async def test_by_letter_the_right_option_is_right_wherever_it_stands(
    fake: FakeModelServer, server: ModelServer
) -> None:
    fake.answers = point_at("at 07:50")
    sat = [await ask(server, Help("base"), FERRY, order, "generation") for order in list_orders(FERRY, "generation")]
    assert [one.choice.is_right for one in sat] == [True] * 4
    assert {one.choice.right for one in sat} == {0, 1, 2, 3}
    assert (sat[0].prompt_tokens, sat[0].completion_tokens) == (100, 12)
    fake.answers = point_at("never")
    assert not (await ask(server, Help("base"), FERRY, (3, 0, 1, 2), "generation")).choice.is_right
    fake.answers, fake.answer = None, "It leaves early."
    assert (await ask(server, Help("base"), FERRY, (3, 0, 1, 2), "generation")).choice.chosen is None


async def test_by_likelihood_options_are_weighed_and_not_shown(fake: FakeModelServer, server: ModelServer) -> None:
    fake.likes = {"never": -0.1}
    (order,) = list_orders(FERRY, "likelihood")
    sat = await ask(server, Help("base", adapter="night-1"), FERRY, order, "likelihood")
    assert sat.choice.chosen is not None and FERRY.options[order[sat.choice.chosen]] == "never"
    assert (fake.requests, "07:50" in fake.words, "<assistant>" in fake.words) == ([], True, True)


async def test_each_way_is_shown_its_own_help(fake: FakeModelServer, server: ModelServer) -> None:
    asked: list[tuple[str, Sequence[str]]] = []

    async def find(question: str, principals: Sequence[str]) -> list[PromptPassage]:
        asked.append((question, principals))
        return [PromptPassage("Ferry", "", "It leaves at 07:50.")]

    fake.answer = "A"
    order = (0, 1, 2, 3)
    await ask(server, Help("few_shot", examples={"en": [LIGHT]}), FERRY, order, "generation")
    await ask(server, Help("sft", adapter="night-1", find_passages=find), FERRY, order, "generation")
    few_shot, rag = (request["messages"] for request in fake.requests)
    assert [turn["role"] for turn in few_shot] == ["system", "user", "assistant", "user"]
    letter = few_shot[2]["content"]
    assert f"{letter}) Cy" in few_shot[1]["content"] and "ferry" in few_shot[3]["content"]
    assert (rag[0]["content"], asked) == (SYSTEM, [(FERRY.question, ())])
    assert rag[1]["content"].startswith("[1] Ferry\nIt leaves at 07:50.") and "A) at 07:50" in rag[1]["content"]
    assert [request["model"] for request in fake.requests] == ["base", "night-1"]
