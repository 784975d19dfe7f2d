"""The endpoint: what is stored, what is dropped, and what is turned away."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.inbox import Inbox
from bot.slack.events import PATH, SlackEvents
from bot.slack.posts import add_posts, read_text, to_question
from bot.slack.reactions import to_feedback
from core.database import Database
from tests.bot.slack.conftest import PAYLOADS, SECRET, Workspace, load, sign

DROPPED_POSTS = [
    "app_mention_by_other_bot",
    "app_mention_own",
    "message_channel",
    "message_channel_huge_by_bot",
    "message_channel_join",
    "message_im_other_bot",
    "message_im_own_echo",
    "message_unknown_subtype",
]
DROPPED = [*DROPPED_POSTS, "reaction_added_other", "unknown_event", "unknown_event_bare"]
QUESTIONS = [
    "app_mention",
    "app_mention_by_workflow",
    "app_mention_huge",
    "app_mention_in_thread",
    "app_mention_shared_channel",
    "message_im",
    "message_im_file",
    "message_im_file_only",
    "message_im_without_text",
]


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_a_person_or_a_workflow_asks_is_a_question(name: str) -> None:
    event = to_question(load(name))
    assert event
    assert event.kind == "question"


@pytest.mark.parametrize("name", [*DROPPED_POSTS, "message_im_edited"])
def test_what_is_not_for_us_is_no_question(name: str) -> None:
    assert to_question(load(name)) is None


def test_a_workflow_in_a_thread_is_not_answered() -> None:
    body = load("app_mention_by_workflow")
    body["event"]["thread_ts"] = "1700000400.000100"
    assert to_question(body) is None


def test_another_emoji_is_no_vote() -> None:
    assert to_feedback(load("reaction_added_other")) is None


def test_our_own_thumb_is_no_event() -> None:
    body = load("reaction_added")
    body["event"]["user"] = "U0BOT"
    assert to_feedback(body) is None


def test_a_mention_and_a_message_of_one_post_have_one_key() -> None:
    mention, message = load("app_mention"), load("app_mention")
    message["event"] |= {"type": "message", "channel_type": "im"}
    message["event_id"] = "Ev0OTHER"
    keys = {event.event_key for event in (to_question(mention), to_question(message)) if event}
    assert keys == {"post:C0HR:1700000100.000100"}


def test_a_thumb_that_is_taken_back_names_the_vote() -> None:
    event = to_feedback(load("reaction_removed"))
    assert event
    assert (event.payload["value"], event.payload["withdraws"]) == (0, 1)


async def test_what_is_dropped_is_acknowledged_and_calls_nobody(workspace: Workspace) -> None:
    statuses = [await workspace.deliver(name) for name in DROPPED]
    assert (set(statuses), await workspace.count("inbox"), workspace.slack.calls) == ({200}, 0, [])


async def test_every_recorded_event_is_acknowledged(workspace: Workspace) -> None:
    bodies = {path.stem: load(path.stem) for path in PAYLOADS.glob("*.json")}
    events = {name: body for name, body in bodies.items() if body.get("type") == "event_callback"}
    answers = {name: await workspace.deliver(body) for name, body in events.items()}
    assert len(events) > 30
    assert set(answers.values()) == {200}, answers


async def test_storing_needs_no_answer_of_slack(workspace: Workspace) -> None:
    await workspace.deliver("app_mention")
    assert (await workspace.count("inbox"), workspace.slack.calls) == (1, [])


async def test_an_event_that_cannot_be_stored_is_not_acknowledged(workspace: Workspace) -> None:
    await workspace.database.execute(b"ALTER TABLE inbox ADD CONSTRAINT closed CHECK (false) NOT VALID")
    assert await workspace.deliver("app_mention") == 500


@pytest.fixture
async def endpoint() -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """An endpoint whose database is closed: what got as far as the inbox would be a 500."""
    app = web.Application()
    events = SlackEvents(signing_secret=SECRET)
    add_posts(events, Inbox(Database("postgresql://closed")))
    app.add_routes(events.routes())
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_the_address_is_verified_by_its_challenge(endpoint: TestClient[web.Request, web.Application]) -> None:
    body = json.dumps(load("url_verification")).encode()
    response = await endpoint.post(PATH, data=body, headers=sign(body))
    assert (response.status, await response.json()) == (200, {"challenge": "a-challenge"})


BODY = json.dumps(load("app_mention")).encode()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(BODY, sign(BODY, secret="another secret"), id="another secret"),
        pytest.param(BODY, sign(BODY.replace(b"leave", b"raise")), id="another body"),
        pytest.param(BODY, sign(BODY, at=time.time() - 3600), id="an hour old"),
        pytest.param(BODY, sign(BODY) | {"X-Slack-Request-Timestamp": "yesterday"}, id="timestamp is no number"),
        pytest.param(BODY, sign(BODY) | {"X-Slack-Signature": "v0=한국"}, id="signature is no ASCII"),
        pytest.param(BODY, {"Content-Type": "application/json"}, id="no signature"),
        pytest.param(b"{", {"Content-Type": "application/json"}, id="no JSON"),
        pytest.param(
            b'{"ssl_check": "1", ' + BODY[1:], {"Content-Type": "application/json"}, id="dressed as ssl check"
        ),
    ],
)
async def test_a_forged_event_is_turned_away(
    endpoint: TestClient[web.Request, web.Application], body: bytes, headers: dict[str, str]
) -> None:
    response = await endpoint.post(PATH, data=body, headers=headers)
    assert response.status == 401


async def test_a_signed_event_that_is_no_json_is_refused(endpoint: TestClient[web.Request, web.Application]) -> None:
    response = await endpoint.post(PATH, data=b"{", headers=sign(b"{"))
    assert response.status == 400


async def test_without_a_signing_secret_there_is_no_endpoint() -> None:
    assert SlackEvents(signing_secret=None).routes() == []


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("<@U0BOT> hello", "hello"),
        ("hello <@U0BOT|nightbake>, you", "hello , you"),
        ("ask <@U0BOB|bob> in <#C0HR|hr>", "ask @bob in #hr"),
        ("see <https://a.example/x|the page> and <https://b.example>", "see the page and https://b.example"),
        ("<!here> is 2 &lt; 3 &amp; 4 &gt; 3?", "@here is 2 < 3 & 4 > 3?"),
        ("&amp;lt; stays as typed", "&lt; stays as typed"),
    ],
)
def test_a_post_is_read_as_it_was_typed(text: str, read: str) -> None:
    assert read_text(text, "U0BOT") == read


async def test_a_click_goes_through_its_door_before_it_is_acknowledged() -> None:
    events, came = SlackEvents(signing_secret=SECRET), list[str]()

    async def note(body: dict[str, Any]) -> dict[str, Any]:
        came.append(body["type"])
        return {"response_action": "clear"} if body["type"] == "view_submission" else {}

    events.on("action", "vote", note)
    events.on("view", "correct", note)
    app = web.Application()
    app.add_routes(events.routes())
    async with TestClient(TestServer(app)) as client:
        answers = [
            await send_form(client, {"type": "block_actions", "actions": [{"type": "button", "action_id": "vote"}]}),
            await send_form(client, {"type": "view_submission", "view": {"type": "modal", "callback_id": "correct"}}),
            await send_form(client, {"type": "block_actions", "actions": [{"type": "button", "action_id": "other"}]}),
        ]
    assert came == ["block_actions", "view_submission"]
    assert [status for status, _ in answers] == [200, 200, 200]
    assert json.loads(answers[1][1]) == {"response_action": "clear"}


async def send_form(client: TestClient[web.Request, web.Application], payload: dict[str, Any]) -> tuple[int, str]:
    """As Slack sends clicks and forms."""
    body = urlencode({"payload": json.dumps({"team": {"id": "T0HOME"}, "user": {"id": "U0ANN"}, **payload})}).encode()
    headers = sign(body) | {"Content-Type": "application/x-www-form-urlencoded"}
    response = await client.post(PATH, data=body, headers=headers)
    return response.status, await response.text()
