"""Signing in, a reviewer's console and signing out, in a real browser; pictures of each for people to look at."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from core.database import Database
from tests.bot.web.site import Site, run_site
from tests.fakes.openid import FakeOpenId
from tests.learning.log import log_answer, make_passage, vote
from tests.ports import find_free_port
from tests.security.web.conftest import build_sign_in

pytestmark = pytest.mark.browser

# A folder, where somebody wants to see.
PICTURES = os.environ.get("NIGHTBAKE_PICTURES")


@dataclass
class Visit:
    site: Site
    page: Page
    errors: list[str]

    async def picture(self, name: str) -> None:
        if PICTURES:
            await self.page.screenshot(path=Path(PICTURES) / f"{name}.png")


@pytest.fixture(params=["en-US", "ko-KR"])
async def visit(
    request: pytest.FixtureRequest,
    database: Database,
    openid: FakeOpenId,
    browser: Browser,
) -> AsyncIterator[Visit]:
    port = find_free_port()
    base_url = f"http://127.0.0.1:{port}"
    openid.claims = {"sub": "ann", "email": "ann@example.com", "name": "Ann Lee", "groups": ["reviewers"]}
    async with AsyncExitStack() as stack:
        settings = build_sign_in(openid, base_url=base_url)
        site = await stack.enter_async_context(run_site(database, port=port, base_url=base_url, sign_in=settings))
        context = await browser.new_context(locale=request.param, viewport={"width": 1100, "height": 760})
        page = await context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        yield Visit(site, page, errors)
        await context.close()


async def test_a_reviewer_signs_in_reviews_is_denied_and_signs_out(visit: Visit, database: Database) -> None:
    answer = await log_answer(database, "How long is lunch?", [make_passage("lunch", 4)], "For 4 days.")
    for person, value in (("user:a", 1), ("user:b", -1)):
        await vote(database, answer, person, value)
    page, language = visit.page, await visit.page.evaluate("navigator.language.slice(0, 2)")
    await page.goto(f"{visit.site.url}/console")
    await expect(page.locator("h1")).to_have_text("Example Corp")
    await page.locator("#yes").click()
    await expect(page).to_have_url(f"{visit.site.url}/console/pairs")
    await expect(page.locator(".rooms a")).to_have_count(2)
    await visit.picture(f"reviewer-{language}")

    await page.goto(f"{visit.site.url}/")
    await page.locator("#question").fill("How many days of annual leave do I have?")
    await page.keyboard.press("Enter")
    await expect(page.locator(".text")).to_contain_text("23 days")
    await visit.picture(f"chat-{language}")
    assert visit.errors == []

    response = await page.goto(f"{visit.site.url}/console/audit")
    assert response
    await visit.picture(f"denied-{language}")
    assert response.status == 403

    await page.goto(f"{visit.site.url}/console/exercises")
    await page.locator("#sign-out").click()
    await expect(page).to_have_url(f"{visit.site.url}/signed-out")
    await visit.picture(f"signed-out-{language}")
    await page.goto(f"{visit.site.url}/passages/11")
    await expect(page.locator("h1")).to_have_text("Example Corp")


async def test_an_admin_reads_the_audit_log(visit: Visit, openid: FakeOpenId) -> None:
    openid.claims["groups"] = ["admins"]
    page, language = visit.page, await visit.page.evaluate("navigator.language.slice(0, 2)")
    await visit.site.adapters.register(name="night-1", folder="/a", base_model="base", sha256="00", manifest={})
    await page.goto(f"{visit.site.url}/console/adapters")
    await page.locator("#yes").click()
    page.on("dialog", lambda dialog: dialog.accept())
    async with page.expect_navigation():
        await page.locator("td button").click()
    await page.goto(f"{visit.site.url}/console/audit")
    await expect(page.locator("tbody tr")).to_have_count(2)
    await expect(page.locator("tbody")).to_contain_text("ann@example.com")
    await visit.picture(f"audit-{language}")
    assert visit.errors == []


async def test_without_a_sign_in_service_the_token_is_typed(browser: Browser, database: Database) -> None:
    async with run_site(database) as site:
        page = await (await browser.new_context(locale="en-US", viewport={"width": 900, "height": 600})).new_page()
        await page.goto(f"{site.url}/console")
        await page.get_by_label("Token").fill("wrong")
        await page.get_by_role("button", name="Open the console").click()
        await expect(page.locator("#told")).to_contain_text("opens nothing")
        await Visit(site, page, []).picture("locked-en")
        await page.get_by_label("Token").fill("correct-horse-battery-staple")
        await page.get_by_role("button", name="Open the console").click()
        await expect(page.locator("h1")).to_have_text("Overview")
        await Visit(site, page, []).picture("overview-en")
