"""Pages: both languages, sources for those who may read them, headers on everything."""

from dataclasses import replace

import pytest
from aiohttp.test_utils import TestClient

from tests.bot.web.site import LEAVE, Site

XSS = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("en-GB,en;q=0.9,ko;q=0.5", "en"),
        ("fr;q=0.9,ko;q=0.3", "ko"),
        ("de", "en"),
        ("ko;q=0", "en"),
        ("", "en"),
        (";;;=,q=", "en"),
    ],
)
async def test_the_page_speaks_the_browsers_language(client: TestClient, accepted: str, language: str) -> None:
    page = await (await client.get("/", headers={"Accept-Language": accepted})).text()
    assert f'<html lang="{language}">' in page


async def test_a_chosen_language_stays(client: TestClient) -> None:
    page = await (await client.get("/language/ko", headers={"Accept-Language": "en"})).text()
    assert '<html lang="ko">' in page


@pytest.mark.parametrize(
    "path", ["/", "/none", "/static/chat.js", "/healthz", "/console", "/api/conversations/abcdefgh"]
)
async def test_every_response_has_a_strict_policy(client: TestClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_the_chat_page_holds_no_inline_script(client: TestClient) -> None:
    page = await (await client.get("/")).text()
    assert page.count("<script") == 2
    assert '<script type="application/json"' in page
    assert '<script type="module" src="/static/chat.js">' in page
    assert " style=" not in page


async def test_a_source_opens_at_the_cited_passage(client: TestClient) -> None:
    page = await (await client.get("/passages/11")).text()
    assert f"<mark>{LEAVE.text}</mark>" in page
    assert "changed 2026-05-03" in page
    assert ("Time off &gt; Annual leave" in page, "page 4" in page, "handbook/leave.md" in page) == (True, True, True)


@pytest.mark.parametrize("path", ["/passages/11", "/api/passages/11"])
async def test_a_source_is_hidden_from_who_may_not_read_it(site: Site, client: TestClient, path: str) -> None:
    site.principals[:] = ["interns"]
    response = await client.get(path)
    assert (response.status, "23 days" in await response.text()) == (404, False)


async def test_markup_in_a_document_is_shown_as_text(site: Site, client: TestClient) -> None:
    site.search.passages = [replace(LEAVE, title=XSS, text=XSS, heading_path=XSS, path=XSS)]
    page = await (await client.get("/passages/11")).text()
    assert (XSS in page, page.count("&lt;script&gt;") >= 4) == (False, True)


async def test_markup_in_an_address_is_shown_as_text(client: TestClient) -> None:
    page = await (await client.get(f"/{XSS}")).text()
    assert XSS not in page


async def test_health_names_its_parts(client: TestClient) -> None:
    response = await client.get("/healthz")
    assert (response.status, await response.json()) == (200, {"status": "ok", "parts": {"database": True}})
