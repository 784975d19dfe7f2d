"""Confluence: who may read is the space's fence and every page's above; pages, versions, outages."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from core.errors import InvalidInputError
from retrieval.documents import Documents
from retrieval.sources.confluence import ConfluenceSource
from retrieval.sources.http import HttpClient
from retrieval.sources.source import Failure, SourceAwayError
from retrieval.sources.tokens import authorise_with_password
from tests.fakes.confluence import FakeConfluence
from tests.retrieval.sources.conftest import Sync, list_all, list_dates, list_rules

# Base64 of bot@example.com:token-1, as a server checks it.
AUTHORIZATION = "Basic Ym90QGV4YW1wbGUuY29tOnRva2VuLTE="


@pytest.fixture
async def service() -> AsyncIterator[FakeConfluence]:
    fake = FakeConfluence(authorization=AUTHORIZATION)
    fake.spaces = {"HR": "100"}
    fake.groups = {"g1": ("people", ["ann", "bo"]), "g2": ("seoul", ["bo", "cho"])}
    fake.emails = {"ann": "Ann@Example.com", "bo": "bo@example.com", "cho": "cho@example.com", "shy": ""}
    fake.readers = {"100": [("group", "g1")]}
    fake.put_page("1", "Leave", "<h2>Annual leave</h2><p>Employees get 23 days of leave.</p>")
    async with fake:
        yield fake


@pytest.fixture
async def source(service: FakeConfluence) -> AsyncIterator[ConfluenceSource]:
    authorise = authorise_with_password("bot@example.com", "token-1")
    http = HttpClient(f"{service.url}/wiki", authorise=authorise, pause_seconds=0.001, attempts=3)
    source = ConfluenceSource("wiki", http, spaces=["HR"])
    yield source
    await source.close()


async def test_a_page_is_readable_for_those_of_its_space(service: FakeConfluence, source: ConfluenceSource) -> None:
    assert await list_rules(source) == {"1": ["group:people"]}


async def test_a_restriction_to_a_person_of_the_space_leaves_that_person(
    service: FakeConfluence, source: ConfluenceSource
) -> None:
    service.restrictions = {"1": (["ann", "cho"], [])}
    assert await list_rules(source) == {"1": ["user:ann@example.com"]}


async def test_a_restriction_to_another_group_leaves_who_is_in_both(
    service: FakeConfluence, source: ConfluenceSource
) -> None:
    service.restrictions = {"1": ([], ["seoul"])}
    assert await list_rules(source) == {"1": ["user:bo@example.com"]}


async def test_a_restriction_above_counts_below(service: FakeConfluence, source: ConfluenceSource) -> None:
    service.put_page("2", "Salaries", "<p>x</p>", parent="1")
    service.put_page("3", "Bonus", "<p>x</p>", parent="2")
    service.restrictions = {"2": (["ann"], [])}
    rules = await list_rules(source)
    assert rules == {"1": ["group:people"], "2": ["user:ann@example.com"], "3": ["user:ann@example.com"]}


async def test_a_folder_between_pages_counts_too(service: FakeConfluence, source: ConfluenceSource) -> None:
    service.folders = {"f": {"id": "f", "parentId": "1"}}
    service.put_page("2", "Salaries", "<p>x</p>", parent="f")
    service.restrictions = {"f": (["bo"], [])}
    assert (await list_rules(source))["2"] == ["user:bo@example.com"]


async def test_below_what_is_hidden_from_us_nobody_reads(service: FakeConfluence, source: ConfluenceSource) -> None:
    service.put_page("2", "Salaries", "<p>x</p>", parent="nobody-knows")
    assert (await list_rules(source))["2"] == []


async def test_who_hides_their_address_and_roles_read_nothing(
    service: FakeConfluence, source: ConfluenceSource
) -> None:
    service.readers = {"100": [("user", "shy"), ("role", "42")]}
    assert await list_rules(source) == {"1": []}


async def test_pages_go_in_and_only_changed_ones_again(
    service: FakeConfluence, source: ConfluenceSource, run_sync: Sync, documents: Documents
) -> None:
    service.put_page("2", "Travel & <costs>", "<p>Book the train early.</p>")
    service.put_page("3", "Badges", "<p>Wear your badge.</p>")
    first = await run_sync(source)
    service.put_page("3", "Badges", "<p>Wear your badge at all times.</p>", version=2)
    asked = service.count("body-format")
    second = await run_sync(source)
    assert (first.added, second.updated, second.unchanged, service.count("body-format") - asked) == (3, 1, 2, 1)
    assert {one.title for one in await documents.find(["group:people"])} == {"Leave", "Travel & <costs>", "Badges"}


async def test_a_page_in_the_trash_is_gone(
    service: FakeConfluence, source: ConfluenceSource, run_sync: Sync, documents: Documents
) -> None:
    await run_sync(source)
    service.pages["1"]["status"] = "trashed"
    assert ((await run_sync(source)).removed, await documents.find_all()) == (1, [])


async def test_a_restriction_counts_at_the_next_run_without_reading(
    service: FakeConfluence, source: ConfluenceSource, run_sync: Sync, documents: Documents
) -> None:
    await run_sync(source)
    service.restrictions = {"1": (["ann"], [])}
    report = await run_sync(source)
    assert (report.updated, service.count("body-format")) == (0, 1)
    assert (await documents.find(["group:people"]), len(await documents.find(["user:ann@example.com"]))) == ([], 1)


async def test_an_outage_half_way_removes_nothing(
    service: FakeConfluence, source: ConfluenceSource, run_sync: Sync, documents: Documents
) -> None:
    await run_sync(source)
    service.pages.clear()
    service.outages = {"/pages": [500, 502, 503]}
    report = await run_sync(source)
    assert (report.removed, len(report.away), len(await documents.find_all())) == (0, 1, 1)


async def test_a_limit_is_waited_for(service: FakeConfluence, source: ConfluenceSource) -> None:
    service.limits = ["0", "0"]
    assert await list_rules(source) == {"1": ["group:people"]}


async def test_a_refused_token_says_so_and_is_not_shown(service: FakeConfluence, source: ConfluenceSource) -> None:
    service.authorization = "Basic other"
    with pytest.raises(SourceAwayError, match=r"refused our credentials \(status 401\)") as caught:
        await list_all(source)
    assert "token-1" not in str(caught.value)


async def test_an_unknown_space_is_named(service: FakeConfluence, source: ConfluenceSource) -> None:
    service.spaces = {"OPS": "200"}
    with pytest.raises(InvalidInputError, match="expected the spaces HR"):
        await list_all(source)


async def test_a_page_that_is_refused_is_named_and_the_rest_goes_in(
    service: FakeConfluence, source: ConfluenceSource, run_sync: Sync
) -> None:
    service.put_page("2", "Travel", "<p>Book the train early.</p>")
    service.outages = {"/pages/1?": [403]}
    report = await run_sync(source)
    assert (report.added, [isinstance(one, Failure) for one in report.failed]) == (1, [True])


async def test_a_page_has_the_date_of_its_version(service: FakeConfluence, source: ConfluenceSource) -> None:
    assert await list_dates(source) == {"1": datetime(2026, 1, 1, tzinfo=UTC)}
