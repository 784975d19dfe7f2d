"""A chat model behind the OpenAI streaming protocol that always gives the same answer, a word at a time."""

import json
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer


class ChatModel:
    """Attributes: `answer` is what it says; `requests` are the bodies that came."""

    name = "base"

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.requests: list[dict[str, Any]] = []
        app = web.Application()
        app.add_routes([web.post("/v1/chat/completions", self._complete)])
        self._server = TestServer(app)

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None):
        await self._server.close()

    @property
    def url(self) -> str:
        return str(self._server.make_url("/"))

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for word in self.answer.split(" "):
            await _send(response, {"choices": [{"delta": {"content": f" {word}"}, "finish_reason": None}]})
        await _send(response, {"choices": [{"delta": {}, "finish_reason": "stop"}]})
        await _send(response, {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5}})
        await response.write(b"data: [DONE]\n\n")
        return response


async def _send(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(f"data: {json.dumps(event)}\n\n".encode())
