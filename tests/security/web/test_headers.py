"""What every answer carries, and cookies that no script and no other site sees."""

import re
from pathlib import Path

from core.database import Database
from tests.bot.web.site import Site, run_site
from tests.fakes.openid import FakeOpenId
from tests.security.web.conftest import build_sign_in
from tests.security.web.signing_in import begin, come_back

WEB = Path(__file__).parents[3] / "bot" / "web"
PATHS = ("/", "/none", "/static/chat.js", "/healthz", "/console", "/api/conversations/abcdefgh", "/language/ko")


async def test_every_answer_is_fenced(site: Site) -> None:
    client = await site.new_client()
    for path in PATHS:
        headers = (await client.get(path, allow_redirects=False)).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'", path
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'", path
        assert "unsafe" not in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert (headers["Cross-Origin-Opener-Policy"], headers["Server"]) == ("same-origin", "nightbake"), path
        assert "geolocation=()" in headers["Permissions-Policy"], path
        assert "Strict-Transport-Security" not in headers, path


async def test_over_https_cookies_are_bound_to_this_host_and_browsers_told_to_stay(
    database: Database, openid: FakeOpenId
) -> None:
    base_url = "https://nightbake.test"
    async with run_site(database, base_url=base_url, sign_in=build_sign_in(openid, base_url=base_url)) as site:
        client = await site.new_client()
        address = await begin(client)
        began = await client.get("/sign-in", allow_redirects=False)
        held = {cookie.key: cookie.value for cookie in began.cookies.values()}
        address = began.headers["Location"]
        parts = openid.sign_in(address).removeprefix(base_url)
        ended = await client.get(parts, allow_redirects=False, cookies=held)
        cookies = [*began.cookies.values(), *ended.cookies.values()]
        assert [cookie.key for cookie in cookies] == ["__Host-nightbake_sign_in", "__Host-nightbake_session"]
        for cookie in cookies:
            assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
            assert (cookie["path"], cookie["domain"]) == ("/", "")
        assert ended.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_no_template_holds_a_script_a_style_or_an_unescaped_value() -> None:
    for template in (WEB / "templates").rglob("*.html"):
        text = template.read_text()
        inline = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son\w+=", text)
        assert (template.name, inline, re.findall(r"\|\s*safe\b|autoescape false", text)) == (template.name, [], [])


def test_no_script_makes_markup_of_text() -> None:
    for script in (WEB / "static").glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script.read_text()
        )


async def test_a_session_of_another_prefix_is_not_taken(database: Database, openid: FakeOpenId) -> None:
    """Over https a cookie without the prefix could come from a subdomain or from plain http."""
    base_url = "https://nightbake.test"
    async with run_site(database, base_url=base_url) as site:
        client = await site.new_client()
        opened = await client.get("/console", params={"token": "correct-horse-battery-staple"}, allow_redirects=False)
        value = opened.cookies["__Host-nightbake_session"].value
        plain = await client.get("/console", cookies={"nightbake_session": value})
        bound = await client.get("/console", cookies={"__Host-nightbake_session": value})
        assert (plain.status, bound.status) == (401, 200)
        assert (await come_back(client, f"{base_url}/sign-in/back?state=a")).status == 404
