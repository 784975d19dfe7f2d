"""The model server as a judge and as a scorer of options, over a real tiny model and over words that can be counted."""

import math
from pathlib import Path

import pytest

from core.errors import ModelServerError
from core.model_server import ModelServer
from core.prompt import Message
from learning.exams.four_choice import choose_likeliest
from learning.exams.geval import choose_side, weigh_points
from learning.exams.grader import ServerGrader, score_options
from tests.fakes.model_server import FakeModelServer, run_model_server
from tests.fakes.vllm import FakeVllm
from tests.ports import find_free_port

ASKED: list[Message] = [{"role": "system", "content": "Answer."}, {"role": "user", "content": "When does it leave?"}]


async def test_an_option_is_as_likely_as_the_server_says_of_that_token(base_model: Path) -> None:
    async with FakeVllm(base_model).running() as url:
        server = ModelServer(url, "base")
        next_tokens = await server.find_next_tokens(ASKED)
        words = [token for token in next_tokens if token.isascii() and token.isalnum()]
        scored = await score_options(server, ASKED, words)
        longer = await score_options(server, ASKED, [f"{word} o'clock" for word in words])
        await server.close()
    assert words, next_tokens
    assert [one.logprob for one in scored] == pytest.approx([next_tokens[word] for word in words], abs=1e-4)
    assert {(one.tokens, one.characters) for one in scored} == {(1, len(word)) for word in words}
    assert all(long.tokens > 1 and long.logprob < short.logprob for long, short in zip(longer, scored, strict=True))


async def test_the_words_of_the_question_count_for_no_option() -> None:
    fake = FakeModelServer(likes={"at": -1.0, "07:50": -0.25, "noon": -2.0, "leave?": -40.0})
    async with run_model_server(fake) as running:
        server = ModelServer(running.url, "base")
        scored = await score_options(server, ASKED, ["at 07:50", "at noon", "never at all"])
        await server.close()
    assert [(one.logprob, one.tokens, one.characters) for one in scored] == [
        (-1.25, 2, 8), (-3.0, 2, 7), (-11.0, 3, 12),
    ]  # fmt: skip
    assert choose_likeliest(scored) == 0


async def test_a_judges_words_are_read_from_the_server() -> None:
    fake = FakeModelServer(next_tokens={"4": math.log(0.5), "5": math.log(0.3), "A": math.log(0.1)})
    async with run_model_server(fake) as running:
        server = ModelServer(running.url, "base")
        grader = ServerGrader(server, model="judge-1")
        found = weigh_points(await grader.find_next(ASKED))
        side = choose_side(await grader.find_next(ASKED))
        fake.answer = "1. Look it up."
        assert await grader.write(ASKED) == "1. Look it up."
        await server.close()
    assert found is not None and found.points == pytest.approx((4 * 0.5 + 5 * 0.3) / 0.8)
    assert side is None, "a letter with a tenth of the probability is no choice"
    assert (grader.requests, {one["model"] for one in fake.requests}) == (3, {"judge-1"})
    assert fake.requests[0] | {"messages": []} == {
        "model": "judge-1", "messages": [], "max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": 20,
    }  # fmt: skip


async def test_a_server_that_is_away_is_said_so() -> None:
    server = ModelServer(f"http://127.0.0.1:{find_free_port()}", "base")
    with pytest.raises(ModelServerError, match="is away"):
        await score_options(server, ASKED, ["at noon"])
    await server.close()
