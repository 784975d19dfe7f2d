"""A model server that answers every question with the same stream, at once, so that only our own side is measured.

Or at the pace of a real one: so long an answer, so many at once, and the others wait, as in vLLM's batch.

Speaks just enough HTTP/1.1 for `core.model_server`: keep-alive, one request at a time on a connection, and the answer
in chunks of one event each, as vLLM sends them. Prints its port and serves until it is ended.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MODEL = "instant"
ANSWER = "Employees have 23 days of annual leave a year, and unused days move to the next year until March. [1]"
PROMPT_TOKENS, COMPLETION_TOKENS = 760, 23
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def build_response() -> list[bytes]:
    """The whole response in pieces: one event a word, the reason for the end, the tokens, `[DONE]`."""
    words = re.findall(r"\s?\S+", ANSWER)
    choices = [{"index": 0, "delta": {"content": word}, "finish_reason": None} for word in words]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    frame = {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": MODEL}
    events = [json.dumps(frame | {"choices": [choice]}) for choice in choices]
    usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS}
    events += [json.dumps(frame | {"choices": [], "usage": usage}), "[DONE]"]
    bodies = [f"data: {event}\n\n".encode() for event in events]
    return [HEAD, *(b"%x\r\n%s\r\n" % (len(body), body) for body in bodies), b"0\r\n\r\n"]


class _Batch:
    """So many answers at once; the rest waits in its order. None at once is any number."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._is_limited = slots > 0
        self._waiting: deque[Callable[[], None]] = deque()

    def enter(self, begin: Callable[[], None]) -> None:
        """Begin now, or when another has left."""
        if self._is_limited and not self._free:
            self._waiting.append(begin)
            return
        self._free -= 1
        begin()

    def leave(self) -> None:
        """Let the next one in."""
        self._free += 1
        if self._is_limited and self._waiting:
            self._free -= 1
            self._waiting.popleft()()


class _Connection(asyncio.Protocol):
    """Reads a request to its end and writes the one response, at once or a piece after the other."""

    def __init__(self, response: list[bytes], pause_seconds: float, batch: _Batch) -> None:
        self._response = response
        self._whole = b"".join(response)
        self._pause_seconds = pause_seconds
        self._batch = batch
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as soon as head and body are complete."""
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        length = _LENGTH.search(head)
        if len(body) >= (int(length[1]) if length else 0):
            self._received = b""
            self._batch.enter(self._respond)

    def _respond(self) -> None:
        if not self._pause_seconds:
            self._transport.write(self._whole)  # type: ignore[attr-defined]
            self._batch.leave()
            return
        loop = asyncio.get_running_loop()
        for number, piece in enumerate(self._response):
            loop.call_later(number * self._pause_seconds, self._write, piece)
        loop.call_later(len(self._response) * self._pause_seconds, self._batch.leave)

    def _write(self, piece: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(piece)  # type: ignore[attr-defined]


@contextmanager
def run_instant_model_server(*, seconds: float = 0.0) -> Iterator[str]:
    """Its address, served by a process of its own on this machine.

    Args:
        seconds: how long an answer takes, its words spread over that time.
    """
    with subprocess.Popen((sys.executable, __file__, str(seconds)), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


async def _serve() -> None:
    seconds, slots, port = float(sys.argv[1]), *(int(one) for one in (*sys.argv[2:], 0, 0)[:2])
    response, batch = build_response(), _Batch(slots)
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(response, seconds / len(response), batch), "127.0.0.1", port
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
