"""Asking on the web: stored first, streamed, found again, and only by the one who asked."""

import asyncio
import json

import pytest
from aiohttp.test_utils import TestClient

from core.errors import NotFoundError
from core.records import Outcome, Question
from retrieval.query_words import Change
from tests.bot.web.asking import CONVERSATION, ask, follow, get_answer, parse_events
from tests.bot.web.site import LEAVE, Site
from tests.eventually import eventually

XSS = "<img src=x onerror=alert(1)><script>alert(1)</script>"


async def test_an_answer_comes_with_its_source(client: TestClient) -> None:
    answer = await get_answer(client)
    assert answer["text"] == "Employees have 23 days of annual leave. [1]"
    assert [(source["title"], source["url"]) for source in answer["sources"]] == [("Employee handbook", "/passages/11")]


async def test_the_text_arrives_in_pieces_before_the_answer(site: Site, client: TestClient) -> None:
    site.model.gate = asyncio.Semaphore(0)
    inbox_id = await ask(client)
    async with client.get(f"/api/questions/{inbox_id}/events") as response:
        seen = b""
        for text in ("Employees", "Employees have", "Employees have 23"):
            site.model.gate.release()
            while json.dumps({"text": text}).encode() not in seen:
                seen += await response.content.readany()
        for _ in range(20):
            site.model.gate.release()
        seen += await response.content.read()
    assert parse_events(seen.decode())[-1][0] == "answer"


async def test_a_question_is_stored_before_it_is_acknowledged(site: Site, client: TestClient) -> None:
    await site.worker.stop()
    inbox_id = await ask(client, "Is it stored?")
    rows = await site.database.fetch_dicts(b"SELECT id, payload->>'text' AS text, done_at FROM inbox")
    assert rows == [{"id": inbox_id, "text": "Is it stored?", "done_at": None}]


async def test_the_same_key_is_one_question(site: Site, client: TestClient) -> None:
    first = await ask(client, key="0b1c2d3e-0000-4000-8000-000000000000")
    second = await ask(client, key="0b1c2d3e-0000-4000-8000-000000000000")
    assert first == second


async def test_two_people_may_use_the_same_key(site: Site, client: TestClient) -> None:
    key = "0b1c2d3e-0000-4000-8000-000000000000"
    assert await ask(client, key=key) != await ask(await site.new_client(), key=key)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b'{"text": ""}', 400, "could not find a question"),
        (b'{"text": "\\u0000\\u0007 ?!"}', 400, "could not find a question"),
        (b'{"text": 7}', 400, "must be a text"),
        (b'{"text": "when?", "key": "../etc"}', 400, "letters, digits or hyphens"),
        (b'{"text": "when?", "conversation": 5}', 400, "letters, digits or hyphens"),
        (json.dumps({"text": "a" * 5_000}).encode(), 400, "5,000 characters"),
        (json.dumps({"text": "a" * 100_000}).encode(), 413, "too long"),
        (b'{"text": "half', 400, "could not be read"),
        (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", 400, "could not be read"),
        (b"[1, 2]", 400, "expected a JSON object"),
        (b"[" * 50_000, 400, "could not be read"),
    ],
)
async def test_what_is_no_question_is_refused_in_words(
    site: Site, client: TestClient, body: bytes, status: int, words: str
) -> None:
    response = await client.post("/api/questions", data=body, headers={"Content-Type": "application/json"})
    assert (response.status, words in (await response.json())["error"]) == (status, True)
    assert await site.database.fetch_dicts(b"SELECT id FROM inbox") == []


async def test_control_characters_do_not_reach_the_model(site: Site, client: TestClient) -> None:
    await get_answer(client, "How many\x00 days\x1b[31m of\x07 leave?")
    assert "Question: How many days[31m of leave?" in site.model.requests[-1]["messages"][-1]["content"]


async def test_a_form_post_is_refused(client: TestClient) -> None:
    response = await client.post("/api/questions", data={"text": "when?"})
    assert response.status == 415


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_another_sites_page_cannot_ask(client: TestClient, headers: dict[str, str]) -> None:
    response = await client.post("/api/questions", json={"text": "when?"}, headers=headers)
    assert response.status == 403


async def test_only_the_asker_may_follow(site: Site, client: TestClient) -> None:
    inbox_id = await ask(client)
    response = await (await site.new_client()).get(f"/api/questions/{inbox_id}/events")
    assert (response.status, "no such question" in (await response.json())["error"]) == (404, True)


@pytest.mark.parametrize("path", ["/api/questions/999/events", "/api/questions/99999999999999999999/events", "/none"])
async def test_what_does_not_exist_is_404(client: TestClient, path: str) -> None:
    assert (await client.get(path)).status == 404


async def test_a_person_chooses_neither_cookie_nor_id(site: Site, client: TestClient) -> None:
    response = await client.get("/", headers={"Cookie": "nightbake_person=user:web-admin"})
    cookie = response.cookies["nightbake_person"]
    assert (len(cookie.value), cookie["httponly"], cookie["samesite"]) == (32, True, "Lax")


async def test_a_late_follower_gets_the_answer_at_once(client: TestClient) -> None:
    inbox_id = await ask(client)
    assert await follow(client, inbox_id)
    assert [name for name, _ in await follow(client, inbox_id)] == ["answer"]


async def test_an_answer_outlives_the_process_that_streamed_it(site: Site, client: TestClient) -> None:
    inbox_id = await ask(client)
    live_answer = (await follow(client, inbox_id))[-1]
    site.live._drop(inbox_id)
    assert site.live.count_topics() == 0
    assert await follow(client, inbox_id) == [live_answer]


async def test_an_answer_of_another_process_arrives(site: Site, client: TestClient) -> None:
    await site.worker.stop()
    inbox_id = await ask(client)
    following = asyncio.create_task(follow(client, inbox_id))
    stored = Question("web", "c", await _find_person(site, inbox_id), ["everyone"], "How many?", "en", inbox_id)
    begun = await site.interactions.begin(stored)
    await site.interactions.finish(Outcome(begun.id, "23 [1]", "generated", passages=[LEAVE], citations=[1]))
    name, body = (await following)[-1]
    assert (name, body["text"], body["sources"][0]["title"]) == ("answer", "23 [1]", "Employee handbook")


async def test_a_question_that_was_given_up_ends_with_an_apology(site: Site, client: TestClient) -> None:
    await site.worker.stop()
    inbox_id = await ask(client)
    await site.database.execute(b"UPDATE inbox SET buried_at = now()")
    name, body = (await follow(client, inbox_id))[-1]
    assert (name, f"i{inbox_id}" in body["message"]) == ("declined", True)


async def test_a_question_that_fails_ends_alike_in_stream_log_and_reload(site: Site, client: TestClient) -> None:
    site.search.error = RuntimeError("the index is gone")
    inbox_id = await ask(client)

    async def is_buried() -> bool:
        await site.database.execute(b"UPDATE inbox SET available_at = now()")
        rows = await site.database.fetch_dicts(b"SELECT id FROM inbox WHERE buried_at IS NOT NULL")
        return bool(rows)

    await eventually(is_buried)
    stored = await site.interactions.find_by_inbox(inbox_id)
    assert stored and stored.mode == "failed"
    apology = f"Something went wrong on our side. Please ask again; if it stays, name answer {stored.id} to your admin."
    assert (await follow(client, inbox_id))[-1] == ("declined", {"message": apology})
    site.live._drop(inbox_id)
    name, body = (await follow(client, inbox_id))[-1]
    assert (name, body["mode"], body["text"], stored.answer) == ("answer", "failed", apology, apology)
    turns = (await (await client.get(f"/api/conversations/{CONVERSATION}")).json())["turns"]
    assert [(turn["answer"]["mode"], turn["answer"]["text"]) for turn in turns] == [("failed", apology)]


async def test_a_word_on_the_search_is_there_after_a_reload(site: Site, client: TestClient) -> None:
    site.search.changes = [Change("vacatoin", "vacation")]
    answer = await get_answer(client, "vacatoin?")
    assert answer["notice"] == "Searched for “vacation” instead of “vacatoin”."
    turns = (await (await client.get(f"/api/conversations/{CONVERSATION}")).json())["turns"]
    assert turns[0]["answer"]["notice"] == answer["notice"]
    inbox_id = turns[0]["id"]
    site.live._drop(inbox_id)
    assert (await follow(client, inbox_id))[-1][1]["notice"] == answer["notice"]


async def test_a_person_who_leaves_does_not_stop_the_answer(site: Site, client: TestClient) -> None:
    site.model.gate = asyncio.Semaphore(0)
    inbox_id = await ask(client)
    response = await client.get(f"/api/questions/{inbox_id}/events")
    response.close()
    for _ in range(20):
        site.model.gate.release()

    async def is_finished() -> bool:
        stored = await site.interactions.find_by_inbox(inbox_id)
        return stored is not None and stored.finished_at is not None

    assert await eventually(is_finished)


@pytest.mark.parametrize("behaviour", ["stall", "die", "error"])
async def test_without_a_model_the_answer_is_quoted_and_says_so(site: Site, client: TestClient, behaviour: str) -> None:
    site.model.behaviour = behaviour  # type: ignore[assignment]
    answer = await get_answer(client)
    assert (answer["mode"], answer["notice"]) == (
        "quoted",
        "The language model is away, so these are sentences from the documents:",
    )
    assert "23 days of annual leave" in answer["text"]


async def test_nothing_found_says_so(site: Site, client: TestClient) -> None:
    site.search.passages = []
    answer = await get_answer(client)
    assert (answer["mode"], answer["sources"]) == ("refused", [])


async def test_markup_travels_as_text(site: Site, client: TestClient) -> None:
    response = await client.post("/api/questions", json={"text": f"leave? {XSS}", "conversation": CONVERSATION})
    await follow(client, (await response.json())["id"])
    read = await client.get(f"/api/conversations/{CONVERSATION}")
    assert read.content_type == "application/json"
    assert (await read.json())["turns"][0]["question"] == f"leave? {XSS}"


async def test_a_reload_shows_the_turns_in_order(site: Site, client: TestClient) -> None:
    await get_answer(client)
    await site.worker.stop()
    waiting = await ask(client, "And for interns?")
    read = await (await client.get(f"/api/conversations/{CONVERSATION}")).json()
    answers = [(turn["question"], turn["answer"] is not None) for turn in read["turns"]]
    assert answers == [("How many days of annual leave do I have?", True), ("And for interns?", False)]
    assert read["turns"][1]["id"] == waiting


async def test_an_answer_is_shown_while_its_documents_may_be_read(site: Site, client: TestClient) -> None:
    await get_answer(client)
    await site.database.execute(b"UPDATE documents SET deny = '{everyone}' WHERE id = 1")
    response = await client.get(f"/api/conversations/{CONVERSATION}")
    (turn,) = (await response.json())["turns"]
    told = "This was answered from documents that you may not read any more."
    assert (turn["answer"]["text"], turn["answer"]["sources"]) == (told, [])


async def test_a_conversation_is_empty_to_others(site: Site, client: TestClient) -> None:
    await get_answer(client)
    other = await site.new_client()
    assert await (await other.get(f"/api/conversations/{CONVERSATION}")).json() == {"turns": []}


async def test_a_shutdown_waits_for_no_page(site: Site, client: TestClient) -> None:
    await site.worker.stop()
    following = asyncio.create_task(follow(client, await ask(client)))

    async def is_followed() -> bool:
        return site.live.count_topics() == 1

    await eventually(is_followed)
    site.live.close()
    assert await asyncio.wait_for(following, 30) == []


async def _find_person(site: Site, inbox_id: int) -> str:
    rows = await site.database.fetch_dicts(b"SELECT payload->>'person' AS person FROM inbox WHERE id = %s", [inbox_id])
    if not rows:
        raise NotFoundError(str(inbox_id))
    return rows[0]["person"]
