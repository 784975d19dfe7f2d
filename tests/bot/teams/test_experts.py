"""Ask a human: passed on once, offered to its author, used with consent, and told to the person."""

from dataclasses import replace
from typing import Any

import pytest

from core.feedback import FeedbackLog
from tests.bot.assistant import LEAVE
from tests.bot.teams.conftest import EXPERT_CHANNEL, Tenant, load
from tests.fakes.model_server import FakeModelServer
from tests.fakes.teams import TENANT

EVE = f"teams:{TENANT}:33333333-cccc-4444-8888-000000000005"
REQUEST = f"{EXPERT_CHANNEL}|1700000000003"
ASKED = ("message_channel_mention", "execute_ask_human")


async def test_question_answer_and_link_go_to_the_experts_once(tenant: Tenant, chat_model: FakeModelServer) -> None:
    bob = load("execute_ask_human") | {"id": "f:0199", "from": {"id": "29:1bob", "name": "Bob", "aadObjectId": "b"}}
    told = await tenant.play(chat_model, *ASKED, "execute_ask_human", bob)
    assert list(tenant.teams.said)[1:] == [REQUEST]
    text = tenant.teams.said[REQUEST]["text"]
    assert "**Ann** asks a human:\n\nHow many days of annual leave do I have?" in text
    assert "23 days" in text
    assert "https://teams.microsoft.com/l/message/19%3Ahr%40thread.tacv2/1700000000001" in text
    assert "replyToId" not in tenant.teams.said[REQUEST]
    assert all(answer["value"].startswith("I pass your question on") for answer in told[1:])


async def test_in_a_personal_chat_the_person_is_told_that_it_was_passed_on(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    wish = load("execute_ask_human") | {"conversation": load("message_personal")["conversation"]}
    await tenant.play(chat_model, "message_personal", wish)
    assert [message["text"].partition("\n")[0] for message in tenant.teams.said.values()][1:] == [
        "**Ann** asks a human:",
        "I passed your question on to colleagues. You will hear here what they say.",
    ]


async def test_an_answer_from_restricted_documents_is_not_shown(tenant: Tenant, chat_model: FakeModelServer) -> None:
    async def find_restricted(*_: object, **__: object) -> list[Any]:
        return [replace(LEAVE, allow=["group:people"])]

    tenant.search.search = find_restricted
    await tenant.play(chat_model, *ASKED)
    text = tenant.teams.said[REQUEST]["text"]
    assert "23 days" not in text
    assert "not everybody may read" in text


@pytest.mark.parametrize("mention", [True, False])
async def test_the_reply_is_offered_to_its_author(tenant: Tenant, chat_model: FakeModelServer, mention: bool) -> None:
    reply = load("message_expert_reply")
    if mention:
        named = load("message_channel_mention")
        reply |= {"text": f"<at>Nightbake</at> {reply['text']}", "entities": named["entities"]}
    await tenant.play(chat_model, *ASKED, reply, reply)
    key, offer = list(tenant.teams.said.items())[2]
    assert key == f"{EXPERT_CHANNEL};messageid=1700000000003|1700000000004"
    assert offer["text"].startswith("<at>Eve</at> May I use your reply")
    assert offer["entities"][0]["mentioned"] == {"id": "29:1eve", "name": "Eve"}
    assert [action["data"]["reply_id"] for action in tenant.teams.buttons[-1:]] == [1]
    assert (len(tenant.teams.said), await tenant.count("feedback")) == (3, 0)


async def test_with_consent_the_reply_is_the_experts_correction_and_the_person_is_told(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    await tenant.play(chat_model, *ASKED, "message_expert_reply", "execute_use_reply", "execute_use_reply")
    (stored,) = await FeedbackLog(tenant.database).find_current(1)
    assert (stored.person, stored.value, stored.source) == (EVE, -1, "expert")
    assert stored.correction == "It is 25 days & a birthday off."
    key, told = list(tenant.teams.said.items())[-1]
    assert key.startswith("19:hr@thread.tacv2;messageid=1690000000001|")
    assert told["text"] == "<at>Ann</at> **Eve** answered your question:\n\nIt is 25 days & a birthday off."
    assert told["entities"][0]["mentioned"] == {"id": "29:1ann", "name": "Ann"}
    assert len(tenant.teams.said) == 4


async def test_nobody_else_can_agree(tenant: Tenant, chat_model: FakeModelServer) -> None:
    bob = load("execute_use_reply") | {"from": {"id": "29:1bob", "name": "Bob", "aadObjectId": "b"}}
    await tenant.play(chat_model, *ASKED, "message_expert_reply", bob)
    assert (await tenant.count("feedback"), len(tenant.teams.said)) == (0, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"conversation": load("message_expert_reply")["conversation"] | {"id": f"{EXPERT_CHANNEL};messageid=16"}},
        {"conversation": load("message_expert_reply")["conversation"] | {"id": EXPERT_CHANNEL}},
        {"from": load("message_expert_reply")["recipient"]},
        {"text": " "},
        {"from": load("message_channel_mention")["from"]},
    ],
    ids=["another thread", "no thread", "our own", "no words", "the one who asks"],
)
async def test_other_messages_there_are_not_offered(
    tenant: Tenant, chat_model: FakeModelServer, changes: dict[str, Any]
) -> None:
    await tenant.play(chat_model, *ASKED, load("message_expert_reply") | changes)
    assert (await tenant.count("expert_replies"), len(tenant.teams.said)) == (0, 2)
