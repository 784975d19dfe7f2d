"""The queue of exercises: walked, judged and edited by keyboard, two people's looks told apart, time counted."""

import re
from collections.abc import AsyncIterator
from typing import Any, get_args

import pytest
from aiohttp.test_utils import TestClient
from playwright.async_api import Browser, Page, expect

from bot.web.console_exercises import KINDS
from bot.web.console_wording import CONSOLE
from core.database import Database
from learning.exercises.draft import Kind, Origin
from learning.exercises.evolve import STEPS
from learning.exercises.make import Wanted
from learning.exercises.sections import read_sections
from tests.bot.web.site import TOKEN, Site
from tests.learning.exercises.library import add_document, build_maker, fill

REVIEWS = b"SELECT exercise_id, verdict, question, answer, reviewer, seconds FROM exercise_reviews ORDER BY id"
XSS = "<img src=x onerror=\"document.title='owned'\">"


async def make(database: Database, *kinds: Kind, count: int = 3) -> list[int]:
    """Exam items, which wait for a person always; their ids, newest first as the page shows them."""
    await fill(database)
    maker = build_maker(database, Wanted(kinds or ("four_choice",), count, purpose="exam"))
    await maker.make(await read_sections(database), on_try=lambda _: None)
    return [row["id"] for row in await database.fetch_dicts(b"SELECT id FROM exercises ORDER BY id DESC")]


async def open_console(site: Site) -> TestClient:
    """Another person's browser in the console."""
    client = await site.new_client()
    assert (await client.get("/console/exercises", params={"token": TOKEN})).status == 200
    return client


@pytest.fixture
async def admin(site: Site) -> AsyncIterator[TestClient]:
    yield await open_console(site)


async def review(admin: TestClient, exercise_id: int, **body: Any) -> tuple[int, dict[str, Any]]:
    path, body = f"/console/api/exercises/{exercise_id}/review", {"seconds": 4} | body
    response = await admin.post(path, json=body, headers={"Accept-Language": "en"})
    return response.status, await response.json()


async def list_shown(admin: TestClient, **choice: str) -> list[int]:
    page = await (await admin.get("/console/exercises", params=choice)).text()
    return [int(number) for number in re.findall(r'data-exercise="(\d+)"', page)]


def test_every_value_of_an_exercise_has_a_name() -> None:
    wanted = {f"kind_{kind}" for kind in get_args(Kind)} | {f"made_{origin}" for origin in get_args(Origin)}
    wanted |= {f"step_{step}" for step in STEPS}
    assert wanted - set(CONSOLE["en"]) == set()
    assert get_args(Kind) == KINDS


async def test_what_was_looked_at_waits_no_more(site: Site, admin: TestClient) -> None:
    ids = await make(site.database)
    assert await list_shown(admin) == ids
    assert await review(admin, ids[0], verdict="accept") == (200, {"message": "Noted.", "verdict": "accepted by you"})
    assert (await review(admin, ids[1], verdict="reject"))[0] == 200
    assert await list_shown(admin) == ids[2:]
    assert (await list_shown(admin, which="accepted"), await list_shown(admin, which="rejected")) == (ids[:1], ids[1:2])
    assert await list_shown(admin, which="all", kind="rag") == []
    rows = await site.database.fetch_dicts(REVIEWS)
    assert [(row["verdict"], row["seconds"]) for row in rows] == [("accept", 4.0), ("reject", 4.0)]
    acts = await site.database.fetch_dicts(b"SELECT act FROM audit WHERE act <> 'open console' ORDER BY id")
    assert [row["act"] for row in acts] == ["accept exercise", "reject exercise"]


async def test_two_browsers_are_two_people(site: Site, admin: TestClient) -> None:
    ids = await make(site.database, count=1)
    await review(admin, ids[0], verdict="accept")
    await review(await open_console(site), ids[0], verdict="reject")
    await review(admin, ids[0], verdict="accept")
    people = [row["reviewer"] for row in await site.database.fetch_dicts(REVIEWS)]
    assert (people[0] == people[2], people[0] == people[1], people[0].startswith("user:web-")) == (True, False, True)
    assert await list_shown(await open_console(site)) == ids


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"verdict": "love"}, 400),
        ({}, 400),
        ({"verdict": "edit", "question": "What?", "answer": " "}, 400),
        ({"verdict": "edit", "question": "x" * 601, "answer": "A."}, 400),
        ({"verdict": "accept", "seconds": "long"}, 400),
        ({"verdict": "accept", "seconds": -1}, 400),
    ],
)
async def test_what_is_no_review_changes_nothing(
    site: Site, admin: TestClient, body: dict[str, Any], status: int
) -> None:
    (exercise_id,) = await make(site.database, count=1)
    assert (await review(admin, exercise_id, **body))[0] == status
    assert await site.database.fetch_dicts(REVIEWS) == []


async def test_an_edit_must_change_something_and_stay_right(site: Site, admin: TestClient) -> None:
    (exercise_id,) = await make(site.database, count=1)
    (stored,) = await site.database.fetch_dicts(b"SELECT question, answer, options, right_option FROM exercises")
    wrong = next(option for option in stored["options"] if option != stored["answer"])
    same = {"question": stored["question"], "answer": stored["answer"]}
    assert (await review(admin, exercise_id, verdict="edit", **same))[1]["error"] == CONSOLE["en"]["exercise_same"]
    edited = await review(admin, exercise_id, verdict="edit", question="What?", answer=wrong)
    assert edited[1]["error"] == CONSOLE["en"]["exercise_wrong_option"]


async def test_a_forgotten_lunch_is_no_review_of_an_hour(site: Site, admin: TestClient) -> None:
    (exercise_id,) = await make(site.database, count=1)
    await review(admin, exercise_id, verdict="accept", seconds=5000)
    assert [row["seconds"] for row in await site.database.fetch_dicts(REVIEWS)] == [600.0]


async def test_nobody_reviews_without_the_token_or_from_another_site_or_what_is_not_there(
    site: Site, admin: TestClient
) -> None:
    (exercise_id,) = await make(site.database, count=1)
    path, body = f"/console/api/exercises/{exercise_id}/review", {"verdict": "accept"}
    assert (await (await site.new_client()).post(path, json=body)).status == 401
    assert (await admin.post(path, json=body, headers={"Origin": "https://evil.test"})).status == 403
    assert (await review(admin, 4711, verdict="accept"))[0] == 404
    assert await site.database.fetch_dicts(REVIEWS) == []


async def open_page(browser: Browser, site: Site, **looks: Any) -> Page:
    context = await browser.new_context(**{"locale": "en-US", "viewport": {"width": 360, "height": 700}} | looks)
    page = await context.new_page()
    await page.goto(f"{site.url}/console/exercises?token={TOKEN}")
    return page


@pytest.mark.browser
async def test_exercises_are_judged_by_keyboard_alone(browser: Browser, site: Site) -> None:
    ids = await make(site.database)
    page = await open_page(browser, site)
    cards = page.locator("[data-exercise]")
    await page.keyboard.press("j")
    await expect(cards.nth(0)).to_be_focused()
    await page.keyboard.press("w")
    await expect(cards.nth(0).locator("details li").first).to_have_text("made by the form of the document")
    await page.keyboard.press("a")
    await expect(cards.nth(0).locator(".verdict")).to_have_text("accepted by you")
    await expect(cards.nth(1)).to_be_focused()
    await page.keyboard.press("r")
    await expect(cards.nth(1).locator(".verdict")).to_have_text("rejected")
    await expect(cards.nth(2)).to_be_focused()
    await page.keyboard.press("e")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("When exactly?")
    await page.keyboard.press("Control+Enter")
    await expect(cards.nth(2).locator(".asked")).to_have_text("When exactly?")
    await expect(cards.nth(2)).to_be_focused()
    rows = await site.database.fetch_dicts(REVIEWS)
    assert [(row["exercise_id"], row["verdict"]) for row in rows] == list(
        zip(ids, ("accept", "reject", "edit"), strict=True)
    )
    assert rows[2]["question"] == "When exactly?"
    assert 0 < sum(row["seconds"] for row in rows) < 60
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await page.context.close()


@pytest.mark.browser
async def test_markup_in_an_exercise_stays_text(browser: Browser, site: Site) -> None:
    text = f"- One: the first {XSS} thing.\n- Two: the second thing.\n- Three: the third thing here."
    await add_document(site.database, f"Marks {XSS}", {"Words": text})
    await make(site.database, "definition", count=9)
    page = await open_page(browser, site)
    await expect(page.locator(".said", has_text=XSS)).to_have_count(1)
    assert (await page.locator("main img").count(), await page.title() == "owned") == (0, False)
    await page.context.close()
