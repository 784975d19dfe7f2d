"""The page in a real browser: typed, streamed, opened, judged, corrected, reloaded, and checked in the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from core.database import Database
from core.gaps import Gaps
from core.records import Question
from tests.bot.web.site import LEAVE, TOKEN, Site, run_site
from tests.eventually import eventually
from tests.fakes.model_server import FakeModelServer

pytestmark = pytest.mark.browser

QUESTION = "How many days of annual leave do I have?"
XSS = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture
async def site(database: Database) -> AsyncIterator[Site]:
    """A model whose pieces come only when the test lets them."""
    async with run_site(database, model=FakeModelServer(gate=asyncio.Semaphore(0)), stall_seconds=30) as site:
        yield site


@pytest.fixture
async def page(browser: Browser, site: Site) -> AsyncIterator[Page]:
    context = await browser.new_context(locale="en-US")
    async with _open(context, site.url) as page:
        yield page
    await context.close()


async def test_a_question_is_asked_streamed_judged_corrected_and_found_again(site: Site, page: Page) -> None:
    await page.keyboard.type(QUESTION)
    await page.keyboard.press("Enter")
    await expect(page.locator(".status")).to_have_text("Reading the documents…")
    for text in ("Employees", "Employees have", "Employees have 23"):
        _let(site, 1)
        await expect(page.locator(".text[aria-busy]")).to_have_text(text)
    _let(site, 50)
    await page.locator(".text .cite").click()
    await expect(page.locator(".panel mark")).to_have_text(LEAVE.text)
    await expect(page.locator(".panel h2")).to_have_text("Employee handbook")

    await page.get_by_role("button", name="Good answer").click()
    await expect(page.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("button", name="Bad answer").click()
    await page.get_by_label("The right answer, as you would say it").fill("It is 24 days since May.")
    await page.get_by_label("What is wrong?").select_option("outdated")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".corrected blockquote")).to_have_text("It is 24 days since May.")
    assert await _find_votes(site.database) == [
        (1, None, None),
        (-1, None, None),
        (-1, "It is 24 days since May.", "outdated"),
    ]

    await page.reload()
    await expect(page.locator(".asked")).to_have_text(QUESTION)
    await expect(page.locator(".text")).to_contain_text("Employees have 23 days of annual leave.")
    await expect(page.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("button", name="Edit").click()
    await page.get_by_label("The right answer, as you would say it").fill("It is 25 days.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".corrected blockquote")).to_have_text("It is 25 days.")
    assert (await _find_votes(site.database))[-1] == (-1, "It is 25 days.", "outdated")


async def test_a_vote_is_taken_back_by_the_same_button(site: Site, page: Page) -> None:
    await _ask(site, page)
    button = page.get_by_role("button", name="Good answer")
    await button.click()
    await expect(page.locator(".tools .said")).to_have_text("Thank you.")
    await button.click()
    await expect(page.locator(".tools .said")).to_have_text("Vote withdrawn.")
    await expect(button).to_have_attribute("aria-pressed", "false")
    assert await _find_votes(site.database) == [(1, None, None), (0, None, None)]


async def test_a_reload_amid_the_stream_goes_on(site: Site, page: Page) -> None:
    await page.keyboard.type(QUESTION)
    await page.keyboard.press("Enter")
    _let(site, 2)
    await expect(page.locator(".text[aria-busy]")).to_have_text("Employees have")
    await page.reload()
    await expect(page.locator(".text[aria-busy]")).to_have_text("Employees have")
    _let(site, 50)
    await expect(page.locator(".sources")).to_be_visible()


async def test_everything_works_by_keyboard(site: Site, page: Page) -> None:
    await page.keyboard.type("first line")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("how many days of leave?")
    await expect(page.locator("#question")).to_have_value("first line\nhow many days of leave?")
    _let(site, 50)
    await page.keyboard.press("Enter")
    await expect(page.locator(".tools")).to_be_visible()
    await page.keyboard.press("Alt+ArrowUp")
    await expect(page.locator("#question")).to_have_value("first line\nhow many days of leave?")
    await page.locator("#question").fill("")

    await _tab_to(page, "Open source 1: Employee handbook")
    await page.keyboard.press("Enter")
    await expect(page.locator(".panel mark")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator(".panel")).to_be_hidden()
    assert await _focused(page) == "Open source 1: Employee handbook"
    await _tab_to(page, "Bad answer", backwards=False)
    await page.keyboard.press("Space")
    await page.keyboard.type("24 days.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".corrected blockquote")).to_have_text("24 days.")

    async def is_stored() -> bool:
        return (-1, "24 days.", None) in await _find_votes(site.database)

    assert await eventually(is_stored)


async def test_enter_while_composing_korean_does_not_send(site: Site, page: Page) -> None:
    session = await page.context.new_cdp_session(page)
    await session.send("Input.imeSetComposition", {"text": "휴가", "selectionStart": 2, "selectionEnd": 2})
    await page.evaluate(
        "document.getElementById('question').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    await expect(page.locator(".turn")).to_have_count(0)
    await session.send("Input.insertText", {"text": "휴가"})
    _let(site, 50)
    await page.keyboard.press("Enter")
    await expect(page.locator(".asked")).to_have_text("휴가")


async def test_markup_from_anyone_stays_text(site: Site, page: Page) -> None:
    site.search.passages = [replace(LEAVE, title=XSS, heading_path=XSS, text=f"{LEAVE.text} {XSS}", path=XSS)]
    site.model.answer = f"Employees have 23 days of annual leave. [1] {XSS} **{XSS}**"
    await _ask(site, page, f"annual leave days? {XSS}")
    await page.locator(".source").first.click()
    await expect(page.locator(".panel mark")).to_contain_text(XSS)
    await expect(page.locator(".asked")).to_contain_text(XSS)
    assert await page.locator("main img, main script, dialog img, dialog script").count() == 0
    assert await page.title() == "Nightbake"


async def test_a_lost_network_is_told_and_the_question_sent_again_once(site: Site, page: Page) -> None:
    await page.context.set_offline(True)
    await page.keyboard.type(QUESTION)
    await page.keyboard.press("Enter")
    await expect(page.locator(".trouble")).to_contain_text("could not be sent")
    await page.context.set_offline(False)
    _let(site, 50)
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".tools")).to_be_visible()
    assert len(await site.database.fetch_dicts(b"SELECT id FROM inbox")) == 1


@pytest.mark.parametrize("way", ["click", "Escape"])
async def test_an_answer_is_stopped_amid_its_words_and_judged(site: Site, page: Page, way: str) -> None:
    button = page.get_by_role("button", name="Stop the answer")
    await expect(button).to_be_hidden()
    await page.keyboard.type(QUESTION)
    await page.keyboard.press("Enter")
    _let(site, 2)
    await expect(page.locator(".text[aria-busy]")).to_have_text("Employees have")
    await (button.click() if way == "click" else page.keyboard.press("Escape"))
    await expect(page.locator(".text")).to_have_text("Employees have")
    await expect(page.locator(".notice")).to_have_text("Stopped.")
    await expect(button).to_be_hidden()
    await expect(page.locator("#question")).to_be_focused()

    async def is_disconnected() -> bool:
        return site.model.disconnects == 1

    assert await eventually(is_disconnected)
    await page.get_by_role("button", name="Good answer").click()
    await expect(page.locator(".tools .said")).to_have_text("Thank you.")
    await page.reload()
    await expect(page.locator(".notice")).to_have_text("Stopped.")
    await expect(button).to_be_hidden()


async def test_escape_closes_a_source_before_it_stops_an_answer(site: Site, page: Page) -> None:
    await _ask(site, page)
    assert site.model.gate
    while not site.model.gate.locked():
        await site.model.gate.acquire()
    await page.keyboard.type(QUESTION)
    await page.keyboard.press("Enter")
    await page.locator(".source").first.click()
    await expect(page.locator(".panel mark")).to_be_visible()
    await page.locator("#question").focus()
    await page.keyboard.press("Escape")
    await expect(page.locator(".panel")).to_be_hidden()
    await expect(page.get_by_role("button", name="Stop the answer")).to_be_visible()
    await page.locator("#question").focus()
    await page.keyboard.press("Escape")
    await expect(page.locator(".text").last).to_have_text("Stopped before the answer began.")


async def test_a_question_that_failed_is_asked_again_by_one_click(site: Site, page: Page) -> None:
    site.search.error = RuntimeError("the index is gone")
    await page.keyboard.type(QUESTION)
    await page.keyboard.press("Enter")

    async def is_buried() -> bool:
        await site.database.execute(b"UPDATE inbox SET available_at = now()")
        return bool(await site.database.fetch_dicts(b"SELECT id FROM inbox WHERE buried_at IS NOT NULL"))

    await eventually(is_buried)
    await expect(page.locator(".trouble")).to_contain_text("Something went wrong on our side.")
    await page.reload()
    await expect(page.locator(".trouble")).to_contain_text("Something went wrong on our side.")
    await expect(page.locator(".tools")).to_have_count(0)
    site.search.error = None
    _let(site, 50)
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".text")).to_contain_text("23 days")
    await expect(page.locator(".asked")).to_have_count(2)
    await expect(page.get_by_role("button", name="Try again")).to_have_count(0)


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
async def test_a_narrow_phone_needs_no_sideways_scrolling(browser: Browser, site: Site, locale: str) -> None:
    context = await browser.new_context(viewport={"width": 360, "height": 700}, locale=locale)
    site.model.answer = f"Employees have 23 days of annual leave. [1]\n\n| a | b |\n|---|---|\n| {'x' * 90} | 2 |"
    async with _open(context, site.url) as page:
        assert await _width(page) == 360
        await _ask(site, page, "annual leave " + "가나다라마바사" * 12)
        assert await _width(page) == 360
        await page.locator(".tool.bad").click()
        assert await _width(page) == 360
        await page.locator(".source").first.click()
        await expect(page.locator(".panel mark")).to_be_visible()
        assert await _width(page) == 360
    await context.close()


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
async def test_the_console_fits_a_narrow_phone_without_errors(browser: Browser, site: Site, locale: str) -> None:
    await site.adapters.register(name=f"night-{'9' * 40}", folder="/a", base_model="b" * 60, sha256="0", manifest={})
    begun = await site.interactions.begin(Question("web", "c", "user:ann", ["everyone"], "why? " * 600, "en"))
    await Gaps(site.database).file(begun.id, "x" * 300, "en", nearest=["Travel policy " * 20])
    context = await browser.new_context(viewport={"width": 360, "height": 700}, locale=locale)
    page = await context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    await page.goto(f"{site.url}/console?token={TOKEN}")
    for room in ("", "/answers", "/gaps", "/adapters", "/nights", "/pairs", "/disagreements", "/documents"):
        await page.goto(f"{site.url}/console{room}")
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert (room, width, errors) == (room, 360, [])
        await expect(page.locator("#progress")).to_be_hidden()
    await context.close()


async def test_an_acknowledged_question_survives_a_restart(browser: Browser, database: Database) -> None:
    context = await browser.new_context(locale="en-US")
    async with run_site(database) as first:
        await first.worker.stop()
        port = int(first.url.rsplit(":", 1)[1])
        page = await context.new_page()
        await page.goto(first.url)
        await page.locator("#question").fill(QUESTION)
        async with page.expect_request("**/events"):
            await page.keyboard.press("Enter")
    await expect(page.locator(".status")).to_contain_text("The connection was lost")
    async with run_site(database, port=port):
        await expect(page.locator(".text")).to_contain_text("23 days", timeout=15_000)
        await context.close()


@asynccontextmanager
async def _open(context: BrowserContext, address: str) -> AsyncIterator[Page]:
    """The chat page; an error of a script, or anything that the policy blocks, fails the test."""
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    await page.goto(address)
    await expect(page.locator("#question")).to_be_focused()
    await page.wait_for_load_state("networkidle")
    yield page
    assert [error for error in errors if "ERR_INTERNET_DISCONNECTED" not in error] == []


def _let(site: Site, pieces: int) -> None:
    """Let the model say so many more words."""
    assert site.model.gate
    for _ in range(pieces):
        site.model.gate.release()


async def _ask(site: Site, page: Page, text: str = QUESTION) -> None:
    _let(site, 80)
    await page.locator("#question").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator(".tools")).to_be_visible()


async def _focused(page: Page) -> str:
    return await page.evaluate("document.activeElement.ariaLabel ?? ''")


async def _tab_to(page: Page, label: str, *, backwards: bool = True) -> None:
    for _ in range(12):
        await page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if await _focused(page) == label:
            return
    raise AssertionError(f"no {label!r} within twelve tabs")


async def _width(page: Page) -> int:
    return await page.evaluate(
        "Math.max(document.documentElement.scrollWidth, document.querySelector('.talk').scrollWidth)"
    )


async def _find_votes(database: Database) -> list[tuple[int, str | None, str | None]]:
    rows = await database.fetch_dicts(b"SELECT value, correction, reason FROM feedback ORDER BY id")
    return [(row["value"], row["correction"], row["reason"]) for row in rows]
