"""Server-sent events however the network cuts them."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.errors import ModelServerError
from core.model_server import Generation, ModelServer

PIECE = 'data: {"choices": [{"index": 0, "delta": {"content": "휴가 23일"}, "finish_reason": null}]}'
END = 'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}'


@pytest.fixture
async def chunks() -> list[bytes]:
    """What the server sends, one piece a write; a test fills it."""
    return []


@pytest.fixture
async def client(chunks: list[bytes]) -> AsyncIterator[ModelServer]:
    async def chat(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        return response

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    async with TestServer(app) as server:
        client = ModelServer(str(server.make_url("/")), "base")
        yield client
        await client.close()


async def test_an_event_cut_inside_a_letter_is_put_together(client: ModelServer, chunks: list[bytes]) -> None:
    sent = f"{PIECE}\n\n{END}\n\ndata: [DONE]\n\n".encode()
    middle = sent.index("가".encode()) + 1
    chunks += [sent[:middle], sent[middle : middle + 1], sent[middle + 1 :]]
    assert (await client.complete([])).text == "휴가 23일"


async def test_many_events_in_one_write_are_all_read(client: ModelServer, chunks: list[bytes]) -> None:
    chunks.append((f"{PIECE}\n\n" * 3 + f"{END}\n\ndata: [DONE]\n\n").encode())
    pieces = [piece async for piece in client.stream([], generation=Generation())]
    assert pieces == ["휴가 23일"] * 3


async def test_comments_and_carriage_returns_are_passed_over(client: ModelServer, chunks: list[bytes]) -> None:
    chunks.append(f": still thinking\r\n\r\n{PIECE}\r\n\r\n{END}\r\n\r\ndata: [DONE]\r\n\r\n".encode())
    assert (await client.complete([])).text == "휴가 23일"


async def test_an_event_without_its_end_of_line_did_not_arrive(client: ModelServer, chunks: list[bytes]) -> None:
    chunks += [f"{PIECE}\n\n".encode(), END.encode()]
    with pytest.raises(ModelServerError, match="midway") as raised:
        await client.complete([])
    assert raised.value.generated_text == "휴가 23일"
