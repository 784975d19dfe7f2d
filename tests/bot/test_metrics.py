"""Metrics: what happened is counted, what is so is read, and nobody's words or name are in it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.gauges import Gauges
from bot.inbox import Event, Inbox
from bot.metrics_page import MetricsPage
from bot.web.readiness import check_readiness
from core.database import Database
from core.metrics import REGISTRY
from core.model_server import ModelServer
from tests.bot.web.asking import follow, vote
from tests.bot.web.site import Site, run_site
from tests.eventually import eventually
from tests.ports import find_free_port

QUESTION = "How many days of zanzibar leave do I have?"


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def read(gauges: Gauges) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """The page as Prometheus understands it."""
    families = text_string_to_metric_families((await gauges.render()).decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def key(name: str, labels: Mapping[str, str] | None = None) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset((labels or {}).items())


@asynccontextmanager
async def open_gauges(database: Database, model_url: str = "http://127.0.0.1:9") -> AsyncIterator[Gauges]:
    model_server = ModelServer(model_url, "base")
    yield Gauges(database, check_readiness(database, model_server))
    await model_server.close()


async def ask_and_vote(site: Site) -> str:
    """One question, asked twice with one key, its answer and a thumb up; the person."""
    client = await site.new_client()
    body = {"text": QUESTION, "conversation": "conversation-1", "key": "a-key-of-a-page"}
    for _ in range(2):
        async with client.post("/api/questions", json=body) as response:
            number = (await response.json())["id"]
    _, answer = (await follow(client, number))[-1]
    assert await vote(client, answer["interaction_id"], value=1) == 204
    (row,) = await site.database.fetch_dicts(b"SELECT payload ->> 'person' AS person FROM inbox")
    return row["person"]


async def test_what_happens_to_a_question_is_counted(database: Database) -> None:
    named = [
        ("nightbake_events_received_total", {"platform": "web", "kind": "question"}),
        ("nightbake_events_repeated_total", {"platform": "web"}),
        ("nightbake_events_handled_total", {"kind": "question", "result": "done"}),
        ("nightbake_answers_total", {"platform": "web", "mode": "generated"}),
        ("nightbake_answer_seconds_count", {"platform": "web"}),
        ("nightbake_wait_seconds_count", {}),
        ("nightbake_model_first_token_seconds_count", {}),
        ("nightbake_votes_total", {"value": "up"}),
    ]
    before = [count(name, **labels) for name, labels in named]
    tokens = count("nightbake_model_tokens_total", type="output")
    async with run_site(database) as site:
        await ask_and_vote(site)

        async def is_handled() -> bool:
            return await site.inbox.count_open() == 0 and count("nightbake_worker_busy") == 0

        await eventually(is_handled)
    assert [count(name, **labels) - was for (name, labels), was in zip(named, before, strict=True)] == [1] * len(named)
    assert count("nightbake_model_tokens_total", type="output") - tokens == 12


async def test_the_page_holds_no_words_and_no_names(database: Database) -> None:
    async with run_site(database) as site:
        person = await ask_and_vote(site)
        async with open_gauges(database, site.model.url) as gauges:
            page = (await gauges.render()).decode()
    assert not [word for word in ("zanzibar", "annual", "conversation-1", person, person[-8:]) if word in page]


async def test_gauges_show_the_queue_what_is_served_and_the_last_night(database: Database) -> None:
    inbox = Inbox(database)
    for number in range(3):
        await inbox.receive(Event("web", f"q{number}", f"c{number}", "question", {"text": "?", "person": "user:a"}))
    for vote_key in ("v1", "v2"):
        await inbox.receive(Event("slack", vote_key, vote_key, "feedback", {"person": "slack:T:U"}))
    await inbox.claim("worker")
    await database.execute(b"UPDATE inbox SET available_at = now() - interval '90 seconds'")
    await database.execute(
        b"INSERT INTO runs (night, requested_by, window_from, window_to, state, gate, finished_at) "
        b"VALUES ('2026-05-04', 'schedule', '2026-05-01', '2026-05-04', 'done', '{\"verdict\": \"abstain\"}', "
        b"'2026-05-04T03:00:00Z')"
    )
    async with Database(database.url, role="nightbake_console") as console, open_gauges(console) as gauges:
        page = await read(gauges)
    assert page[key("nightbake_queue_waiting", {"kind": "question"})] == 3
    assert page[key("nightbake_queue_waiting", {"kind": "other"})] == 1
    assert page[key("nightbake_queue_claimed")] == 1
    assert 90 <= page[key("nightbake_queue_oldest_seconds")] < 120
    assert page[key("nightbake_adapter_info", {"adapter": "base"})] == 1
    assert page[key("nightbake_night_last_result", {"result": "abstain"})] == 1
    assert page[key("nightbake_night_last_finished_timestamp_seconds")] == 1777863600
    assert page[key("nightbake_up", {"part": "database"})] == 1
    assert page[key("nightbake_up", {"part": "model_server"})] == 0


async def test_without_the_database_the_page_says_so_and_shows_nothing_old(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.gauges.HEALTH_SECONDS", 0.2)
    monkeypatch.setattr("bot.web.readiness.HEALTH_SECONDS", 0.2)
    async with open_gauges(database) as gauges:
        assert (await read(gauges))[key("nightbake_documents")] == 0
        await database.close()
        page = await read(gauges)
    assert page[key("nightbake_up", {"part": "database"})] == 0
    assert page[key("nightbake_documents")] != page[key("nightbake_documents")]
    assert key("nightbake_adapter_info", {"adapter": "base"}) not in page


async def test_the_page_is_served_on_its_own_port_and_a_second_process_starts_without(database: Database) -> None:
    port = find_free_port()
    async with open_gauges(database) as gauges:
        pages = [MetricsPage(gauges, host="127.0.0.1", port=port) for _ in range(2)]
        for page in pages:
            await page.start()
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as response:
            assert (response.status, "nightbake_up" in await response.text()) == (200, True)
        for page in pages:
            await page.stop()
