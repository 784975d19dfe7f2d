"""What a page does, for tests without a browser."""

import json
from typing import Any

from aiohttp.test_utils import TestClient

CONVERSATION = "conversation-1"


async def ask(client: TestClient, text: str = "How many days of annual leave do I have?", **fields: Any) -> int:
    """Post a question; its id."""
    response = await client.post("/api/questions", json={"text": text, "conversation": CONVERSATION, **fields})
    assert response.status == 202, await response.text()
    return (await response.json())["id"]


async def follow(client: TestClient, inbox_id: int) -> list[tuple[str, dict[str, Any]]]:
    """Every event of a reply until its end."""
    async with client.get(f"/api/questions/{inbox_id}/events") as response:
        assert response.status == 200
        return parse_events(await response.text())


def parse_events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Names and bodies of server-sent events, without comments."""
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            events.append((fields["event"], json.loads(fields["data"])))
    return events


async def get_answer(client: TestClient, text: str = "How many days of annual leave do I have?") -> dict[str, Any]:
    """Ask and wait; the final event's body."""
    name, body = (await follow(client, await ask(client, text)))[-1]
    assert name == "answer", body
    return body


async def vote(client: TestClient, interaction_id: int, **body: Any) -> int:
    """Post a judgement; the status."""
    async with client.post(f"/api/answers/{interaction_id}/feedback", json=body) as response:
        return response.status
