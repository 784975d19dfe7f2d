"""A small real server that speaks the streaming protocol of vLLM and fails on demand."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from aiohttp.test_utils import TestServer

Behaviour = Literal["answer", "stall", "die", "error"]


@dataclass
class FakeModelServer:
    """What to answer, and what was asked.

    Attributes:
        gate: where set, a stream waits for a permit before each piece, so that a test sees the pieces come.
        disconnects: streams that the client left before their end.
        sleep_mode: whether it was started with vLLM's; while it sleeps, requests wait.
        sleeps: the query of each request to sleep.
        answers: what to answer to messages; None answers `answer` to all.
        next_tokens: what is likely as an answer's first token, in nats; asked for by `logprobs`.
        likes: log-probability of a word wherever it stands; others have -5. Words are this server's tokens.
        behaviour: `stall` falls silent and `die` cuts the connection after the first piece; `error` answers 500.
    """

    model: str = "base"
    answer: str = "Employees have 23 days of annual leave. [1]"
    behaviour: Behaviour = "answer"
    gate: asyncio.Semaphore | None = None
    adapters: dict[str, str] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    disconnects: int = 0
    url: str = ""
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    sleep_mode: bool = False
    sleeps: list[str] = field(default_factory=list)
    is_asleep: bool = False
    awake: asyncio.Condition = field(default_factory=asyncio.Condition)
    answers: Callable[[list[dict[str, str]]], str] | None = None
    next_tokens: dict[str, float] = field(default_factory=dict)
    likes: dict[str, float] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def pieces(self) -> list[str]:
        """The answer in words, each with the space before it."""
        answer = self.answers(self.requests[-1]["messages"]) if self.answers else self.answer
        words = answer.split(" ")
        return [words[0], *(f" {word}" for word in words[1:])]

    def count_prompt(self) -> int:
        """What the server says that the prompt has, in tokens."""
        return 100

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/chat/completions with `stream`."""
        self.requests.append(await request.json())
        async with self.awake:
            await self.awake.wait_for(lambda: not self.is_asleep)
        if self.behaviour == "error":
            return web.json_response({"error": {"message": "out of memory"}}, status=500)
        if not self.requests[-1].get("stream"):
            return self._tell_next()
        try:
            # Both look at the newest request: before another one comes.
            return await self._stream(request, self.pieces(), self.count_prompt())
        except (asyncio.CancelledError, ConnectionResetError):
            self.disconnects += 1
            raise

    def _tell_next(self) -> web.Response:
        """As vLLM: the token that was taken, and beside it the likeliest ones."""
        top = [{"token": token, "logprob": logprob, "bytes": []} for token, logprob in self.next_tokens.items()]
        first = {**top[0], "top_logprobs": top[: self.requests[-1]["top_logprobs"]]}
        choice = {"index": 0, "message": {"role": "assistant", "content": first["token"]}, "finish_reason": "length"}
        return web.json_response({"choices": [{**choice, "logprobs": {"content": [first]}}]})

    async def tokenize(self, request: web.Request) -> web.Response:
        """POST /tokenize of a chat: a token a word, and one before each turn."""
        body = await request.json()
        goes_on = body["continue_final_message"]
        assert goes_on != body["add_generation_prompt"] and goes_on == (body["messages"][-1]["role"] == "assistant")
        turns = [f"<{turn['role']}> {turn['content']}" for turn in body["messages"]]
        tokens = " ".join([*turns, *([] if goes_on else ["<assistant>"])]).split()
        self.words += [word for word in dict.fromkeys(tokens) if word not in self.words]
        ids = [self.words.index(word) for word in tokens]
        return web.json_response({"count": len(ids), "max_model_len": 4096, "tokens": ids, "token_strs": None})

    async def score(self, request: web.Request) -> web.Response:
        """POST /v1/completions of tokens with `prompt_logprobs`."""
        words = [self.words[token] for token in (await request.json())["prompt"]]
        entries = [
            {str(self.words.index(word)): {"logprob": self.likes.get(word, -5.0), "rank": 1, "decoded_token": word}}
            for word in words[1:]
        ]
        return web.json_response({"choices": [{"index": 0, "text": "", "prompt_logprobs": [None, *entries]}]})

    async def sleep(self, request: web.Request) -> web.Response:
        """POST /sleep, in the server's development mode only."""
        if not self.sleep_mode:
            raise web.HTTPNotFound
        self.sleeps.append(request.query_string)
        self.is_asleep = True
        return web.json_response({"status": "sleeping", "level": int(request.query["level"])})

    async def wake_up(self, _: web.Request) -> web.Response:
        """POST /wake_up."""
        async with self.awake:
            self.is_asleep = False
            self.awake.notify_all()
        return web.json_response({"status": "awake", "tags": None})

    async def is_sleeping(self, _: web.Request) -> web.Response:
        """GET /is_sleeping."""
        if not self.sleep_mode:
            raise web.HTTPNotFound
        return web.json_response({"is_sleeping": self.is_asleep})

    async def models(self, _: web.Request) -> web.Response:
        """GET /v1/models: the base model and what was loaded."""
        loaded = [{"id": name, "root": folder} for name, folder in self.adapters.items()]
        return web.json_response({"data": [{"id": self.model}, *loaded]})

    async def load(self, request: web.Request) -> web.Response:
        """POST /v1/load_lora_adapter; a name is loaded once."""
        body = await request.json()
        assert not body.get("load_inplace")
        if body["lora_name"] in self.adapters:
            return web.json_response({"error": {"message": "it has already been loaded"}}, status=400)
        self.adapters[body["lora_name"]] = body["lora_path"]
        return web.Response(text="Success")

    async def unload(self, request: web.Request) -> web.Response:
        """POST /v1/unload_lora_adapter."""
        self.adapters.pop((await request.json())["lora_name"], None)
        return web.Response(text="Success")

    async def _stream(self, request: web.Request, pieces: list[str], prompt_tokens: int) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, piece in enumerate(pieces):
            if self.gate:
                await self.gate.acquire()
            await _send(response, {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
            if number == 0 and self.behaviour == "stall":
                await self.woken.wait()
                return response
            if number == 0 and self.behaviour == "die":
                assert request.transport
                request.transport.abort()
                return response
        await _send(response, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        await _send(response, {"choices": [], "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": 12}})
        await response.write(b"data: [DONE]\n\n")
        return response


def build_app(fake: FakeModelServer) -> web.Application:
    """All its routes."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", fake.chat)
    app.router.add_post("/v1/completions", fake.score)
    app.router.add_post("/tokenize", fake.tokenize)
    app.router.add_get("/v1/models", fake.models)
    app.router.add_post("/v1/load_lora_adapter", fake.load)
    app.router.add_post("/v1/unload_lora_adapter", fake.unload)
    app.router.add_post("/sleep", fake.sleep)
    app.router.add_post("/wake_up", fake.wake_up)
    app.router.add_get("/is_sleeping", fake.is_sleeping)
    return app


@asynccontextmanager
async def run_model_server(fake: FakeModelServer | None = None) -> AsyncIterator[FakeModelServer]:
    """Serve on a free port of this machine."""
    fake = fake or FakeModelServer()
    server = TestServer(build_app(fake))
    await server.start_server()
    fake.url = str(server.make_url("/")).rstrip("/")
    try:
        yield fake
    finally:
        fake.woken.set()
        await server.close()


async def _send(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(f"data: {json.dumps(event)}\n\n".encode())
