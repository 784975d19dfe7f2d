"""The console: locked without the token, complete with it, and every act in the audit log."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import get_args

import pytest
from aiohttp.test_utils import TestClient

from bot.phrases import PHRASES
from bot.web.console import STAGES
from bot.web.console_names import count_in_words, name_switch_reason
from bot.web.console_wording import CONSOLE
from core.database import Database
from core.gaps import Gaps
from core.prompt import Language
from core.records import Mode, Question
from retrieval.query_words import Change
from tests.bot.web.asking import get_answer, vote
from tests.bot.web.site import TOKEN, Site, run_site
from tests.eventually import eventually

PAGES = [
    "",
    "/answers",
    "/gaps",
    "/adapters",
    "/nights",
    "/pairs",
    "/disagreements",
    "/memory",
    "/exercises",
    "/documents",
    "/audit",
]
STATES = ("running", "done", "skipped", "refused", "failed")
XSS = "<script>alert(1)</script>"


@pytest.fixture
async def admin(site: Site) -> AsyncIterator[TestClient]:
    client = await site.new_client()
    assert (await client.get("/console", params={"token": TOKEN})).status == 200
    yield client


@pytest.mark.parametrize(
    "page", [*PAGES, "/nights/1", "/none", "/api/nights/state", "?token=wrong", "?token=%ed%a0%80"]
)
async def test_without_the_token_everything_is_locked(client: TestClient, page: str) -> None:
    assert (await client.get(f"/console{page}")).status == 401


async def test_the_locked_page_says_how_to_get_in(client: TestClient) -> None:
    assert "ADMIN_TOKEN" in await (await client.get("/console")).text()


async def test_nobody_promotes_without_the_token(site: Site, client: TestClient) -> None:
    response = await client.post("/console/api/adapters/promote", json={"name": ""})
    assert (response.status, await site.adapters.find_switches()) == (401, [])


async def test_the_token_leaves_the_address_and_is_not_in_the_cookie(client: TestClient) -> None:
    response = await client.get("/console/answers", params={"token": TOKEN, "words": "leave"}, allow_redirects=False)
    cookie = response.cookies["nightbake_session"]
    assert (response.status, response.headers["Location"]) == (303, "/console/answers?words=leave")
    assert (TOKEN in cookie.value, cookie["httponly"]) == (False, True)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("page", PAGES)
async def test_every_page_opens_on_an_empty_database(admin: TestClient, page: str, language: Language) -> None:
    response = await admin.get(f"/console{page}", headers={"Accept-Language": language})
    room = CONSOLE[language][f"room_{page[1:] or 'overview'}"]
    text = await response.text()
    assert (response.status, f'<html lang="{language}">' in text, f"<title>{room} ·" in text) == (200, True, True)


@pytest.mark.parametrize("page", [*PAGES, "/nights/1"])
async def test_no_english_word_of_ours_is_left_on_a_korean_page(
    site: Site, client: TestClient, admin: TestClient, page: str
) -> None:
    """English names of stored values among them; what people and documents said is not ours to translate."""
    answer = await get_answer(client, "휴가는?")
    await vote(client, answer["interaction_id"], value=-1, correction="24일입니다.")
    await _file_gap(site)
    await _add_night(site.database)
    await site.adapters.register(name="night-1", folder="/a", base_model="base", sha256="00", manifest={})
    await site.adapters.switch("night-1", by="nightbake", reason="night 2026-01-02: better")
    text = await (await admin.get(f"/console{page}", headers={"Accept-Language": "ko"})).text()
    shown = set(re.findall(r">\s*([^<>]*[A-Za-z][^<>]*?)\s*<", re.sub(r"<(script|style).*?</\1>", "", text)))
    ours = {words for name, words in CONSOLE["en"].items() if words != CONSOLE["ko"][name]}
    # The wordmark, and the way to the other language.
    assert shown & ours <= {"night", "English"}


async def test_the_language_is_switched_without_leaving_the_page(admin: TestClient) -> None:
    page = await (await admin.get("/console/gaps", headers={"Accept-Language": "en"})).text()
    assert 'href="/language/ko?back=/console/gaps"' in page
    response = await admin.get("/language/ko", params={"back": "/console/gaps"})
    assert (response.url.path, CONSOLE["ko"]["gaps_promise"] in await response.text()) == ("/console/gaps", False)
    assert CONSOLE["ko"]["no_gaps"] in await response.text()


@pytest.mark.parametrize(
    "back", ["https://evil.test", "//evil.test", "/console//evil.test", "/\\evil.test", "/console\n"]
)
async def test_no_link_leads_to_another_site(client: TestClient, back: str) -> None:
    response = await client.get("/language/ko", params={"back": back}, allow_redirects=False)
    assert response.headers["Location"] == "/"


def test_both_languages_say_the_same_things() -> None:
    """The same names and, within each, the same values to fill in."""
    names = {
        language: {name: set(re.findall(r"\{(\w+)", text)) for name, text in words.items()}
        for language, words in CONSOLE.items()
    }
    assert names["en"] == names["ko"]


def test_every_stored_value_has_a_name() -> None:
    """What the bot writes; the night's values are its own report's."""
    reasons = {name for name in PHRASES["en"] if name.startswith(("quoted_", "stopped_", "nothing_", "not_"))}
    wanted = {*(f"mode_{mode}" for mode in get_args(Mode)), *(f"why_{reason}" for reason in reasons)}
    wanted |= {*(f"stage_{stage}" for stage in STAGES), *(f"run_{state}" for state in STATES)}
    assert wanted - set(CONSOLE["en"]) == set()


@pytest.mark.parametrize(("number", "words"), [(0, "0 people"), (1, "1 person"), (2, "2 people")])
def test_counts_agree_with_their_noun(number: int, words: str) -> None:
    assert count_in_words("people", number, "en") == words


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("night 2026-01-02: better", "2026-01-02 야간 학습: 서비스하던 모델보다 나음"),
        ("rolled back in the console", "콘솔에서 되돌림"),
        ("Ann says so", "Ann says so"),
    ],
)
def test_our_own_reasons_are_translated_and_a_persons_are_not(reason: str, words: str) -> None:
    assert name_switch_reason(reason, "ko") == words


async def test_gaps_are_listed_by_topic_with_the_nearest_documents(site: Site, admin: TestClient) -> None:
    ids = [await _file_gap(site) for _ in range(2)]
    page = await (await admin.get("/console/gaps")).text()
    assert ("<b>2</b>" in page, "Where is the submarine?" in page, "<li>Travel policy</li>" in page) == (True,) * 3
    assert all(f"#answer-{number}" in page for number in ids)


async def test_markup_in_a_gap_is_shown_as_text(site: Site, admin: TestClient) -> None:
    await _file_gap(site, question=f"leave? {XSS}", nearest=XSS)
    page = await (await admin.get("/console/gaps")).text()
    assert (XSS in page, page.count("&lt;script&gt;")) == (False, 2)


async def test_a_word_on_the_search_is_shown_with_its_answer(site: Site, client: TestClient, admin: TestClient) -> None:
    site.search.changes = [Change("vacatoin", "vacation")]
    await get_answer(client, "vacatoin?")
    page = await (await admin.get("/console/answers")).text()
    assert "Searched for “vacation” instead of “vacatoin”." in page


async def test_an_act_is_answered_in_the_language_of_the_page(admin: TestClient) -> None:
    response = await admin.post("/console/api/adapters/promote", json={"name": ""}, headers={"Accept-Language": "ko"})
    assert (await response.json())["message"] == "다음 질문부터 기본 모델로 답합니다."


async def test_the_overview_counts_questions_and_votes(client: TestClient, admin: TestClient) -> None:
    answer = await get_answer(client)
    await vote(client, answer["interaction_id"], value=-1, correction="24 days.")
    page = await (await admin.get("/console")).text()
    assert ("<b>1</b><span>questions in 24 hours" in page, "1 with a correction" in page) == (True, True)


@pytest.mark.parametrize(
    ("search", "is_found"),
    [
        ({"words": "LEAVE"}, True),
        ({"words": "100%"}, False),
        ({"words": "_"}, False),
        ({"vote": "corrected"}, True),
        ({"vote": "up"}, False),
        ({"mode": "generated"}, True),
        ({"mode": "quoted"}, False),
        ({"mode": "'; DROP TABLE feedback"}, True),
        ({"before": "1"}, False),
        ({"before": "x"}, True),
        ({"words": "\x00"}, True),
    ],
)
async def test_answers_are_searched(
    client: TestClient, admin: TestClient, search: dict[str, str], is_found: bool
) -> None:
    answer = await get_answer(client)
    await vote(client, answer["interaction_id"], value=-1, correction="24 days.")
    page = await (await admin.get("/console/answers", params=search)).text()
    assert ("24 days." in page) == is_found


async def test_markup_in_a_question_is_shown_as_text(client: TestClient, admin: TestClient) -> None:
    await get_answer(client, f"leave? {XSS}")
    assert XSS not in await (await admin.get("/console/answers")).text()


async def test_answers_are_paged(site: Site, admin: TestClient) -> None:
    await site.database.execute(
        b"INSERT INTO interactions (platform, conversation_key, asker, principals, question, language) "
        b"SELECT 'web', 'c', 'user:a', '{everyone}', 'question number ' || n || '.', 'en' FROM generate_series(1, 50) n"
    )
    first = await (await admin.get("/console/answers")).text()
    second = await (await admin.get("/console/answers", params={"before": 11})).text()
    assert ("number 50." in first, "number 11." in first, "number 10." in first) == (True, True, False)
    assert "before=11" in first
    assert ("number 10." in second, "Older" in second) == (True, False)


async def test_promoting_loads_then_switches_and_is_audited(site: Site, admin: TestClient) -> None:
    await site.adapters.register(name="night-1", folder="/a", base_model="base", sha256="00", manifest={})
    response = await admin.post("/console/api/adapters/promote", json={"name": "night-1", "reason": "looks good"})
    active = await site.adapters.find_active()
    audit = await site.database.fetch_dicts(b"SELECT actor, act, subject FROM audit WHERE act <> 'open console'")
    assert (response.status, active and active.name, site.model.adapters) == (200, "night-1", {"night-1": "/a"})
    assert audit == [{"actor": "console", "act": "promote", "subject": "night-1"}]


async def test_rolling_back_serves_what_was_served_before(site: Site, admin: TestClient) -> None:
    await site.adapters.register(name="night-1", folder="/a", base_model="base", sha256="00", manifest={})
    await admin.post("/console/api/adapters/promote", json={"name": "night-1"})
    await admin.post("/console/api/adapters/roll-back", json={})
    assert await site.adapters.find_active() is None


async def test_an_unknown_adapter_is_404_in_words(admin: TestClient) -> None:
    response = await admin.post("/console/api/adapters/promote", json={"name": "night-9"})
    assert (response.status, "night-9" in (await response.json())["error"]) == (404, True)


async def test_another_sites_page_cannot_promote(site: Site, admin: TestClient) -> None:
    response = await admin.post(
        "/console/api/adapters/promote", json={"name": ""}, headers={"Origin": "https://evil.test"}
    )
    assert (response.status, await site.adapters.find_switches()) == (403, [])


async def test_a_report_is_shown_in_a_page_that_can_run_nothing(site: Site, admin: TestClient) -> None:
    run_id = await _add_night(site.database)
    page = await (await admin.get(f"/console/nights/{run_id}")).text()
    report = await admin.get(f"/console/nights/{run_id}/report/en")
    assert f'sandbox src="/console/nights/{run_id}/report/en"' in page
    assert "default-src 'none'" in report.headers["Content-Security-Policy"]
    assert report.headers["Content-Security-Policy"].endswith("sandbox")
    assert await report.text() == "<h1>Night</h1>"


async def test_nights_and_documents_are_listed(site: Site, admin: TestClient) -> None:
    await _add_night(site.database)
    await site.database.execute(
        b"INSERT INTO ingest_errors (source, path, reason) VALUES ('s', 'scan.pdf', 'the PDF holds no text')"
    )
    nights = await (await admin.get("/console/nights")).text()
    documents = await (await admin.get("/console/documents")).text()
    assert ("better by a lot" in nights, "the PDF holds no text" in documents) == (True, True)


async def test_a_night_runs_once_at_a_time_and_tells_its_error(database: Database) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def run_night() -> None:
        begun.set()
        await go.wait()
        raise RuntimeError("the disk is full")

    async with run_site(database, run_night=run_night) as site:
        client = await site.new_client()
        await client.get("/console", params={"token": TOKEN})
        statuses = [(await client.post("/console/api/nights/run", json={})).status for _ in range(2)]
        await begun.wait()
        assert statuses == [202, 409]
        assert (await _read_state(client))["is_running"]
        go.set()

        async def find_error() -> str | None:
            return (await _read_state(client))["error"]

        assert await eventually(find_error) == "RuntimeError: the disk is full"


async def test_without_nights_the_button_is_not_there(admin: TestClient) -> None:
    assert "Run the night now" not in await (await admin.get("/console/nights")).text()
    assert (await admin.post("/console/api/nights/run", json={})).status == 409


async def _read_state(client: TestClient) -> dict:
    return await (await client.get("/console/api/nights/state")).json()


async def _file_gap(site: Site, question: str = "Where is the submarine?", nearest: str = "Travel policy") -> int:
    """Ask in vain; the interaction's id."""
    begun = await site.interactions.begin(Question("web", "c", "user:ann", ["everyone"], question, "en"))
    await Gaps(site.database).file(begun.id, question, "en", nearest=[nearest])
    return begun.id


async def _add_night(database: Database) -> int:
    rows = await database.fetch_dicts(
        b"INSERT INTO runs (night, requested_by, window_from, window_to, stage, state, reason, finished_at) "
        b"VALUES ('2026-01-02', 'schedule', now() - interval '1 day', now(), 'report', 'done', 'better by a lot', "
        b"now()) RETURNING id"
    )
    await database.execute(
        b"INSERT INTO reports (run_id, language, markdown, html) VALUES (%s, 'en', '', '<h1>Night</h1>')",
        [rows[0]["id"]],
    )
    return rows[0]["id"]
