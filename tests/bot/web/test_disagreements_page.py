"""The page of disagreements: what voters could not settle is settled by one word, which the next collection hears."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from playwright.async_api import Browser, expect

from bot.web.console_wording import CONSOLE
from core.database import Database
from learning.night import NightSettings
from learning.rehearse import rehearse
from tests.bot.web.site import TOKEN, Site
from tests.learning.log import log_answer, make_passage, vote

LABELS = b"SELECT interaction_id, value, labeller FROM answer_labels ORDER BY id"
FATES = b"SELECT coalesce(reason, state) AS fate FROM feedback_fates ORDER BY feedback_id"


@pytest.fixture
async def admin(site: Site) -> AsyncIterator[TestClient]:
    client = await site.new_client()
    assert (await client.get("/console", params={"token": TOKEN})).status == 200
    yield client


async def disagree(database: Database, question: str = "How long is lunch?", text: str = "For 4 days.") -> int:
    """An answer that one person likes and another corrects; its number."""
    answer = await log_answer(database, question, [make_passage("lunch", 4)], text)
    await vote(database, answer, "user:ann", 1)
    await vote(database, answer, "user:bo", -1)
    return answer


async def collect(database: Database) -> list[str]:
    """The fates of all votes, in order."""
    await rehearse(database=database, model_server=None, settings=NightSettings("base"), requested_by="test")
    return [row["fate"] for row in await database.fetch_dicts(FATES)]


async def label(admin: TestClient, answer: int, verdict: str) -> tuple[int, dict[str, Any]]:
    path = f"/console/api/answers/{answer}/label"
    response = await admin.post(path, json={"verdict": verdict}, headers={"Accept-Language": "en"})
    return response.status, await response.json()


async def find_shown(admin: TestClient, **choice: str) -> bool:
    return "How long is lunch?" in await (await admin.get("/console/disagreements", params=choice)).text()


async def test_what_voters_could_not_settle_is_listed_until_somebody_does(site: Site, admin: TestClient) -> None:
    answer = await disagree(site.database)
    assert not await find_shown(admin)
    assert await collect(site.database) == ["disagreement", "disagreement"]
    assert (await find_shown(admin), await find_shown(admin, which="outvoted")) == (True, False)
    assert await label(admin, answer, "approve") == (200, {"message": "Noted.", "verdict": "settled: right"})
    assert (await find_shown(admin), await find_shown(admin, which="settled")) == (False, True)
    rows = await site.database.fetch_dicts(LABELS)
    assert rows == [{"interaction_id": answer, "value": 1, "labeller": "console"}]
    acts = await site.database.fetch_dicts(b"SELECT act, subject FROM audit WHERE act <> 'open console'")
    assert acts == [{"act": "label answer approve", "subject": str(answer)}]


async def test_the_next_collection_sides_with_the_label_and_the_last_one_counts(site: Site, admin: TestClient) -> None:
    answer = await disagree(site.database)
    await label(admin, answer, "approve")
    assert await collect(site.database) == ["unpaired", "settled_otherwise"]
    await label(admin, answer, "reject")
    assert await collect(site.database) == ["settled_otherwise", "unpaired"]
    await label(admin, answer, "unclear")
    assert await collect(site.database) == ["disagreement", "disagreement"]


async def test_a_vote_that_was_outvoted_is_shown_apart(site: Site, admin: TestClient) -> None:
    answer = await disagree(site.database)
    for person in ("user:cho", "user:dan", "user:eun"):
        await vote(site.database, answer, person, 1)
    assert "disagreement" in await collect(site.database)
    assert (await find_shown(admin), await find_shown(admin, which="outvoted")) == (False, True)


async def test_voters_are_pseudonyms_and_their_words_stay_text(site: Site, admin: TestClient) -> None:
    answer = await log_answer(site.database, "<u>How long is lunch?", [make_passage("lunch", 4)], "For 4 days.")
    await vote(site.database, answer, "user:ann", 1)
    await vote(site.database, answer, "user:bo", -1, "<i>No.")
    await vote(site.database, answer, "user:cho", 1)
    await collect(site.database)
    for which in ("undecided", "outvoted"):
        page = await (await admin.get("/console/disagreements", params={"which": which})).text()
        assert ("user:" in page, "<u>How" in page, "<i>No" in page) == (False, False, False)


@pytest.mark.parametrize(("verdict", "status"), [("love", 400), ("", 400)])
async def test_what_is_no_label_changes_nothing(site: Site, admin: TestClient, verdict: str, status: int) -> None:
    answer = await disagree(site.database)
    assert ((await label(admin, answer, verdict))[0], await site.database.fetch_dicts(LABELS)) == (status, [])


async def test_an_answer_that_does_not_exist_is_not_found(admin: TestClient) -> None:
    assert await label(admin, 4711, "approve") == (404, {"error": CONSOLE["en"]["answer_unknown"]})


async def test_nobody_labels_without_the_token_or_from_another_site(site: Site, admin: TestClient) -> None:
    path, body = f"/console/api/answers/{await disagree(site.database)}/label", {"verdict": "approve"}
    stranger = await site.new_client()
    assert (await stranger.post(path, json=body)).status == 401
    assert (await admin.post(path, json=body, headers={"Origin": "https://evil.test"})).status == 403


@pytest.mark.browser
async def test_disagreements_are_settled_by_keyboard(browser: Browser, site: Site) -> None:
    answers = [await disagree(site.database, f"How long is lunch {n}?") for n in range(3)]
    await collect(site.database)
    context = await browser.new_context(locale="en-US", viewport={"width": 360, "height": 700})
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{site.url}/console/disagreements?token={TOKEN}")
    cards = page.locator("[data-review]")
    for at, (key, said) in enumerate(
        (("a", "settled: right"), ("r", "settled: wrong"), ("u", "settled: nobody can tell"))
    ):
        if at == 0:
            await page.keyboard.press("j")
        await expect(cards.nth(at)).to_be_focused()
        await page.keyboard.press("e")
        await page.keyboard.press(key)
        await expect(cards.nth(at).locator(".verdict")).to_have_text(said)
    rows = await site.database.fetch_dicts(LABELS)
    assert [(row["interaction_id"], row["value"]) for row in rows] == list(zip(answers[::-1], (1, -1, 0), strict=True))
    assert (errors, await page.evaluate("document.documentElement.scrollWidth")) == ([], 360)
    await context.close()
