"""The reply protocol against Slack's Web API: pace, rate limits, crashes, deleted messages."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.inbox import Claimed
from bot.reply import FinishedAnswer, Source
from bot.slack.api import SlackError
from bot.slack.posts import to_question
from bot.slack.reply import EDIT_PAUSE_SECONDS, Pace, SlackPlatform, SlackReply
from core.database import Database
from core.interactions import Interactions
from core.records import Question
from tests.bot.assistant import BASE_URL
from tests.bot.slack.conftest import Workspace, build_api, load
from tests.fakes.slack import FakeSlack

ANSWER = FinishedAnswer(1, "en", "23 days. [1]", "generated", sources=[])


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def claim(workspace: Workspace) -> Claimed:
    event = to_question(load("app_mention"))
    assert event
    await workspace.inbox.receive(event)
    claimed = await workspace.inbox.claim("test")
    assert claimed
    return claimed


def make_platform(workspace: Workspace, clock: Clock) -> SlackPlatform:
    api = build_api(workspace.slack.api_url)
    return SlackPlatform(api=api, interactions=Interactions(workspace.database), base_url=BASE_URL, clock=clock)


async def test_edits_keep_the_pace_and_the_latest_text_wins(workspace: Workspace, clock: Clock) -> None:
    reply = await make_platform(workspace, clock).reply_to(await claim(workspace))
    await reply.open(1, "en")
    for number in range(100):
        await reply.show(f"piece {number}")
        clock.now += EDIT_PAUSE_SECONDS / 49.9
    assert [call.arguments["text"] for call in workspace.slack.find_calls("chat.update")] == ["piece 0", "piece 50"]


async def test_a_rate_limit_is_waited_out(workspace: Workspace, clock: Clock) -> None:
    reply = await make_platform(workspace, clock).reply_to(await claim(workspace))
    await reply.open(1, "en")
    workspace.slack.rate_limits["chat.update"] = [1]
    await reply.close(ANSWER)
    first, second = workspace.slack.find_calls("chat.update")
    assert second.at - first.at >= 1


async def test_a_failed_edit_does_not_end_the_answer(workspace: Workspace, clock: Clock) -> None:
    reply = await make_platform(workspace, clock).reply_to(await claim(workspace))
    key = await reply.open(1, "en")
    workspace.slack.errors["chat.update"] = ["internal_error"]
    await reply.show("23")
    await reply.close(ANSWER)
    assert workspace.slack.messages[key]["text"] == "23 days. [1]"


async def test_after_a_crash_the_same_message_is_used(workspace: Workspace, clock: Clock) -> None:
    claimed, interactions = await claim(workspace), Interactions(workspace.database)
    begun = await interactions.begin(Question("slack", "c", "p", ["everyone"], "q?", "en", claimed.id))
    first = await (await make_platform(workspace, clock).reply_to(claimed)).open(begun.id, "en")
    await interactions.set_reply_key(begun.id, first)
    again = await make_platform(workspace, clock).reply_to(claimed)
    assert await again.open(begun.id, "en") == first
    await again.decline("Something went wrong")
    assert [message["text"] for message in workspace.slack.messages.values()] == ["Something went wrong"]


async def test_a_deleted_message_is_posted_anew_and_takes_the_votes(workspace: Workspace, clock: Clock) -> None:
    claimed, interactions = await claim(workspace), Interactions(workspace.database)
    begun = await interactions.begin(Question("slack", "c", "p", ["everyone"], "q?", "en", claimed.id))
    reply = await make_platform(workspace, clock).reply_to(claimed)
    del workspace.slack.messages[await reply.open(begun.id, "en")]
    await reply.close(replace(ANSWER, interaction_id=begun.id))
    assert [(await interactions.get(begun.id)).reply_key] == list(workspace.slack.messages)


def make_reply(slack_url: str) -> SlackReply:
    """A first reply on a closed database: nothing here needs one."""
    event = to_question(load("app_mention"))
    assert event
    return SlackReply(
        api=build_api(slack_url),
        interactions=Interactions(Database("postgresql://closed")),
        base_url=BASE_URL,
        pace=Pace(time.monotonic),
        claimed=Claimed(1, "slack", event.conversation_key, "question", event.payload, 1, datetime.now(UTC), "worker"),
        reply_key=None,
    )


async def test_a_long_answer_is_split_and_never_cut(workspace: Workspace, clock: Clock) -> None:
    slack, reply = workspace.slack, await make_platform(workspace, clock).reply_to(await claim(workspace))
    await reply.open(1, "en")
    words = [f"word{number}" for number in range(4_000)]
    source = Source(1, "Title", "", None, f"{BASE_URL}/passages/1", "")
    await reply.close(replace(ANSWER, text=" ".join(words), sources=[source]))
    sections = [
        block["text"]["text"]
        for message in slack.messages.values()
        for block in message["blocks"]
        if block["type"] == "section"
    ]
    assert " ".join(sections[:-1]).split() == words
    assert sections[-1].startswith("*Sources*")
    assert {message["thread_ts"] for message in slack.messages.values()} == {"1700000100.000100"}


async def test_a_closed_channel_is_named_by_slacks_own_word(slack: FakeSlack) -> None:
    slack.errors["chat.postMessage"] = ["not_in_channel"]
    with pytest.raises(SlackError, match=r"'not_in_channel' to chat\.postMessage"):
        await make_reply(slack.api_url).open(1, "en")


async def test_a_slack_that_is_away_is_an_error_of_ours() -> None:
    with pytest.raises(SlackError, match="ClientConnectorError"):
        await make_reply("http://127.0.0.1:9/api/").open(1, "en")
