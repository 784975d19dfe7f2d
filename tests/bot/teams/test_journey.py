"""A mention becomes one answer with citations, whatever Teams repeats; a like on it counts until it is taken back."""

import asyncio
from typing import Any

import pytest

from core.feedback import FeedbackLog
from core.interactions import Interactions
from tests.bot.assistant import BASE_URL
from tests.bot.teams.conftest import Tenant
from tests.fakes.model_server import FakeModelServer
from tests.fakes.teams import TENANT

THREAD = "19:hr@thread.tacv2;messageid=1690000000001"
ANN = f"teams:{TENANT}:33333333-cccc-4444-8888-000000000003"
REPLY_KEY = "19:hr@thread.tacv2|1700000000001"


async def test_a_mention_delivered_three_times_is_answered_once_with_its_source(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    async with tenant.at_work(chat_model):
        answers = await asyncio.gather(*(tenant.deliver("message_channel_mention") for _ in range(3)))
        await tenant.settle()
    assert [status for status, _ in answers] == [200, 200, 200]
    assert list(tenant.teams.said) == [f"{THREAD}|1700000000001"]
    assert tenant.search.asked == [["everyone", "public", "!*"]]
    message = tenant.teams.messages[f"{THREAD}|1700000000001"]
    assert tenant.teams.calls[0].activity["replyToId"] == "1690000000001"
    assert message["text"].startswith("Employees have 23 days of annual leave. [1]")
    assert f"1. [Leave policy › Annual leave, p. 3]({BASE_URL}/passages/7)" in message["text"]
    assert message["channelData"] == {"feedbackLoop": {"type": "default"}}


async def test_the_answer_carries_label_and_citation(tenant: Tenant, chat_model: FakeModelServer) -> None:
    async with tenant.at_work(chat_model):
        await tenant.deliver("message_personal")
        await tenant.settle()
    (message,) = tenant.teams.messages.values()
    assert message["entities"] == [
        {"type": "streaminfo", "streamType": "final", "streamId": "1700000000001"},
        {
            "type": "https://schema.org/Message",
            "@type": "Message",
            "@context": "https://schema.org",
            "additionalType": ["AIGeneratedContent"],
            "citation": [
                {
                    "@type": "Claim",
                    "position": 1,
                    "appearance": {
                        "@type": "DigitalDocument",
                        "name": "Leave policy › Annual leave",
                        "abstract": "Employees have 23 days of annual leave. Leave is asked for in the portal.",
                        "url": f"{BASE_URL}/passages/7",
                    },
                }
            ],
        },
    ]
    assert tenant.search.asked == [["everyone", "public", ANN]]
    assert {call.authorization for call in tenant.teams.calls} == {"Bearer outbound-token"}
    assert {call.activity.get("replyToId") for call in tenant.teams.calls} == {None}


async def test_the_question_is_stored_without_the_mention(tenant: Tenant, chat_model: FakeModelServer) -> None:
    async with tenant.at_work(chat_model):
        await tenant.deliver("message_channel_mention")
        await tenant.settle()
    stored = await Interactions(tenant.database).find_by_reply("teams", REPLY_KEY)
    assert stored
    assert stored.question == "How many days of annual leave do I have?"
    assert (stored.asker, stored.conversation_key) == (ANN, f"teams:{TENANT}:{THREAD}")


async def test_judgements_count_and_a_like_can_be_taken_back(tenant: Tenant, chat_model: FakeModelServer) -> None:
    votes, seen = FeedbackLog(tenant.database), []
    async with tenant.at_work(chat_model):
        await tenant.deliver("message_channel_mention")
        await tenant.settle()
        stored = await Interactions(tenant.database).find_by_reply("teams", REPLY_KEY)
        assert stored
        for name in ("reaction_like", "reaction_like", "reaction_heart", "reaction_like_removed", "feedback_dislike"):
            await tenant.deliver(name)
            await tenant.settle()
            seen.append([(vote.person, vote.value, vote.reason) for vote in await votes.find_current(stored.id)])
    like = [(ANN, 1, None)]
    assert seen == [like, like, like, [], [(ANN, -1, "It is 25 days since May")]]


async def test_what_is_dropped_is_acknowledged(tenant: Tenant) -> None:
    dropped = ("message_own_echo", "message_channel_no_mention", "reaction_heart")
    answers = [await tenant.deliver(name) for name in dropped]
    assert (set(answers), await tenant.count("inbox")) == ({(200, "")}, 0)


async def test_an_invoke_is_answered_with_an_object(tenant: Tenant) -> None:
    assert await tenant.deliver("feedback_like") == (200, "{}")


async def test_an_unknown_invoke_is_not_implemented(tenant: Tenant) -> None:
    assert await tenant.deliver("invoke_other") == (501, "")


@pytest.mark.parametrize("kind", ["event", "typing", "endOfConversation", "something new"])
async def test_an_unknown_activity_is_acknowledged(tenant: Tenant, kind: str) -> None:
    assert await tenant.deliver("message_personal", type=kind) == (200, "")


@pytest.mark.parametrize("changes", [{"conversation": None}, {"entities": [1]}, {"recipient": None}, {"type": None}])
async def test_an_activity_that_cannot_be_read_is_refused(tenant: Tenant, changes: dict[str, Any]) -> None:
    status, _ = await tenant.deliver("message_channel_mention", **changes)
    assert (status, await tenant.count("inbox")) == (400 if "type" not in changes else 200, 0)


async def test_an_activity_that_cannot_be_stored_is_not_acknowledged(tenant: Tenant) -> None:
    await tenant.database.execute(b"ALTER TABLE inbox ADD CONSTRAINT closed CHECK (false) NOT VALID")
    status, _ = await tenant.deliver("message_personal")
    assert status == 500
