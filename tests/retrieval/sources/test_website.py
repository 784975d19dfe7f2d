"""Web sites: sitemaps, robots.txt, one host, limits, ETags, and no way into the network."""

import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from yarl import URL

from core.errors import InvalidInputError
from retrieval.documents import Documents
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.http import is_public
from retrieval.sources.sitemap import MAX_BYTES, parse_sitemap
from retrieval.sources.source import Entry, Failure, SourceAwayError
from retrieval.sources.website import WebsiteSource, build_page_path
from tests.fakes.website import FakeWebsite
from tests.retrieval.sources.conftest import Sync, list_all

SITEMAP = '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</urlset>'


def sitemap(*addresses: str) -> str:
    return SITEMAP.format("".join(f"<url><loc> {address}\n</loc></url>" for address in addresses))


@pytest.fixture
async def site() -> AsyncIterator[FakeWebsite]:
    async with FakeWebsite() as fake:
        fake.put("/", "<h1>Home</h1><p>Welcome to the company.</p>")
        fake.put("/leave", "<h1>Leave</h1><p>Employees get 23 days of leave.</p>")
        yield fake


def build(site: FakeWebsite, *paths: str, sitemaps: tuple[str, ...] = (), **options: object) -> WebsiteSource:
    return WebsiteSource(
        "site",
        urls=[site.url + path for path in paths],
        sitemaps=[site.url + path for path in sitemaps],
        rule=AccessRule(["everyone"]),
        allow_private=True,
        pause_seconds=0.001,
        **options,  # type: ignore[arg-type]
    )


async def list_paths(source: WebsiteSource) -> list[str]:
    listed = await list_all(source)
    await source.close()
    return [URL(one.key).path for one in listed if isinstance(one, Entry)]


async def test_pages_are_read_once_and_asked_for_by_etag(
    site: FakeWebsite, run_sync: Sync, documents: Documents
) -> None:
    site.etags = {"/leave": '"1"'}
    source = build(site, "/", "/leave")
    first, second = await run_sync(source), await run_sync(source)
    site.etags = {"/leave": '"2"'}
    site.put("/leave", "<h1>Leave</h1><p>Employees get 25 days of leave.</p>")
    third = await run_sync(source)
    await source.close()
    assert (first.added, second.unchanged, third.updated, third.unchanged) == (2, 2, 1, 1)
    assert [headers.get("If-None-Match") for headers in site.headers if headers.get("If-None-Match")] == ['"1"'] * 2


async def test_a_sitemap_an_index_and_packed_ones_are_followed(site: FakeWebsite) -> None:
    index = f"<sitemapindex><sitemap><loc>{site.url}/a.xml.gz</loc></sitemap></sitemapindex>"
    site.put("/sitemap.xml", index, "application/xml")
    site.put("/a.xml.gz", gzip.compress(sitemap(f"{site.url}/", f"{site.url}/leave").encode()), "application/gzip")
    assert await list_paths(build(site, sitemaps=("/sitemap.xml",))) == ["/", "/leave"]


async def test_a_sitemap_that_is_away_removes_nothing(site: FakeWebsite, run_sync: Sync, documents: Documents) -> None:
    site.put("/sitemap.xml", sitemap(f"{site.url}/leave"), "application/xml")
    source = build(site, sitemaps=("/sitemap.xml",))
    await run_sync(source)
    del site.pages["/sitemap.xml"]
    report = await run_sync(source)
    await source.close()
    assert (report.removed, len(report.away), len(await documents.find_all())) == (0, 1, 1)


async def test_a_page_that_is_gone_is_gone(site: FakeWebsite, run_sync: Sync, documents: Documents) -> None:
    source = build(site, "/", "/leave")
    await run_sync(source)
    del site.pages["/leave"]
    report = await run_sync(source)
    await source.close()
    assert (report.removed, [one.title for one in await documents.find_all()]) == (1, ["Home"])


async def test_what_robots_txt_forbids_is_not_asked_for(site: FakeWebsite, run_sync: Sync) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /leave\n", "text/plain")
    source = build(site, "/", "/leave")
    report = await run_sync(source)
    await source.close()
    assert (report.added, [one.reason for one in report.failed]) == (1, ["robots.txt does not let us read it"])
    assert site.count("/leave") == 0


async def test_robots_txt_that_is_away_allows_nothing(site: FakeWebsite) -> None:
    site.outages = {"/robots.txt": [503] * 3}
    source = build(site, "/")
    with pytest.raises(SourceAwayError):
        await list_all(source)
    await source.close()


async def test_other_hosts_are_named_and_not_read(site: FakeWebsite) -> None:
    site.put("/sitemap.xml", sitemap("https://other.example/x", f"{site.url}/leave"), "application/xml")
    source = build(site, sitemaps=("/sitemap.xml",))
    listed = await list_all(source)
    await source.close()
    assert [type(one) for one in listed] == [Failure, Entry]


async def test_a_redirect_to_another_host_is_refused(site: FakeWebsite, run_sync: Sync) -> None:
    site.redirects = {"/leave": "http://localhost.example/leave", "/": "/leave-home"}
    site.put("/leave-home", "<h1>Home</h1><p>Welcome.</p>")
    source = build(site, "/", "/leave")
    report = await run_sync(source)
    await source.close()
    assert (report.added, report.failed[0].reason) == (
        1,
        "expected to stay on 127.0.0.1, was sent to localhost.example",
    )


async def test_a_limit_of_pages_leaves_the_rest_and_removes_nothing(
    site: FakeWebsite, run_sync: Sync, documents: Documents
) -> None:
    whole = build(site, "/", "/leave")
    await run_sync(whole)
    await whole.close()
    source = build(site, "/", "/leave", max_pages=1)
    report = await run_sync(source)
    await source.close()
    assert (report.removed, len(await documents.find_all()), report.failed[0].path) == (0, 2, "./")


async def test_an_address_inside_the_network_is_refused(site: FakeWebsite) -> None:
    source = WebsiteSource("site", urls=[f"{site.url}/"], sitemaps=[], rule=AccessRule(["everyone"]))
    with pytest.raises(SourceAwayError, match="inside a network; allow_private = true"):
        await list_all(source)
    await source.close()
    assert site.requests == []


async def test_a_name_that_leads_inside_the_network_is_refused(site: FakeWebsite) -> None:
    port = URL(site.url).port
    address = f"http://ip6-localhost:{port}/"
    source = WebsiteSource("site", urls=[address], sitemaps=[], rule=AccessRule(["everyone"]), pause_seconds=0.001)
    with pytest.raises(SourceAwayError):
        await list_all(source)
    await source.close()
    assert site.requests == []


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("10.0.0.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("::1", False),
        ("[::ffff:10.0.0.1]", False),
        ("localhost", False),
        ("0.0.0.0", False),
        ("8.8.8.8", True),
        ("example.com", True),
    ],
)
def test_private_addresses_are_told_from_public_ones(host: str, public: bool) -> None:
    assert is_public(host) is public


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("https://x.example", "x.example/index.html"),
        ("https://x.example/hr/", "x.example/hr/index.html"),
        ("https://x.example/hr/leave", "x.example/hr/leave.html"),
        ("https://x.example/a/plan.pdf", "x.example/a/plan.pdf"),
        ("https://x.example/%ED%9C%B4%EA%B0%80", "x.example/휴가.html"),
        ("https://x.example/p?id=1", "x.example/p@id=1.html"),
        ("https://x.example/a/%2e%2e%2fetc", "x.example/a/.. etc.html"),
    ],
)
def test_an_address_becomes_a_path(address: str, path: str) -> None:
    assert build_page_path(URL(address)) == path


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><urlset><url><loc>&a;</loc></url></urlset>',
        gzip.compress(b"x" * (MAX_BYTES + 1)),
        b"\x1f\x8bbroken",
    ],
)
def test_what_is_no_sitemap_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        parse_sitemap(content)


async def test_a_page_has_the_date_of_its_sitemap_else_of_its_answer_unless_it_is_made_anew(
    site: FakeWebsite, run_sync: Sync, documents: Documents
) -> None:
    began = datetime.now(UTC)
    dated = f"<url><lastmod>2026-05-03</lastmod><loc>{site.url}/leave</loc></url><url><loc>{site.url}/</loc></url>"
    site.put("/map.xml", SITEMAP.format(dated), "application/xml")
    site.put("/new", "<h1>New</h1><p>Made anew for each reader.</p>")
    march = "Sun, 01 Mar 2026 00:00:00 GMT"
    site.modified = {"/": march, "/leave": march, "/new": format_datetime(began, usegmt=True)}
    source = build(site, "/new", sitemaps=("/map.xml",))
    await run_sync(source)
    dates = {one.title: one.changed_at for one in await documents.find_all()}
    assert (dates["Leave"], dates["Home"]) == (datetime(2026, 5, 3, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    assert dates["New"] >= began
    await source.close()
