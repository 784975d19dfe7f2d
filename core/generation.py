"""One generation: how it is asked for, and what comes of it as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from core.errors import ModelServerError
from core.prompt import Message


@dataclass(frozen=True, slots=True)
class Sampling:
    """Parameters of one generation; logged as sent."""

    max_tokens: int = 192
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None


@dataclass(slots=True)
class Generation:
    """What one streamed request brought: times in seconds from the request, tokens as the server counted them."""

    text: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    first_token_seconds: float | None = None
    seconds: float | None = None
    finish_reason: str | None = None


def build_chat_body(
    model: str, messages: Sequence[Message], sampling: Sampling, schema: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The body of a streamed request for an answer to messages."""
    body: dict[str, Any] = {
        "model": model,
        "messages": list(messages),
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if schema is not None:
        form = {"name": "answer", "schema": dict(schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body | ({"seed": sampling.seed} if sampling.seed is not None else {})


async def read_events(
    response: aiohttp.ClientResponse, first_seconds: float, stall_seconds: float
) -> AsyncGenerator[dict[str, Any]]:
    """Server-sent events until `[DONE]`; a silence longer than allowed raises TimeoutError."""
    allowed = first_seconds
    begun_line = b""
    while True:
        # One timer for all that has arrived: a timer and a task for each line cost half of a short answer's time.
        # Not wait_for: on Python 3.11 it loses a cancellation that comes together with what arrives.
        async with asyncio.timeout(allowed):
            arrived = await response.content.readany()
        if not arrived:
            return
        allowed = stall_seconds
        *lines, begun_line = (begun_line + arrived).split(b"\n")
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            payload = line[5:].strip()
            if payload == b"[DONE]":
                return
            yield orjson.loads(payload)


def read_event(event: dict[str, Any], generation: Generation) -> str:
    """The piece of text that an event brings; the rest is kept in `generation`.

    Raises:
        ModelServerError: the server says that it failed.
    """
    if "error" in event:
        raise ModelServerError(f"the model server failed: {event['error']}"[:300], generated_text=generation.text)
    if usage := event.get("usage"):
        generation.prompt_tokens = usage["prompt_tokens"]
        generation.completion_tokens = usage["completion_tokens"]
    if not event["choices"]:
        return ""
    choice = event["choices"][0]
    generation.finish_reason = choice.get("finish_reason") or generation.finish_reason
    return choice["delta"].get("content") or ""
