"""One reply as server-sent events: from this process' memory where it is answered here, else from the database."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.web.live import State, Topic

# A page shows no more than so many states a second; those in between are skipped.
PACE_SECONDS = 0.03
# How often to look for an answer of another process, and to prove that the connection lives.
STORED_SECONDS = 1.0
LIVE_SECONDS = 10.0
RECONNECT_MILLISECONDS = 1000

FindStored = Callable[[], Awaitable[State | None]]


async def stream_reply(request: web.Request, topic: Topic, find_stored: FindStored) -> web.StreamResponse:
    """Send states until the final one, or until the person leaves or this process stops.

    Side effects: sends the whole response. A stream that ends without a final state makes the browser come back.
    """
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    try:
        await response.write(f"retry: {RECONNECT_MILLISECONDS}\n\n".encode())
        await _send_states(response, topic, find_stored)
    except ConnectionResetError:
        pass
    return response


async def _send_states(response: web.StreamResponse, topic: Topic, find_stored: FindStored) -> None:
    seen, looked_at, was_over = 0, time.monotonic() if topic.state else 0.0, False
    while not topic.is_closing:
        if topic.state and topic.version > seen:
            seen, state = topic.version, topic.state
            await response.write(_to_event(state))
            if state.is_final:
                return
            await asyncio.sleep(PACE_SECONDS)
            continue
        pause = LIVE_SECONDS if topic.state or topic.is_watched else STORED_SECONDS
        if topic.is_over > was_over or time.monotonic() - looked_at >= pause:
            looked_at, was_over = time.monotonic(), topic.is_over
            if stored := await find_stored():
                await response.write(_to_event(stored))
                return
            await response.write(b": waiting\n\n")
        await topic.wait_for_change(seen, pause)


def _to_event(state: State) -> bytes:
    """JSON holds no line break, so one `data:` line is enough."""
    return f"event: {state.event}\ndata: {json.dumps(state.body, ensure_ascii=False)}\n\n".encode()
