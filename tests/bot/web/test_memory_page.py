"""The page of memory: what stands in prompts is listed, shown and never run, and taken out."""

import pytest
from aiohttp.test_utils import TestClient

from learning.remember import remember
from tests.bot.web.site import TOKEN, Site
from tests.learning.log import log_answer, make_passage, vote

XSS = "<script>alert(1)</script>"


@pytest.fixture
async def admin(site: Site) -> TestClient:
    client = await site.new_client()
    assert (await client.get("/console", params={"token": TOKEN})).status == 200
    return client


async def read(admin: TestClient, **choice: str) -> str:
    return await (await admin.get("/console/memory", params=choice, headers={"Accept-Language": "en"})).text()


async def test_a_correction_is_listed_and_removed_for_good(site: Site, admin: TestClient) -> None:
    corrected = await log_answer(site.database, f"Lunch {XSS}?", [make_passage("lunch", 4)], "4 days.")
    await vote(site.database, corrected, "user:bo", -1, f"5 days {XSS}")
    await remember(site.database)
    page = await read(admin)
    assert ("Lunch &lt;script&gt;" in page, "5 days &lt;script&gt;" in page, XSS in page) == (True, True, False)
    path = f"/console/api/memories/{corrected}/remove"
    assert (await (await site.new_client()).post(path, json={})).status == 401
    assert (await admin.post(path, json={}, headers={"Origin": "https://evil.example"})).status == 403
    assert (await admin.post(path, json={})).status == 200
    assert "5 days" not in await read(admin, state="standing")
    assert "5 days" in await read(admin, state="removed")
    assert (await admin.post(path, json={})).status == 404
    acts = await site.database.fetch_dicts(b"SELECT actor, act, subject FROM audit WHERE act <> 'open console'")
    assert acts == [{"actor": "console", "act": "remove memory", "subject": f"answer {corrected}"}]
