"""A mention becomes one answer in its thread, whatever Slack repeats; a thumb on it counts until it is taken back."""

import asyncio

import pytest

from core.feedback import FeedbackLog
from core.interactions import Interactions
from tests.bot.assistant import BASE_URL
from tests.bot.slack.conftest import Workspace, load
from tests.fakes.model_server import FakeModelServer
from tests.fakes.slack import read_message

REPLY_KEY = "C0HR:1700000000.000001"


async def test_a_mention_delivered_three_times_is_answered_once_with_its_source(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    async with workspace.at_work(chat_model):
        statuses = await asyncio.gather(*(workspace.deliver("app_mention", retry=number) for number in range(3)))
        await workspace.deliver("message_channel")
        await workspace.settle()
    assert statuses == [200, 200, 200]
    assert list(workspace.slack.messages) == [REPLY_KEY]
    assert workspace.search.asked == [["everyone", "public", "!*"]]
    message = workspace.slack.messages[REPLY_KEY]
    assert message["thread_ts"] == "1700000100.000100"
    assert f"Employees have 23 days of annual leave. [[1]]({BASE_URL}/passages/7)" in read_message(message)
    assert f"[1] <{BASE_URL}/passages/7|Leave policy › Annual leave, p. 3>" in read_message(message)


async def test_the_thread_is_asked_without_the_mention(workspace: Workspace, chat_model: FakeModelServer) -> None:
    async with workspace.at_work(chat_model):
        await workspace.deliver("app_mention_in_thread")
        await workspace.settle()
    stored = await Interactions(workspace.database).find_by_reply("slack", REPLY_KEY)
    assert stored
    assert (stored.question, stored.conversation_key) == ("연차는 며칠인가요?", "slack:T0HOME:C0HR:1700000100.000100")


async def test_a_direct_message_is_answered_with_what_the_person_may_read(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    async with workspace.at_work(chat_model):
        await workspace.deliver("message_im")
        await workspace.deliver("message_im_own_echo")
        await workspace.settle()
    assert list(workspace.slack.messages) == ["D0ANN:1700000000.000001"]
    assert workspace.search.asked == [["everyone", "public", "slack:T0HOME:U0ANN"]]


async def test_a_channel_shared_with_another_company_gets_what_is_public(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    async with workspace.at_work(chat_model):
        await workspace.deliver("app_mention_shared_channel")
        await workspace.settle()
    assert workspace.search.asked == [["public", "!*"]]
    assert "23 days" not in str(workspace.slack.messages)


async def test_a_thumb_counts_until_it_is_taken_back(workspace: Workspace, chat_model: FakeModelServer) -> None:
    votes, values = FeedbackLog(workspace.database), []
    async with workspace.at_work(chat_model):
        await workspace.deliver("app_mention")
        await workspace.settle()
        stored = await Interactions(workspace.database).find_by_reply("slack", REPLY_KEY)
        assert stored
        for event in ("reaction_added", "reaction_added", "reaction_removed", "reaction_added_skin_tone"):
            assert await workspace.deliver(event) == 200
            await workspace.settle()
            values.append(await votes.get_value(stored.id, "slack:T0HOME:U0ANN"))
        elsewhere = load("reaction_added") | {"event_id": "Ev0ELSEWHERE"}
        elsewhere["event"]["item"]["ts"] = "1600000000.000001"
        await workspace.deliver(elsewhere)
        await workspace.settle()
    assert (values, await workspace.count("feedback")) == ([1, 1, 0, -1], 3)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("app_mention", "<@U0BOT> ?!", "could not find a question"),
        ("message_im_without_text", None, "could not find a question"),
        ("message_im_file_only", None, "could not find a question"),
        ("app_mention_huge", None, "please ask in at most 4,000"),
    ],
)
async def test_what_cannot_be_taken_is_declined_in_its_thread(
    workspace: Workspace, chat_model: FakeModelServer, name: str, text: str | None, said: str
) -> None:
    event = load(name)
    if text:
        event["event"]["text"] = text
    async with workspace.at_work(chat_model):
        await workspace.deliver(event)
        await workspace.settle()
    (message,) = workspace.slack.messages.values()
    assert said in read_message(message)
    assert message["thread_ts"] == event["event"]["ts"]


async def test_a_post_that_comes_as_mention_and_as_message_is_answered_once(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    """In a thread of ours a mention is a message that needs none; Slack sends both, in any order."""
    mention, message = load("app_mention_in_thread"), load("message_follow_up")
    said = {name: mention["event"][name] for name in ("user", "text", "ts", "thread_ts", "channel")}
    message["event"] |= said
    async with workspace.at_work(chat_model):
        await workspace.deliver("app_mention")
        await workspace.settle()
        for body in (message, mention, message, mention):
            assert await workspace.deliver(body) == 200
        await workspace.settle()
    assert (await workspace.count("inbox"), len(workspace.slack.messages)) == (2, 2)
