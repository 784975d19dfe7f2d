"""Traces: one a question, through both processes and to the model server, by the conventions, without a word of it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest

from core.database import Database
from core.telemetry import JsonFormatter
from core.tracing import find_parent, span, start_tracing, stop_tracing
from tests.bot.web.asking import ask, follow
from tests.bot.web.site import Site, run_site
from tests.fakes.collector import Collector, read_attributes, run_collector
from tests.fakes.model_server import FakeModelServer

QUESTION = "How many days of zanzibar leave do I have?"
STEPS = ["claim", "handle question"]
ANSWER_STEPS = ["retrieval documents", "prompt", "chat base", "check", "finish", "show"]


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """Traces go to a collector of this test's own, until its end."""
    async with run_collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        assert start_tracing()
        try:
            yield collector
        finally:
            await asyncio.to_thread(stop_tracing)


async def ask_and_flush(site: Site) -> None:
    client = await site.new_client()
    await follow(client, await ask(client, QUESTION))
    await site.worker.stop()
    await asyncio.to_thread(stop_tracing)


async def test_a_question_is_one_trace_of_named_steps(database: Database, collector: Collector) -> None:
    async with run_site(database) as site:
        await ask_and_flush(site)
    names = {one.span_id: one.name for one in collector.spans}
    parents = {one.name: names.get(one.parent_span_id) for one in collector.spans}
    assert len({one.trace_id for one in collector.spans}) == 1
    assert parents == {
        "receive": None,
        **dict.fromkeys(STEPS, "receive"),
        "invoke_agent nightbake": "handle question",
        **dict.fromkeys(ANSWER_STEPS, "invoke_agent nightbake"),
    }
    ordered = [one.name for one in sorted(collector.spans, key=lambda one: one.start_time_unix_nano)]
    assert [name for name in ordered if name in ANSWER_STEPS] == ANSWER_STEPS
    assert collector.resource["service.name"] == "nightbake"


async def test_the_model_s_step_is_named_by_the_conventions(database: Database, collector: Collector) -> None:
    async with run_site(database) as site:
        await ask_and_flush(site)
        address, port = site.model.url.removeprefix("http://").split(":")
    chat = collector.get("chat base")
    told = read_attributes(chat)
    assert chat.kind == chat.SPAN_KIND_CLIENT
    assert told.pop("gen_ai.response.time_to_first_chunk") > 0
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "vllm",
        "gen_ai.request.model": "base",
        "gen_ai.request.max_tokens": 128,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 1.0,
        "gen_ai.request.stream": True,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 12,
        "server.address": address,
        "server.port": int(port),
    }
    found = read_attributes(collector.get("retrieval documents"))
    assert found == {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": "documents",
        "gen_ai.request.top_k": 3,
        "nightbake.passages": 2,
    }


async def test_no_word_of_a_question_or_an_answer_leaves_in_a_trace(database: Database, collector: Collector) -> None:
    async with run_site(database, model=FakeModelServer(behaviour="error")) as site:
        await ask_and_flush(site)
        (row,) = await database.fetch_dicts(b"SELECT payload ->> 'person' AS person FROM inbox")
    told = collector.received.decode("utf-8", errors="replace")
    assert "chat base" in told
    assert not [word for word in ("zanzibar", "annual", "out of memory", row["person"][-8:]) if word in told]
    failed = collector.get("chat base")
    assert (failed.status.code, failed.status.message) == (failed.status.STATUS_CODE_ERROR, "_StatusError")


def test_nothing_is_traced_unless_a_collector_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert not start_tracing()
    with span("receive") as step:
        assert (step.is_recording(), find_parent()) == (False, None)


async def test_a_log_line_names_its_trace(collector: Collector) -> None:
    record = logging.LogRecord("bot.answer", logging.WARNING, __file__, 1, "searched", (), None)
    with span("receive") as step:
        line = json.loads(JsonFormatter().format(record))
    assert line["trace_id"] == f"{step.get_span_context().trace_id:032x}"
    assert "trace_id" not in json.loads(JsonFormatter().format(record))
