"""The console: locked without the token, complete with it, and every act in the audit log."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient

from core.database import Database
from tests.bot.web.asking import get_answer, vote
from tests.bot.web.conftest import until
from tests.bot.web.site import TOKEN, Site, run_site

PAGES = ["", "/answers", "/adapters", "/nights", "/documents"]
XSS = "<script>alert(1)</script>"


@pytest.fixture
async def admin(site: Site) -> AsyncIterator[TestClient]:
    client = await site.new_client()
    assert (await client.get("/console", params={"token": TOKEN})).status == 200
    yield client


@pytest.mark.parametrize(
    "page", [*PAGES, "/nights/1", "/none", "/api/nights/state", "?token=wrong", "?token=%ed%a0%80"]
)
async def test_without_the_token_everything_is_locked(client: TestClient, page: str) -> None:
    assert (await client.get(f"/console{page}")).status == 401


async def test_the_locked_page_says_how_to_get_in(client: TestClient) -> None:
    assert "ADMIN_TOKEN" in await (await client.get("/console")).text()


async def test_nobody_promotes_without_the_token(site: Site, client: TestClient) -> None:
    response = await client.post("/console/api/adapters/promote", json={"name": ""})
    assert (response.status, await site.adapters.find_switches()) == (401, [])


async def test_the_token_leaves_the_address_and_is_not_in_the_cookie(client: TestClient) -> None:
    response = await client.get("/console/answers", params={"token": TOKEN, "words": "leave"}, allow_redirects=False)
    cookie = response.cookies["nightbake_admin"]
    assert (response.status, response.headers["Location"]) == (303, "/console/answers?words=leave")
    assert (TOKEN in cookie.value, cookie["httponly"]) == (False, True)


@pytest.mark.parametrize("page", PAGES)
async def test_every_page_opens_on_an_empty_database(admin: TestClient, page: str) -> None:
    assert (await admin.get(f"/console{page}")).status == 200


async def test_the_overview_counts_questions_and_votes(client: TestClient, admin: TestClient) -> None:
    answer = await get_answer(client)
    await vote(client, answer["interaction_id"], value=-1, correction="24 days.")
    page = await (await admin.get("/console")).text()
    assert ("<b>1</b><span>questions in 24 hours" in page, "1 with a correction" in page) == (True, True)


@pytest.mark.parametrize(
    ("search", "is_found"),
    [
        ({"words": "LEAVE"}, True),
        ({"words": "100%"}, False),
        ({"words": "_"}, False),
        ({"vote": "corrected"}, True),
        ({"vote": "up"}, False),
        ({"mode": "generated"}, True),
        ({"mode": "quoted"}, False),
        ({"mode": "'; DROP TABLE feedback"}, True),
        ({"before": "1"}, False),
        ({"before": "x"}, True),
        ({"words": "\x00"}, True),
    ],
)
async def test_answers_are_searched(
    client: TestClient, admin: TestClient, search: dict[str, str], is_found: bool
) -> None:
    answer = await get_answer(client)
    await vote(client, answer["interaction_id"], value=-1, correction="24 days.")
    page = await (await admin.get("/console/answers", params=search)).text()
    assert ("24 days." in page) == is_found


async def test_markup_in_a_question_is_shown_as_text(client: TestClient, admin: TestClient) -> None:
    await get_answer(client, f"leave? {XSS}")
    assert XSS not in await (await admin.get("/console/answers")).text()


async def test_answers_are_paged(site: Site, admin: TestClient) -> None:
    await site.database.execute(
        b"INSERT INTO interactions (platform, conversation_key, asker, principals, question, language) "
        b"SELECT 'web', 'c', 'user:a', '{everyone}', 'question number ' || n || '.', 'en' FROM generate_series(1, 50) n"
    )
    first = await (await admin.get("/console/answers")).text()
    second = await (await admin.get("/console/answers", params={"before": 11})).text()
    assert ("number 50." in first, "number 11." in first, "number 10." in first) == (True, True, False)
    assert "before=11" in first
    assert ("number 10." in second, "Older" in second) == (True, False)


async def test_promoting_loads_then_switches_and_is_audited(site: Site, admin: TestClient) -> None:
    await site.adapters.register(name="night-1", folder="/a", base_model="base", sha256="00", manifest={})
    response = await admin.post("/console/api/adapters/promote", json={"name": "night-1", "reason": "looks good"})
    active = await site.adapters.find_active()
    audit = await site.database.fetch_dicts(b"SELECT actor, act, subject FROM audit")
    assert (response.status, active and active.name, site.model.adapters) == (200, "night-1", {"night-1": "/a"})
    assert audit == [{"actor": "console", "act": "promote", "subject": "night-1"}]


async def test_rolling_back_serves_what_was_served_before(site: Site, admin: TestClient) -> None:
    await site.adapters.register(name="night-1", folder="/a", base_model="base", sha256="00", manifest={})
    await admin.post("/console/api/adapters/promote", json={"name": "night-1"})
    await admin.post("/console/api/adapters/roll-back", json={})
    assert await site.adapters.find_active() is None


async def test_an_unknown_adapter_is_404_in_words(admin: TestClient) -> None:
    response = await admin.post("/console/api/adapters/promote", json={"name": "night-9"})
    assert (response.status, "night-9" in (await response.json())["error"]) == (404, True)


async def test_another_sites_page_cannot_promote(site: Site, admin: TestClient) -> None:
    response = await admin.post(
        "/console/api/adapters/promote", json={"name": ""}, headers={"Origin": "https://evil.test"}
    )
    assert (response.status, await site.adapters.find_switches()) == (403, [])


async def test_a_report_is_shown_in_a_page_that_can_run_nothing(site: Site, admin: TestClient) -> None:
    run_id = await _add_night(site.database)
    page = await (await admin.get(f"/console/nights/{run_id}")).text()
    report = await admin.get(f"/console/nights/{run_id}/report/en")
    assert f'sandbox src="/console/nights/{run_id}/report/en"' in page
    assert "default-src 'none'" in report.headers["Content-Security-Policy"]
    assert report.headers["Content-Security-Policy"].endswith("sandbox")
    assert await report.text() == "<h1>Night</h1>"


async def test_nights_and_documents_are_listed(site: Site, admin: TestClient) -> None:
    await _add_night(site.database)
    await site.database.execute(
        b"INSERT INTO ingest_errors (source, path, reason) VALUES ('s', 'scan.pdf', 'the PDF holds no text')"
    )
    nights = await (await admin.get("/console/nights")).text()
    documents = await (await admin.get("/console/documents")).text()
    assert ("better by a lot" in nights, "the PDF holds no text" in documents) == (True, True)


async def test_a_night_runs_once_at_a_time_and_tells_its_error(database: Database) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def run_night() -> None:
        begun.set()
        await go.wait()
        raise RuntimeError("the disk is full")

    async with run_site(database, run_night=run_night) as site:
        client = await site.new_client()
        await client.get("/console", params={"token": TOKEN})
        statuses = [(await client.post("/console/api/nights/run", json={})).status for _ in range(2)]
        await begun.wait()
        assert statuses == [202, 409]
        assert (await _read_state(client))["is_running"]
        go.set()

        async def find_error() -> str | None:
            return (await _read_state(client))["error"]

        assert await until(find_error) == "RuntimeError: the disk is full"


async def test_without_nights_the_button_is_not_there(admin: TestClient) -> None:
    assert "Run the night now" not in await (await admin.get("/console/nights")).text()
    assert (await admin.post("/console/api/nights/run", json={})).status == 409


async def _read_state(client: TestClient) -> dict:
    return await (await client.get("/console/api/nights/state")).json()


async def _add_night(database: Database) -> int:
    rows = await database.fetch_dicts(
        b"INSERT INTO runs (night, requested_by, window_from, window_to, stage, state, reason, finished_at) "
        b"VALUES ('2026-01-02', 'schedule', now() - interval '1 day', now(), 'report', 'done', 'better by a lot', "
        b"now()) RETURNING id"
    )
    await database.execute(
        b"INSERT INTO reports (run_id, language, markdown, html) VALUES (%s, 'en', '', '<h1>Night</h1>')",
        [rows[0]["id"]],
    )
    return rows[0]["id"]
