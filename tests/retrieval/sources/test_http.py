"""Requests to a source: how long to wait, how large an answer may be, and where credentials go."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic

import pytest

from core.errors import InvalidInputError
from retrieval.sources.http import HttpClient
from retrieval.sources.source import GoneError, SourceAwayError
from retrieval.sources.tokens import authorise_with_token
from tests.fakes.website import FakeWebsite


@pytest.fixture
async def site() -> AsyncIterator[FakeWebsite]:
    async with FakeWebsite() as fake:
        fake.put("/api/x", '{"rows": [1]}', "application/json")
        yield fake


@pytest.fixture
async def http(site: FakeWebsite) -> AsyncIterator[HttpClient]:
    authorise = authorise_with_token("secret-1")
    client = HttpClient(f"{site.url}/api", authorise=authorise, attempts=3, pause_seconds=0.001, max_wait_seconds=2)
    yield client
    await client.close()


async def test_an_outage_is_tried_again(site: FakeWebsite, http: HttpClient) -> None:
    site.outages = {"/api/x": [500, 503]}
    assert await http.get_json("x") == {"rows": [1]}


async def test_a_server_that_says_how_long_is_waited_for(site: FakeWebsite, http: HttpClient) -> None:
    site.limits = ["0.5"]
    began = monotonic()
    await http.get_json("x")
    assert monotonic() - began >= 0.5


async def test_a_server_that_names_a_time_is_waited_for(site: FakeWebsite, http: HttpClient) -> None:
    site.limits = [format_datetime(datetime.now(UTC) - timedelta(seconds=5), usegmt=True)]
    assert await http.get_json("x") == {"rows": [1]}


async def test_a_server_that_wants_too_long_a_wait_is_away(site: FakeWebsite, http: HttpClient) -> None:
    site.limits = ["3600"]
    with pytest.raises(SourceAwayError, match="status 429"):
        await http.get_json("x")
    assert len(site.requests) == 1


async def test_no_server_is_away(http: HttpClient, site: FakeWebsite) -> None:
    await site.__aexit__(None, None, None)
    with pytest.raises(SourceAwayError, match="tried 3 times"):
        await http.get_json("x")


async def test_what_is_not_there_is_gone(http: HttpClient) -> None:
    with pytest.raises(GoneError):
        await http.get_json("nothing")


async def test_what_is_no_json_is_away(site: FakeWebsite, http: HttpClient) -> None:
    site.put("/api/y", "<html>sign in</html>")
    with pytest.raises(SourceAwayError, match="expected JSON"):
        await http.get_json("y")


async def test_an_answer_over_the_limit_is_refused(site: FakeWebsite, http: HttpClient) -> None:
    site.put("/api/large", "x" * 1001)
    with pytest.raises(InvalidInputError, match="expected at most 1,000 bytes"):
        await http.get_bytes("large", max_bytes=1000)


async def test_a_next_page_on_another_host_is_not_followed(http: HttpClient) -> None:
    with pytest.raises(SourceAwayError, match=r"was sent to evil\.example"):
        await http.get_json("https://evil.example/next")


async def test_a_redirect_elsewhere_does_not_carry_our_token(site: FakeWebsite, http: HttpClient) -> None:
    async with FakeWebsite() as other:
        other.put("/file", "content")
        site.redirects = {"/api/file": f"{other.url}/file"}
        found = await http.get_bytes("file", max_bytes=1000)
    assert (found.content, "Authorization" in site.headers[0], "Authorization" in other.headers[0]) == (
        b"content",
        True,
        False,
    )


async def test_redirects_in_a_circle_end(site: FakeWebsite, http: HttpClient) -> None:
    site.redirects = {"/api/a": "/api/b", "/api/b": "/api/a"}
    with pytest.raises(InvalidInputError, match="sent on 5 times"):
        await http.get_bytes("a", max_bytes=1000)
