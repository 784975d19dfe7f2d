"""The page of pairs: walked, judged and edited by keyboard, and every word of it in the tables."""

import re
from collections.abc import AsyncIterator
from typing import Any, get_args

import pytest
from aiohttp.test_utils import TestClient
from playwright.async_api import Browser, Page, expect

from bot.web.console_pairs import ORIGINS
from bot.web.console_wording import CONSOLE
from core.database import Database
from learning.blame import WritingFault
from learning.night import NightSettings
from learning.rehearse import rehearse
from learning.signals import SIGNALS, Origin
from tests.bot.web.site import TOKEN, Site
from tests.learning.log import log_answer, log_corrected_night, make_passage, vote

XSS = "<img src=x onerror=\"document.title='owned'\">"
REVIEWS = b"SELECT pair_id, verdict, chosen, reviewer FROM pair_reviews ORDER BY id"


@pytest.fixture
async def admin(site: Site) -> AsyncIterator[TestClient]:
    client = await site.new_client()
    assert (await client.get("/console", params={"token": TOKEN})).status == 200
    yield client


async def collect(database: Database, count: int = 3) -> list[int]:
    """Pairs of corrections; their ids, newest first as the page shows them."""
    await log_corrected_night(database, count)
    await rehearse(database=database, model_server=None, settings=NightSettings("base"), requested_by="test")
    return [row["id"] for row in await database.fetch_dicts(b"SELECT id FROM pairs ORDER BY id DESC")]


async def review(admin: TestClient, pair_id: int, **body: Any) -> tuple[int, dict[str, Any]]:
    response = await admin.post(f"/console/api/pairs/{pair_id}/review", json=body, headers={"Accept-Language": "en"})
    return response.status, await response.json()


def test_every_value_of_a_pair_has_a_name() -> None:
    wanted = {f"origin_{origin}" for origin in get_args(Origin)} | {
        f"fault_{fault}" for fault in get_args(WritingFault)
    }
    # What somebody chose between two tries is told by the choice.
    wanted |= {f"signal_{kind}" for kind, one in SIGNALS.items() if one.explicit and kind != "try_again_choice"}
    assert wanted - set(CONSOLE["en"]) == set()
    assert get_args(Origin) == ORIGINS


async def test_a_pair_says_why_it_is_one_in_the_reader_s_language(site: Site, admin: TestClient) -> None:
    (pair_id,) = await collect(site.database, 1)
    page = await (await admin.get("/console/pairs", headers={"Accept-Language": "ko"})).text()
    assert (f"#{pair_id}" in page, CONSOLE["ko"]["signal_correction"] in page, "signal:" in page) == (True, True, False)


@pytest.mark.parametrize(
    ("choice", "count"),
    [({}, 3), ({"which": "reviewed"}, 0), ({"origin": "distractor"}, 0), ({"which": "x", "before": "y"}, 3)],
)
async def test_pairs_are_chosen_by_origin_and_review(
    site: Site, admin: TestClient, choice: dict[str, str], count: int
) -> None:
    await collect(site.database)
    page = await (await admin.get("/console/pairs", params=choice)).text()
    assert len(re.findall(r"data-pair=", page)) == count


async def test_a_review_is_stored_and_audited_and_the_last_one_counts(site: Site, admin: TestClient) -> None:
    (pair_id,) = await collect(site.database, 1)
    assert (await review(admin, pair_id, verdict="approve"))[0] == 200
    assert await review(admin, pair_id, verdict="reject") == (200, {"message": "Noted.", "verdict": "rejected"})
    rows = await site.database.fetch_dicts(REVIEWS)
    assert [(row["verdict"], row["reviewer"]) for row in rows] == [("approve", "console"), ("reject", "console")]
    acts = await site.database.fetch_dicts(b"SELECT act, subject FROM audit WHERE act <> 'open console' ORDER BY id")
    assert acts == [{"act": f"{verdict} pair", "subject": str(pair_id)} for verdict in ("approve", "reject")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"verdict": "love"}, 400),
        ({}, 400),
        ({"verdict": "edit", "chosen": " "}, 400),
        ({"verdict": "edit", "chosen": "I BELIEVE that this may depend on many different things; perhaps"}, 400),
        ({"verdict": "edit", "chosen": "x" * 8001}, 400),
    ],
)
async def test_what_is_no_review_changes_nothing(
    site: Site, admin: TestClient, body: dict[str, Any], status: int
) -> None:
    (pair_id,) = await collect(site.database, 1)
    assert ((await review(admin, pair_id, **body))[0], await site.database.fetch_dicts(REVIEWS)) == (status, [])


async def test_a_document_that_changed_is_checked_from_the_page(site: Site, admin: TestClient) -> None:
    await collect(site.database, 1)
    await site.database.execute(b"UPDATE documents SET version = 2")
    page = await (await admin.get("/console/pairs")).text()
    (path,) = re.findall(r'data-check="([^"]+)"', page)
    assert (await admin.post(path, json={}, headers={"Origin": "https://evil.test"})).status == 403
    assert (await admin.post(path, json={})).status == 200
    checks = await site.database.fetch_dicts(b"SELECT version, checked_by FROM document_checks")
    assert checks == [{"version": 2, "checked_by": "console"}]
    page = await (await admin.get("/console/pairs", headers={"Accept-Language": "en"})).text()
    assert ("data-check" in page, CONSOLE["en"]["document_checked"] in page) == (False, True)
    assert (await admin.post("/console/api/documents/4711/check", json={})).status == 404


async def test_a_pair_that_does_not_exist_is_not_found(admin: TestClient) -> None:
    assert (await review(admin, 4711, verdict="approve"))[0] == 404


async def test_nobody_reviews_without_the_token_or_from_another_site(site: Site, admin: TestClient) -> None:
    (pair_id,) = await collect(site.database, 1)
    path, body = f"/console/api/pairs/{pair_id}/review", {"verdict": "approve"}
    stranger = await site.new_client()
    assert (await stranger.post(path, json=body)).status == 401
    assert (await admin.post(path, json=body, headers={"Origin": "https://evil.test"})).status == 403
    assert await site.database.fetch_dicts(REVIEWS) == []


async def test_a_rehearsal_is_not_listed_among_the_nights(site: Site, admin: TestClient) -> None:
    await collect(site.database, 1)
    assert CONSOLE["en"]["no_nights"].split(".")[0] in await (await admin.get("/console/nights")).text()


@pytest.fixture
async def page(browser: Browser, site: Site) -> AsyncIterator[Page]:
    """The page of three pairs; an error of a script fails the test."""
    await collect(site.database)
    context = await browser.new_context(locale="en-US", viewport={"width": 360, "height": 700})
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{site.url}/console/pairs?token={TOKEN}")
    yield page
    assert errors == []
    await context.close()


@pytest.mark.browser
async def test_pairs_are_judged_by_keyboard_alone(site: Site, page: Page) -> None:
    ids = [row["id"] for row in await site.database.fetch_dicts(b"SELECT id FROM pairs ORDER BY id DESC")]
    cards = page.locator("[data-pair]")
    await page.keyboard.press("j")
    await expect(cards.nth(0)).to_be_focused()
    await page.keyboard.press("w")
    await expect(cards.nth(0).locator("details li").first).to_be_visible()
    await page.keyboard.press("a")
    await expect(cards.nth(0).locator(".verdict")).to_have_text("approved")
    await expect(cards.nth(1)).to_be_focused()
    await page.keyboard.press("r")
    await expect(cards.nth(1).locator(".verdict")).to_have_text("rejected")
    await expect(cards.nth(2)).to_be_focused()
    await page.keyboard.press("e")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("A rejected answer, just as I would say it.")
    await page.keyboard.press("Control+Enter")
    await expect(cards.nth(2).locator(".text")).to_have_text("A rejected answer, just as I would say it.")
    await expect(cards.nth(2)).to_be_focused()
    rows = await site.database.fetch_dicts(REVIEWS)
    assert [(row["pair_id"], row["verdict"]) for row in rows] == list(
        zip(ids, ("approve", "reject", "edit"), strict=True)
    )
    assert rows[2]["chosen"] == "A rejected answer, just as I would say it."
    assert await page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.browser
async def test_escape_leaves_an_edit_and_changes_nothing(site: Site, page: Page) -> None:
    for key in ("j", "e", "a", "r", "Escape"):
        await page.keyboard.press(key)
    await expect(page.locator("form.edit").first).to_be_hidden()
    await expect(page.locator("[data-pair]").first).to_be_focused()
    assert await site.database.fetch_dicts(REVIEWS) == []


@pytest.mark.browser
async def test_markup_in_a_pair_stays_text(browser: Browser, site: Site) -> None:
    answer = await log_answer(site.database, f"Parking {XSS}?", [make_passage("parking", 3)], f"It may depend. {XSS}")
    await vote(site.database, answer, "user:ann", -1, "The company grants 3 days.")
    await rehearse(database=site.database, model_server=None, settings=NightSettings("base"), requested_by="test")
    page = await browser.new_page()
    await page.goto(f"{site.url}/console/pairs?token={TOKEN}&which=all")
    await expect(page.locator(".side.is-rejected .said")).to_contain_text(XSS)
    assert (await page.locator("main img").count(), await page.title() == "owned") == (0, False)
    await page.close()
