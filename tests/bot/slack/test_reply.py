"""The reply protocol against Slack's Web API: pace, rate limits, crashes, deleted messages."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.changes import Changes, Fate
from bot.inbox import Claimed
from bot.reply import FinishedAnswer, Source
from bot.slack.api import SlackError
from bot.slack.pace import APPEND_PAUSE_SECONDS, EDIT_PAUSE_SECONDS, Pace, Paces
from bot.slack.posts import to_question
from bot.slack.reply import SlackPlatform, SlackReply
from core.database import Database
from core.interactions import Interactions
from core.records import Question
from tests.bot.assistant import BASE_URL
from tests.bot.slack.conftest import Workspace, build_api, load
from tests.fakes.slack import FakeSlack, read_message

ANSWER = FinishedAnswer(1, "en", "23 days. [1]", "generated", sources=[])


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def claim(workspace: Workspace, body: dict[str, Any] | None = None) -> Claimed:
    event = to_question(body or load("app_mention"))
    assert event
    await workspace.inbox.receive(event)
    claimed = await workspace.inbox.claim("test")
    assert claimed
    return claimed


def make_mention(room: str) -> dict[str, Any]:
    body = load("app_mention")
    body["event"]["channel_type"] = room
    return body


def make_platform(workspace: Workspace, clock: Clock) -> SlackPlatform:
    api = build_api(workspace.slack.api_url)
    return SlackPlatform(
        api=api,
        interactions=Interactions(workspace.database),
        base_url=BASE_URL,
        changes=Changes("slack", inbox=workspace.inbox, database=workspace.database),
        clock=clock,
    )


async def reply_to(workspace: Workspace, clock: Clock, claimed: Claimed) -> SlackReply:
    reply = await make_platform(workspace, clock).reply_to(claimed)
    assert reply
    return reply


async def test_edits_keep_the_pace_and_the_latest_text_wins(workspace: Workspace, clock: Clock) -> None:
    workspace.slack.errors["chat.startStream"] = ["channel_type_not_supported"]
    reply = await reply_to(workspace, clock, await claim(workspace))
    await reply.open(1, "en")
    for number in range(100):
        await reply.show(f"piece {number}")
        clock.now += EDIT_PAUSE_SECONDS / 49.9
    assert [call.arguments["text"] for call in workspace.slack.find_calls("chat.update")] == ["piece 0", "piece 50"]


async def test_a_rate_limit_is_waited_out(workspace: Workspace, clock: Clock) -> None:
    reply = await reply_to(workspace, clock, await claim(workspace))
    workspace.slack.errors["chat.startStream"] = ["channel_type_not_supported"]
    await reply.open(1, "en")
    workspace.slack.rate_limits["chat.update"] = [1]
    await reply.close(ANSWER)
    first, second = workspace.slack.find_calls("chat.update")
    assert second.at - first.at >= 1


async def test_a_failed_edit_does_not_end_the_answer(workspace: Workspace, clock: Clock) -> None:
    reply = await reply_to(workspace, clock, await claim(workspace))
    key = await reply.open(1, "en")
    workspace.slack.errors["chat.update"] = ["internal_error"]
    await reply.show("23")
    await reply.close(ANSWER)
    assert read_message(workspace.slack.messages[key]) == "23 days. [1]"


async def test_after_a_crash_the_same_message_is_used(workspace: Workspace, clock: Clock) -> None:
    claimed, interactions = await claim(workspace), Interactions(workspace.database)
    begun = await interactions.begin(Question("slack", "c", "p", ["everyone"], "q?", "en", claimed.id))
    first = await (await reply_to(workspace, clock, claimed)).open(begun.id, "en")
    await interactions.set_reply_key(begun.id, first)
    again = await reply_to(workspace, clock, claimed)
    assert await again.open(begun.id, "en") == first
    await again.decline("Something went wrong")
    assert [message["text"] for message in workspace.slack.messages.values()] == ["Something went wrong"]


async def test_a_deleted_message_is_posted_anew_and_takes_the_votes(workspace: Workspace, clock: Clock) -> None:
    claimed, interactions = await claim(workspace), Interactions(workspace.database)
    begun = await interactions.begin(Question("slack", "c", "p", ["everyone"], "q?", "en", claimed.id))
    reply = await reply_to(workspace, clock, claimed)
    del workspace.slack.messages[await reply.open(begun.id, "en")]
    await reply.close(replace(ANSWER, interaction_id=begun.id))
    assert [(await interactions.get(begun.id)).reply_key] == list(workspace.slack.messages)


async def stands() -> Fate:
    return "stands"


def make_reply(slack_url: str) -> SlackReply:
    """A first reply on a closed database: nothing here needs one."""
    event = to_question(load("app_mention"))
    assert event
    return SlackReply(
        api=build_api(slack_url),
        interactions=Interactions(Database("postgresql://closed")),
        base_url=BASE_URL,
        paces=Paces(Pace(time.monotonic), Pace(time.monotonic)),
        claimed=Claimed(1, "slack", event.conversation_key, "question", event.payload, 1, datetime.now(UTC), "worker"),
        reply_key=None,
        find_fate=stands,
    )


async def test_a_long_answer_is_split_and_never_cut(workspace: Workspace, clock: Clock) -> None:
    slack, reply = workspace.slack, await make_platform(workspace, clock).reply_to(await claim(workspace))
    await reply.open(1, "en")
    words = [f"word{number}" for number in range(4_000)]
    source = Source(1, "Title", "", None, f"{BASE_URL}/passages/1", "")
    await reply.close(replace(ANSWER, text=" ".join(words), sources=[source]))
    shown = " ".join(read_message(message) for message in slack.messages.values())
    said, _, sources = shown.partition("*Sources*")
    assert said.split() == words
    assert sources
    assert {message["thread_ts"] for message in slack.messages.values()} == {"1700000100.000100"}


async def test_a_closed_channel_is_named_by_slacks_own_word(slack: FakeSlack) -> None:
    slack.errors |= {"chat.startStream": ["not_in_channel"], "chat.postMessage": ["not_in_channel"]}
    with pytest.raises(SlackError, match=r"answered not_in_channel to chat\.postMessage"):
        await make_reply(slack.api_url).open(1, "en")


async def test_a_started_api_keeps_its_connection(slack: FakeSlack) -> None:
    api = build_api(slack.api_url)
    await api.start()
    for _ in range(3):
        await api.call("T0HOME", "auth.test")
    assert len(slack.peers) == 1
    await api.stop()
    await api.call("T0HOME", "auth.test")
    assert len(slack.peers) == 2


async def test_a_slack_that_is_away_is_an_error_of_ours() -> None:
    with pytest.raises(SlackError, match="ClientConnectorError"):
        await make_reply("http://127.0.0.1:9/api/").open(1, "en")


async def test_words_are_streamed_and_the_stream_ends_with_what_stands_under_them(
    workspace: Workspace, clock: Clock
) -> None:
    slack, reply = workspace.slack, await reply_to(workspace, clock, await claim(workspace))
    key = await reply.open(1, "en")
    assert slack.find_calls("assistant.threads.setStatus")[0].arguments["status"] == "Reading the documents…"
    start = slack.find_calls("chat.startStream")[0].arguments
    assert (start["recipient_user_id"], start["recipient_team_id"]) == ("U0ANN", "T0HOME")
    for text in ("23 ", "23 days ", "23 days of ", "23 days of leave. "):
        await reply.show(text)
        clock.now += APPEND_PAUSE_SECONDS / 1.9
    await reply.close(replace(ANSWER, text="23 days of leave. Ask Bo."))
    pieces = [call.arguments["chunks"][0]["text"] for call in slack.find_calls("chat.appendStream")]
    assert pieces == ["23 ", "days of "]
    assert read_message(slack.messages[key]) == "23 days of leave. Ask Bo."
    assert [block["type"] for block in slack.messages[key]["blocks"]] == ["context", "context_actions", "actions"]
    assert (slack.streaming, slack.statuses["C0HR:1700000100.000100"], slack.find_calls("chat.update")) == (
        set(),
        "active",
        [],
    )


async def test_an_answer_that_says_other_words_replaces_the_stream(workspace: Workspace, clock: Clock) -> None:
    slack, reply = workspace.slack, await reply_to(workspace, clock, await claim(workspace))
    key = await reply.open(1, "en")
    await reply.show("23 days and ")
    await reply.close(ANSWER)
    assert (read_message(slack.messages[key]), slack.streaming) == ("23 days. [1]", set())


@pytest.mark.parametrize("moment", ["before the first word", "among the words", "before the end"])
async def test_a_stream_that_expires_is_not_noticed(workspace: Workspace, clock: Clock, moment: str) -> None:
    slack, reply = workspace.slack, await reply_to(workspace, clock, await claim(workspace))
    key = await reply.open(1, "en")
    for text in ("23 ", "23 days ", "23 days. "):
        if (moment == "before the first word") or (moment == "among the words" and text == "23 days "):
            slack.streaming.discard(key)
        await reply.show(text)
        assert read_message(slack.messages[key]).strip() == text.strip()
        clock.now += EDIT_PAUSE_SECONDS
    slack.streaming.discard(key)
    await reply.close(replace(ANSWER, text="23 days. Ask Bo."))
    assert list(slack.messages) == [key]
    assert read_message(slack.messages[key]) == "23 days. Ask Bo."
    assert slack.statuses["C0HR:1700000100.000100"] == "active"


async def test_a_429_among_the_words_holds_up_neither_stream_nor_answer(workspace: Workspace, clock: Clock) -> None:
    slack, reply = workspace.slack, await reply_to(workspace, clock, await claim(workspace))
    key = await reply.open(1, "en")
    slack.rate_limits["chat.appendStream"] = [30]
    began = time.monotonic()
    for text in ("23 ", "23 days ", "23 days. "):
        await reply.show(text)
        clock.now += APPEND_PAUSE_SECONDS
    assert (len(slack.find_calls("chat.appendStream")), slack.streaming) == (1, {key})
    await reply.close(replace(ANSWER, text="23 days. Ask Bo."))
    assert (read_message(slack.messages[key]), slack.find_calls("chat.update")) == ("23 days. Ask Bo.", [])
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("room", ["group", "mpim", "channel"])
async def test_a_room_that_takes_no_stream_is_edited(workspace: Workspace, clock: Clock, room: str) -> None:
    """A mention does not say what room it is in, so Slack's refusal is what tells."""
    slack = workspace.slack
    slack.errors["chat.startStream"] = ["channel_type_not_supported"]
    reply = await reply_to(workspace, clock, await claim(workspace, make_mention(room)))
    key = await reply.open(1, "en")
    await reply.show("23 days ")
    assert read_message(slack.messages[key]) == "23 days "
    assert "stop" in str(slack.messages[key]["blocks"])
    await reply.close(ANSWER)
    assert (list(slack.messages), read_message(slack.messages[key])) == ([key], "23 days. [1]")
    assert "Stop" not in str(slack.messages[key]["blocks"])


async def test_a_growing_text_that_changes_its_words_is_edited_in(workspace: Workspace, clock: Clock) -> None:
    slack, reply = workspace.slack, await reply_to(workspace, clock, await claim(workspace))
    key = await reply.open(1, "en")
    await reply.show("23 days ")
    clock.now += EDIT_PAUSE_SECONDS
    await reply.show("24 days ")
    assert (read_message(slack.messages[key]), slack.streaming) == ("24 days ", set())


async def test_a_group_message_is_answered_by_edits(workspace: Workspace, clock: Clock) -> None:
    slack, reply = workspace.slack, await reply_to(workspace, clock, await claim(workspace, make_mention("mpim")))
    key = await reply.open(1, "en")
    assert "stop" in str(slack.messages[key]["blocks"])
    await reply.close(ANSWER)
    assert (read_message(slack.messages[key]), slack.find_calls("chat.startStream")) == ("23 days. [1]", [])


async def test_after_a_crash_the_stream_that_was_left_is_ended(workspace: Workspace, clock: Clock) -> None:
    claimed, interactions = await claim(workspace), Interactions(workspace.database)
    begun = await interactions.begin(Question("slack", "c", "p", ["everyone"], "q?", "en", claimed.id))
    reply = await reply_to(workspace, clock, claimed)
    key = await reply.open(begun.id, "en")
    await reply.show("23 days ")
    await interactions.set_reply_key(begun.id, key)
    again = await reply_to(workspace, clock, claimed)
    await again.open(begun.id, "en")
    await again.close(ANSWER)
    assert {key: read_message(message) for key, message in workspace.slack.messages.items()} == {key: "23 days. [1]"}
