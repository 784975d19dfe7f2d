"""Notion: pages by the search, blocks as Markdown."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from retrieval.documents import Documents
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.http import HttpClient
from retrieval.sources.notion import API_VERSION, NotionSource
from retrieval.sources.notion_blocks import Block, render_blocks
from retrieval.sources.source import Entry
from retrieval.sources.tokens import authorise_with_token
from tests.fakes.notion import FakeNotion, words
from tests.retrieval.sources.conftest import Sync, list_all, list_dates


def paragraph(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "paragraph", "paragraph": {"rich_text": words(text)}, "has_children": False, **more}


@pytest.fixture
async def service() -> AsyncIterator[FakeNotion]:
    async with FakeNotion(authorization="Bearer secret-1") as fake:
        for number in range(3):
            fake.put(f"p{number}", f"Page {number}", paragraph(f"Site {number} has {number + 20} days of leave."))
        yield fake


@pytest.fixture
async def source(service: FakeNotion) -> AsyncIterator[NotionSource]:
    http = HttpClient(
        f"{service.url}/v1",
        authorise=authorise_with_token("secret-1"),
        headers={"Notion-Version": API_VERSION},
        pause_seconds=0.001,
        attempts=3,
    )
    source = NotionSource("notes", http, rule=AccessRule(["group:people"], ["group:guests"]))
    yield source
    await source.close()


async def test_pages_go_in_under_the_rule_of_the_file(
    service: FakeNotion, source: NotionSource, run_sync: Sync, documents: Documents
) -> None:
    report = await run_sync(source)
    found = await documents.find(["group:people"])
    assert (report.added, [one.title for one in found]) == (3, ["Page 0", "Page 1", "Page 2"])
    assert await documents.find(["group:people", "group:guests"]) == await documents.find(["everyone"]) == []


async def test_only_edited_pages_are_read_again(service: FakeNotion, source: NotionSource, run_sync: Sync) -> None:
    await run_sync(source)
    asked = service.count("/children")
    service.put("p1", "Page 1", paragraph("Other words."), edited="2026-02-01T00:00:00.000Z")
    report = await run_sync(source)
    assert (report.updated, report.unchanged, service.count("/children") - asked) == (1, 2, 1)


async def test_a_page_taken_from_us_is_gone(
    service: FakeNotion, source: NotionSource, run_sync: Sync, documents: Documents
) -> None:
    await run_sync(source)
    del service.pages["p0"]
    service.pages["p1"]["archived"] = True
    assert ((await run_sync(source)).removed, len(await documents.find_all())) == (2, 1)


async def test_a_page_edited_within_the_minute_has_no_version_yet(service: FakeNotion, source: NotionSource) -> None:
    service.put("p0", "Page 0", paragraph("Words."), edited=datetime.now(UTC).isoformat())
    found = [one for one in await list_all(source) if isinstance(one, Entry)]
    assert [one.version is None for one in found] == [True, False, False]


async def test_blocks_below_blocks_are_read_but_other_pages_are_not(service: FakeNotion, source: NotionSource) -> None:
    service.put(
        "p0",
        "Leave",
        {"type": "heading_1", "heading_1": {"rich_text": words("Annual")}, "has_children": False},
        {"type": "toggle", "toggle": {"rich_text": words("More")}, "has_children": True},
        {"type": "child_page", "child_page": {"title": "Salaries"}, "has_children": True},
    )
    service.blocks["p0-1"] = [paragraph("Inside."), paragraph("Second."), paragraph("Third.")]
    entry = next(one for one in await list_all(source) if isinstance(one, Entry))
    fetched = await source.fetch(entry, stored_version=None, max_bytes=10_000)
    expected = "# Leave\n\n# Annual\n\n- More\n\n  Inside.\n\n  Second.\n\n  Third."
    assert fetched and fetched.content.decode() == expected


def block(kind: str, text: str = "", **content: Any) -> Block:
    return Block(kind, {"rich_text": words(text), **content})


@pytest.mark.parametrize(
    ("blocks", "markdown"),
    [
        ([block("heading_2", "Sick leave")], "## Sick leave"),
        ([block("bulleted_list_item", "one"), block("numbered_list_item", "two")], "- one\n\n1. two"),
        ([block("to_do", "done", checked=True), block("to_do", "open")], "- [x] done\n\n- [ ] open"),
        ([block("quote", "said\ntwice")], "> said\n> twice"),
        ([block("code", "a ``` b", language="sql")], "````sql\na ``` b\n````"),
        ([block("paragraph", "# not a heading")], "\\# not a heading"),
        ([block("divider"), block("paragraph", "x")], "x"),
        ([Block("equation", {"expression": "a+b"})], "a+b"),
        ([Block("image", {"caption": words("The plan")})], "The plan"),
        (
            [
                Block(
                    "table",
                    {},
                    [
                        Block("table_row", {"cells": [words("Site"), words("Days")]}),
                        Block("table_row", {"cells": [words("Seoul|Busan"), words("23")]}),
                    ],
                )
            ],
            "| Site | Days |\n| --- | --- |\n| Seoul\\|Busan | 23 |",
        ),
    ],
)
def test_each_kind_of_block_becomes_markdown(blocks: list[Block], markdown: str) -> None:
    assert render_blocks(blocks) == markdown


async def test_a_page_has_the_date_of_its_last_edit(service: FakeNotion, source: NotionSource) -> None:
    assert (await list_dates(source))["p1"] == datetime(2026, 1, 1, tzinfo=UTC)
