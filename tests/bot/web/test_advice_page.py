"""The page of advice: the picture, what failed questions lack, experiments; people's words are shown and never run."""

from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from bot.web.console_wording import CONSOLE
from core.database import Database
from core.prompt import Language
from learning.advice.advise import build_advice, draw, load_texts
from learning.advice.diagnosis import Diagnosis, Run
from learning.advice.experiments import Experiments
from learning.advice.rounds import Diagnosed, Rounds
from learning.advice.steps import Prices
from learning.break_even import Figures
from tests.bot.web.site import TOKEN, Site
from tests.learning.log import log_answer, vote

XSS = "<script>alert(1)</script>"


@pytest.fixture
async def admin(site: Site) -> TestClient:
    client = await site.new_client()
    assert (await client.get("/console", params={"token": TOKEN})).status == 200
    return client


async def read(client: TestClient, path: str = "/console/advice", language: str = "en") -> str:
    return await (await client.get(path, headers={"Accept-Language": language})).text()


async def store_round(database: Database) -> None:
    """A golden question that fails, and a disliked one that a voter corrected."""
    answer = await log_answer(database, f"Lunch {XSS}?", [], "4 days.")
    await vote(database, answer, "user:bo", -1, "5 days")
    rows = await database.fetch_dicts(b"SELECT id FROM feedback")
    runs = [Run("now", False, 400, 20, 1.2), Run("right_passage", True, 300, 20, 1.0)]
    found = [
        Diagnosed(Diagnosis("golden:1", False, "retrieval", None, 7, runs), "a", "en", f"Bike {XSS}?"),
        Diagnosed(Diagnosis(f"answer:{answer}", False, None, "memory"), "b", "en", None, answer, rows[0]["id"]),
    ]
    rounds = Rounds(database)
    round_id = await rounds.begin(fingerprint="f", by="user:ann", adapter=None)
    for one in found:
        await rounds.record(round_id, one)
    advice = build_advice([one.diagnosis for one in found], Prices(Figures(), 10, 0.5), more=9)
    pictures = {"en": draw(advice, "en"), "ko": draw(advice, "ko")}
    await rounds.end(round_id, advice=advice.to_json(), pictures=pictures)


async def test_before_the_first_round_the_page_says_what_to_run(admin: TestClient) -> None:
    assert "nightbake advice" in await read(admin)
    assert (await admin.get("/console/advice/en.svg")).status == 404


async def test_questions_stand_beside_what_they_lack_and_a_picture_runs_nothing(site: Site, admin: TestClient) -> None:
    await store_round(site.database)
    words: dict[str, Any] = {"en": "hypothesis", "ko": "가설"}
    await Experiments(site.database).open(hypothesis=words, change={"en": "a change", "ko": "변경"}, by="user:ann")
    page = await read(admin)
    assert "Bike &lt;script&gt;" in page and "Lunch &lt;script&gt;" in page and XSS not in page
    assert "not found by the search" in page and "found at 7" in page and "a change" in page
    assert "가설" in await read(admin, language="ko")
    picture = await admin.get("/console/advice/ko.svg")
    assert picture.content_type == "image/svg+xml" and "sandbox" in picture.headers["Content-Security-Policy"]
    assert (await (await site.new_client()).get("/console/advice/ko.svg")).status == 401


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_console_says_it_in_the_words_of_the_advice(language: Language) -> None:
    texts = load_texts(language)
    for kind, name in (("contexts", "context"), ("behaviours", "behaviour")):
        for value, words in texts[kind].items():
            assert CONSOLE[language][f"{name}_{value}"] == words
