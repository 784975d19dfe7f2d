"""Commands, the welcome, follow-ups without a mention, and "Ask Nightbake" on somebody's message."""

import json
from typing import Any

import pytest

from core.interactions import Interactions
from tests.bot.teams.conftest import Tenant, load
from tests.fakes.model_server import FakeModelServer
from tests.fakes.teams import TENANT, read_actions

ANN = f"teams:{TENANT}:33333333-cccc-4444-8888-000000000003"


@pytest.mark.parametrize("text", ["help", "/Help", " 도움말 ", "Help!"])
async def test_help_is_a_card_once(tenant: Tenant, chat_model: FakeModelServer, text: str) -> None:
    activity = load("message_help") | {"text": text}
    await tenant.play(chat_model, activity, activity)
    (message,) = tenant.teams.messages.values()
    body = str(message["attachments"][0]["content"]["body"])
    assert ("제가 할 수 있는 일" if "도움" in text else "What I can do") in body
    assert {action["data"]["msteams"]["type"] for action in read_actions(message)} == {"imBack"}
    assert await tenant.count("interactions") == 0


async def test_in_a_channel_help_offers_no_buttons(tenant: Tenant, chat_model: FakeModelServer) -> None:
    await tenant.play(chat_model, load("message_channel_mention") | {"text": "<at>Nightbake</at> help"})
    (message,) = tenant.teams.messages.values()
    assert (read_actions(message), message["replyToId"]) == ([], "1690000000001")


async def test_again_is_another_answer_to_the_last_question(tenant: Tenant, chat_model: FakeModelServer) -> None:
    again = load("message_personal") | {"id": "1690000000031", "text": "다시"}
    await tenant.play(chat_model, "message_personal", again)
    rows = await tenant.database.fetch_dicts(b"SELECT again_of FROM interactions ORDER BY id")
    assert [row["again_of"] for row in rows] == [None, 1]


async def test_again_without_a_question_is_help(tenant: Tenant, chat_model: FakeModelServer) -> None:
    await tenant.play(chat_model, load("message_help") | {"text": "again"})
    assert "What I can do" in str(tenant.teams.messages)


async def test_an_installation_is_welcomed_once_with_questions_to_begin_with(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    await tenant.play(chat_model, "installation_update", "conversation_update", "installation_update")
    (message,) = tenant.teams.messages.values()
    assert "안녕하세요, Nightbake입니다." in str(message["attachments"])
    assert {prompt["type"] for prompt in message["suggestedActions"]["actions"]} == {"imBack"}
    assert "replyToId" not in message


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("installation_update", {"action": "remove"}),
        ("conversation_update", {"membersAdded": [{"id": "29:1bob"}]}),
        ("conversation_update", {"membersAdded": None, "membersRemoved": [{"id": "29:1bob"}]}),
    ],
)
async def test_other_comings_and_goings_are_met_with_silence(
    tenant: Tenant, name: str, changes: dict[str, Any]
) -> None:
    assert (await tenant.deliver(name, **changes), await tenant.count("inbox")) == ((200, ""), 0)


async def test_a_welcome_that_cannot_be_said_is_left_unsaid(tenant: Tenant, chat_model: FakeModelServer) -> None:
    tenant.teams.statuses = [403]
    await tenant.play(chat_model, "conversation_update")
    assert await tenant.database.fetch_dicts(b"SELECT id FROM inbox WHERE buried_at IS NOT NULL OR attempts > 1") == []


async def test_a_follow_up_in_a_thread_of_ours_needs_no_mention(tenant: Tenant, chat_model: FakeModelServer) -> None:
    await tenant.play(chat_model, "message_channel_mention", "message_channel_follow_up", "message_channel_follow_up")
    assert await tenant.count("interactions") == 2
    assert {key.rpartition("|")[0] for key in tenant.teams.messages} == {"19:hr@thread.tacv2;messageid=1690000000001"}
    rows = await tenant.database.fetch_dicts(b"SELECT standalone_question FROM interactions ORDER BY id")
    assert rows[1]["standalone_question"] == "How many days of annual leave do I have? — And for interns?"


@pytest.mark.parametrize(
    "changes",
    [
        {"conversation": load("message_channel_mention")["conversation"] | {"id": "19:hr@thread.tacv2;messageid=16"}},
        {"conversation": load("message_channel_mention")["conversation"] | {"id": "19:hr@thread.tacv2"}},
        {"text": ""},
        {
            "text": "<at>Bob</at> what do you think?",
            "entities": [{"type": "mention", "mentioned": {"id": "29:1bob"}, "text": "<at>Bob</at>"}],
        },
    ],
    ids=["another thread", "no thread", "no words", "for somebody else"],
)
async def test_other_messages_without_a_mention_are_not_stored(
    tenant: Tenant, chat_model: FakeModelServer, changes: dict[str, Any]
) -> None:
    await tenant.play(chat_model, "message_channel_mention", load("message_channel_follow_up") | changes)
    assert await tenant.count("inbox") == 1


async def test_a_group_chat_needs_a_mention_and_the_quoted_message_is_the_question(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    group = load("message_channel_mention") | {"conversation": load("extension_fetch")["conversation"]}
    content = {"messageId": "1", "messagePreview": "How many days of sick leave?", "messageSender": {"user": {}}}
    quoting = {
        "id": "1690000000040",
        "text": "<at>Nightbake</at> do you know?",
        "attachments": [{"contentType": "messageReference", "content": json.dumps(content)}],
    }
    unnamed = group | {"id": "1690000000041", "text": "And for interns?", "entities": []}
    await tenant.play(chat_model, group, group | quoting, unnamed)
    rows = await tenant.database.fetch_dicts(b"SELECT question FROM interactions ORDER BY id")
    assert [row["question"] for row in rows][1:] == ["How many days of sick leave?"]


async def test_ask_nightbake_shows_the_words_and_answers_the_person_alone(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    shown, taken = await tenant.play(chat_model, "extension_fetch", "extension_submit")
    dialog = shown["task"]["value"]["card"]["content"]
    assert dialog["body"][0]["value"] == "How many days of annual leave?"
    assert taken == {"task": {"type": "message", "value": "The answer comes in our chat."}}
    assert list(tenant.teams.messages) == ["a:chat-29:1ann|1700000000001"]
    assert tenant.search.asked == [["everyone", "public", ANN]]
    stored = await Interactions(tenant.database).find_by_reply("teams", "a:chat-29:1ann|1700000000001")
    assert stored and stored.question == "How many days of annual leave do I have?"


@pytest.mark.parametrize("question", ["?!", "x" * 4_001])
async def test_what_is_no_question_is_said_in_the_dialog(tenant: Tenant, question: str) -> None:
    activity = load("extension_submit")
    activity["value"]["data"]["question"] = question
    status, body = await tenant.deliver(activity)
    assert (status, json.loads(body)["task"]["type"], await tenant.count("inbox")) == (200, "message", 0)


@pytest.mark.parametrize("payload", [None, {}, {"body": {"contentType": "text", "content": " a < b "}}])
async def test_a_message_without_readable_words_leaves_the_field_to_the_person(tenant: Tenant, payload: Any) -> None:
    activity = load("extension_fetch")
    activity["value"]["messagePayload"] = payload
    status, body = await tenant.deliver(activity)
    field = json.loads(body)["task"]["value"]["card"]["content"]["body"][0]
    assert (status, field.get("value")) == (200, "a < b" if payload else None)
