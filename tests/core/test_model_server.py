"""The client of the model server: streams, stops, tries again only what is safe, and fails with advice."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.errors import ModelServerError
from core.model_server import Generation, ModelServer, Sampling
from core.prompt import Message
from tests.fakes.model_server import FakeModelServer, run_model_server
from tests.ports import find_free_port

ASKED: list[Message] = [{"role": "user", "content": "How many days?"}]


@dataclass
class Failing(FakeModelServer):
    """Answers with an error status to the first requests."""

    failures: int = 1
    status: int = 500

    async def chat(self, request: web.Request) -> web.StreamResponse:
        if len(self.requests) < self.failures:
            self.requests.append(await request.json())
            return web.json_response({"error": "busy"}, status=self.status)
        return await super().chat(request)


@dataclass
class Endless(FakeModelServer):
    """Speaks until nobody listens; aiohttp then cancels the handler."""

    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            while not self.woken.is_set():
                await response.write(b'data: {"choices": [{"delta": {"content": "la "}, "finish_reason": null}]}\n\n')
                await asyncio.sleep(0.005)
        finally:
            self.left.set()
        return response


@asynccontextmanager
async def connect(fake: FakeModelServer | None = None, **options: Any) -> AsyncGenerator[tuple[ModelServer, Any]]:
    """A client of a fake server."""
    async with run_model_server(fake) as running:
        client = ModelServer(running.url, running.model, **options)
        try:
            yield client, running
        finally:
            await client.close()


@asynccontextmanager
async def connect_to(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncGenerator[ModelServer]:
    """A client of a server that treats every request alike."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        client = ModelServer(str(server.make_url("/")), "base")
        try:
            yield client
        finally:
            await client.close()


async def test_an_answer_comes_in_pieces() -> None:
    async with connect(FakeModelServer(answer="23 days. [1]")) as (client, _):
        pieces = [piece async for piece in client.stream(ASKED, generation=Generation())]
    assert pieces == ["23", " days.", " [1]"]


async def test_a_generation_counts_what_the_server_counted() -> None:
    async with connect(FakeModelServer(answer="23 days.")) as (client, _):
        generation = await client.complete(ASKED)
    assert (generation.text, generation.prompt_tokens, generation.completion_tokens, generation.finish_reason) == (
        "23 days.",
        100,
        12,
        "stop",
    )


async def test_the_first_token_comes_before_the_last() -> None:
    async with connect() as (client, _):
        generation = await client.complete(ASKED)
    assert generation.first_token_seconds and generation.seconds
    assert 0 < generation.first_token_seconds <= generation.seconds


async def test_an_adapter_is_asked_for_by_its_name() -> None:
    async with connect() as (client, fake):
        await client.complete(ASKED, adapter="night-1", sampling=Sampling(max_tokens=5, temperature=0.5, seed=7))
    (request,) = fake.requests
    chosen = {key: request[key] for key in ("model", "max_tokens", "temperature", "seed")}
    assert chosen == {"model": "night-1", "max_tokens": 5, "temperature": 0.5, "seed": 7}


async def test_closing_the_iterator_ends_the_generation_on_the_server() -> None:
    async with connect(Endless()) as (client, fake):
        stream = client.stream(ASKED, generation=Generation())
        assert await anext(stream) == "la "
        await stream.aclose()
        await asyncio.wait_for(fake.left.wait(), 10)


async def test_a_cancelled_caller_ends_the_generation_on_the_server() -> None:
    async with connect(Endless()) as (client, fake):
        begun = asyncio.Event()

        async def listen() -> None:
            async for _ in client.stream(ASKED, generation=Generation()):
                begun.set()

        task = asyncio.create_task(listen())
        await asyncio.wait_for(begun.wait(), 10)
        task.cancel()
        await asyncio.wait_for(fake.left.wait(), 10)


async def test_an_error_before_the_first_token_is_tried_again() -> None:
    async with connect(Failing(answer="23 days.", failures=1)) as (client, fake):
        generation = await client.complete(ASKED)
    assert (generation.text, len(fake.requests)) == ("23 days.", 2)


async def test_three_tries_are_enough() -> None:
    async with connect(FakeModelServer(behaviour="error")) as (client, fake):
        with pytest.raises(ModelServerError, match="answered 500"):
            await client.complete(ASKED)
    assert len(fake.requests) == 3


async def test_a_refused_request_is_not_repeated() -> None:
    async with connect(Failing(status=400)) as (client, fake):
        with pytest.raises(ModelServerError, match="answered 400"):
            await client.complete(ASKED)
    assert len(fake.requests) == 1


async def test_a_stream_that_breaks_midway_keeps_what_came_and_is_not_repeated() -> None:
    async with connect(FakeModelServer(answer="23 days.", behaviour="die")) as (client, fake):
        with pytest.raises(ModelServerError) as caught:
            await client.complete(ASKED)
    assert (caught.value.generated_text, len(fake.requests)) == ("23", 1)


async def test_a_stream_that_falls_silent_is_given_up() -> None:
    async with connect(FakeModelServer(answer="23 days.", behaviour="stall"), stall_seconds=0.2) as (client, _):
        with pytest.raises(ModelServerError, match="in time") as caught:
            await client.complete(ASKED)
    assert caught.value.generated_text == "23"


async def test_the_first_token_may_take_longer_than_a_silence() -> None:
    gate = asyncio.Semaphore(0)
    async with connect(FakeModelServer(answer="23", gate=gate), stall_seconds=0.01, timeout_seconds=30) as (client, _):
        asyncio.get_running_loop().call_later(0.2, gate.release)
        assert (await client.complete(ASKED)).text == "23"


async def test_an_answer_that_ends_without_its_end_is_no_answer() -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'data: {"choices": [{"delta": {"content": "23"}, "finish_reason": null}]}\n\n')
        return response

    async with connect_to(cut) as client:
        with pytest.raises(ModelServerError, match="midway") as caught:
            await client.complete(ASKED)
    assert caught.value.generated_text == "23"


async def test_an_error_event_in_the_stream_is_an_error() -> None:
    async def break_down(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'data: {"choices": [{"delta": {"content": "23"}, "finish_reason": null}]}\n\n')
        await response.write(b'data: {"error": {"message": "engine dead"}}\n\n')
        return response

    async with connect_to(break_down) as client:
        with pytest.raises(ModelServerError, match="engine dead") as caught:
            await client.complete(ASKED)
    assert caught.value.generated_text == "23"


@pytest.mark.parametrize(
    "body", ["<html>It works!</html>", "data: {\n\n", '{"object": "list"}', "[1]", "data: {}\n\n", "data: 7\n\n"]
)
async def test_a_server_that_speaks_something_else_is_an_error_with_its_address(body: str) -> None:
    async def speak(_: web.Request) -> web.Response:
        return web.Response(text=body)

    async with connect_to(speak) as client:
        with pytest.raises(ModelServerError):
            await client.complete(ASKED)
        with pytest.raises(ModelServerError, match=client.url):
            await client.find_models()
        assert not await client.is_healthy()


async def test_a_server_that_is_away_is_named() -> None:
    client = ModelServer(f"http://127.0.0.1:{find_free_port()}", "base")
    with pytest.raises(ModelServerError, match=f"the model server at {client.url} is away"):
        await client.find_models()
    assert not await client.is_healthy()
    await client.close()


async def test_a_server_without_the_base_model_is_not_healthy() -> None:
    async with connect(FakeModelServer(model="other")) as (client, _):
        assert await client.is_healthy()
        client.model = "base"
        assert not await client.is_healthy()


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
async def test_the_address_may_end_in_its_version(ending: str) -> None:
    async with run_model_server() as fake:
        client = ModelServer(fake.url + ending, fake.model)
        assert await client.is_healthy()
        await client.close()


async def test_the_key_goes_with_every_request() -> None:
    seen: list[str | None] = []

    async def remember(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.json_response({"data": []})

    async with connect_to(remember) as bare:
        client = ModelServer(bare.url, "base", api_key="hunter2")
        await client.find_models()
        await client.close()
    assert seen == ["Bearer hunter2"]


async def test_tokens_are_scored_by_the_served_weights() -> None:
    asked: list[dict[str, Any]] = []

    async def score(request: web.Request) -> web.Response:
        asked.append(await request.json())
        # vLLM adds the likeliest token where the given one is not it.
        positions = [None, {"5": {"logprob": -0.5}}, {"6": {"logprob": -2.25}, "9": {"logprob": -0.1}}]
        return web.json_response({"choices": [{"prompt_logprobs": positions}]})

    async with connect_to(score) as client:
        assert await client.score_tokens([1, 5, 6], adapter="night-1") == [None, -0.5, -2.25]
    assert (asked[0]["model"], asked[0]["prompt"], asked[0]["prompt_logprobs"]) == ("night-1", [1, 5, 6], 0)


async def test_an_adapter_is_loaded_once_from_each_folder() -> None:
    """A state folder may have been moved, and the server must not go on with the old one."""
    async with connect() as (client, fake):
        for folder in ("/adapters/1", "/adapters/1", "/moved/1"):
            await client.load_adapter("night-1", folder)
        assert await client.find_models() == ["base", "night-1"]
    assert fake.adapters == {"night-1": "/moved/1"}


async def test_an_adapter_that_is_not_loaded_is_unloaded_without_a_word() -> None:
    async with connect() as (client, fake):
        await client.load_adapter("night-1", "/adapters/1")
        await client.unload_adapter("night-1")
        await client.unload_adapter("night-1")
    assert fake.adapters == {}
