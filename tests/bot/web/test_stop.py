"""Stopping an answer over HTTP: by its asker, at any moment, and by nobody else."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient

from core.database import Database
from tests.bot.web.asking import ask, follow, vote
from tests.bot.web.site import Site, run_site
from tests.eventually import eventually


@pytest.fixture
async def site(database: Database) -> AsyncIterator[Site]:
    """A model that may be silent for as long as a test needs."""
    async with run_site(database, stall_seconds=30) as site:
        yield site


async def test_an_answer_is_stopped_by_its_asker_and_can_be_judged(site: Site, client: TestClient) -> None:
    site.model.gate = asyncio.Semaphore(2)
    inbox_id = await ask(client)
    await eventually(lambda: _is_said(site, inbox_id, "Employees have"))
    assert (await client.post(f"/api/questions/{inbox_id}/stop", json={})).status == 204
    name, body = (await follow(client, inbox_id))[-1]
    assert (name, body["mode"], body["text"], body["notice"]) == ("answer", "stopped", "Employees have", "Stopped.")
    assert await vote(client, body["interaction_id"], value=-1) == 204
    assert (await client.post(f"/api/questions/{inbox_id}/stop", json={})).status == 204


async def test_nobody_else_may_stop_an_answer(site: Site, client: TestClient) -> None:
    site.model.gate = asyncio.Semaphore(2)
    inbox_id = await ask(client)
    await eventually(lambda: _is_said(site, inbox_id, "Employees have"))
    response = await (await site.new_client()).post(f"/api/questions/{inbox_id}/stop", json={})
    assert response.status == 404
    for _ in range(20):
        site.model.gate.release()
    assert (await follow(client, inbox_id))[-1][1]["mode"] == "generated"


async def test_another_sites_page_cannot_stop_an_answer(client: TestClient) -> None:
    inbox_id = await ask(client)
    path, headers = f"/api/questions/{inbox_id}/stop", {"Origin": "https://evil.test"}
    assert (await client.post(path, json={}, headers=headers)).status == 403


async def test_a_question_that_waits_is_stopped_before_it_begins(site: Site, client: TestClient) -> None:
    await site.worker.stop()
    site.model.gate = asyncio.Semaphore(0)
    inbox_id = await ask(client)
    assert (await client.post(f"/api/questions/{inbox_id}/stop", json={})).status == 204
    await site.worker.start()
    name, body = (await follow(client, inbox_id))[-1]
    assert (name, body["mode"], body["text"]) == ("answer", "stopped", "Stopped before the answer began.")


async def _is_said(site: Site, inbox_id: int, text: str) -> bool:
    """Whether the page of this reply shows the text."""
    with site.live.follow(inbox_id) as topic:
        return topic.state is not None and topic.state.body == {"text": text}
