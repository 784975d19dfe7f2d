"""Posts that were missed are read from the history, each is answered once, and nothing else is."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.inbox import Claimed
from bot.slack.api import SlackError
from bot.slack.recovery import KIND, LONGEST_SECONDS, MARGIN_SECONDS
from tests.bot.slack.conftest import EXPERT_CHANNEL, Workspace, load
from tests.fakes.model_server import FakeModelServer

SINCE = 1_700_000_000.0


def make_post(seconds: int, text: str, **fields: Any) -> dict[str, Any]:
    """What a person posted so many seconds after the last event."""
    return {"type": "message", "user": "U0ANN", "team": "T0HOME", "ts": f"{SINCE + seconds:.6f}", "text": text} | fields


def move(name: str, seconds: int, **fields: Any) -> dict[str, Any]:
    """A recorded post at another time."""
    body = load(name)
    body["event"] |= {"ts": f"{SINCE + seconds:.6f}", **fields}
    return body


async def recover(workspace: Workspace, since: float = SINCE) -> None:
    claimed = Claimed(1, "slack", "slack:recovery", KIND, {"since": since}, 1, datetime.now(UTC), "worker")
    await workspace.side.recovery.take(claimed)


async def find_texts(workspace: Workspace) -> list[str]:
    rows = await workspace.database.fetch_dicts(
        b"SELECT payload->>'text' AS text FROM inbox WHERE kind = 'question' ORDER BY id"
    )
    return [row["text"] for row in rows]


async def have_asked(workspace: Workspace, *bodies: dict[str, Any]) -> None:
    """Questions that came before the outage and are done."""
    for body in bodies:
        assert await workspace.deliver(body) == 200
    await workspace.database.execute(b"UPDATE inbox SET done_at = now()")


async def test_missed_posts_are_taken_once_and_in_order(workspace: Workspace) -> None:
    await have_asked(workspace, move("message_im", -50, text="Before?"), move("app_mention", -40))
    workspace.slack.posts["D0ANN"] = [
        make_post(-50, "Before?"),
        make_post(30, "Third?"),
        make_post(10, "First?"),
        make_post(40, "Fourth?"),
        make_post(20, "I am a bot", bot_id="B0OTHER"),
    ]
    workspace.slack.posts["C0HR"] = [
        make_post(20, "<@U0BOT> Second?"),
        make_post(25, "Just people talking"),
        make_post(26, "joined", subtype="channel_join"),
    ]
    await recover(workspace)
    await workspace.deliver(move("message_im", 10, text="First?"))
    await recover(workspace, SINCE + 1)
    texts = await find_texts(workspace)
    assert texts[2:] == ["First?", "Second?", "Third?", "Fourth?"]


async def test_a_missed_question_is_answered_in_its_place(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await have_asked(workspace, load("message_im"))
    post = make_post(0, "How many days of leave?") | {"ts": f"{time.time() - 5:.6f}"}
    workspace.slack.posts["D0ANN"] = [post]
    await workspace.side.recovery.ask(None)
    async with workspace.at_work(chat_model):
        await workspace.settle()
    (message,) = workspace.slack.messages.values()
    assert message["thread_ts"] == post["ts"]
    assert workspace.search.asked == [["everyone", "public", "slack:T0HOME:U0ANN"]]


async def test_threads_of_ours_are_followed_and_others_only_where_we_are_named(workspace: Workspace) -> None:
    ours, theirs = f"{SINCE - 40:.6f}", f"{SINCE + 5:.6f}"
    mention = move("app_mention", -30, thread_ts=ours, text="<@U0BOT> And now?")
    await have_asked(workspace, mention)
    row = (await workspace.database.fetch_dicts(b"SELECT conversation_key FROM inbox"))[0]
    await workspace.database.execute(
        b"INSERT INTO interactions (platform, conversation_key, asker, principals, question, language) "
        b"VALUES ('slack', %(conversation_key)s, 'a', '{}', 'q', 'en')",
        row,
    )
    workspace.slack.posts |= {
        "C0HR": [make_post(5, "A thread of people", thread_ts=theirs, latest_reply=f"{SINCE + 9:.6f}")],
        f"C0HR:{ours}": [
            make_post(-40, "The beginning", thread_ts=ours),
            make_post(-35, "Said before us", thread_ts=ours),
            make_post(8, "A follow-up?", thread_ts=ours),
            make_post(8, "<@U0BOB> you know", thread_ts=ours) | {"ts": f"{SINCE + 8.5:.6f}"},
        ],
        f"C0HR:{theirs}": [
            make_post(5, "A thread of people", thread_ts=theirs),
            make_post(7, "Among us", thread_ts=theirs),
            make_post(9, "<@U0BOT> Do you know?", thread_ts=theirs),
        ],
    }
    await recover(workspace, SINCE - 37)
    assert (await find_texts(workspace))[1:] == ["A follow-up?", "Do you know?"]


async def test_missed_replies_of_experts_are_taken(workspace: Workspace) -> None:
    await have_asked(workspace, move("message_im", -50))
    await workspace.database.execute(
        b"INSERT INTO interactions (platform, conversation_key, asker, principals, question, language) "
        b"VALUES ('slack', 'slack:T0HOME:D0ANN:1', 'slack:T0HOME:U0ANN', '{}', 'q', 'en')"
    )
    thread = f"{SINCE - 20:.6f}"
    await workspace.database.execute(
        b"INSERT INTO expert_requests (interaction_id, platform, person, thread_key) "
        b"SELECT id, 'slack', asker, %(key)s FROM interactions",
        {"key": f"{EXPERT_CHANNEL}:{thread}"},
    )
    reply = make_post(10, "It is 25 days.", thread_ts=thread, user="U0EVA")
    workspace.slack.posts[f"{EXPERT_CHANNEL}:{thread}"] = [make_post(-20, "Who knows?", thread_ts=thread), reply]
    await recover(workspace)
    rows = await workspace.database.fetch_dicts(b"SELECT payload FROM inbox WHERE kind = 'expert_reply'")
    assert [row["payload"]["text"] for row in rows] == ["It is 25 days."]


async def test_people_of_another_company_stay_outside(workspace: Workspace, chat_model: FakeModelServer) -> None:
    shared = load("app_mention_shared_channel")
    shared["event"]["ts"] = f"{SINCE - 50:.6f}"
    await have_asked(workspace, shared)
    workspace.slack.posts["C0HR"] = [make_post(10, "<@U0BOT> How many days?")]
    await recover(workspace)
    async with workspace.at_work(chat_model):
        await workspace.settle()
    assert workspace.search.asked == [["public", "!*"]]


async def test_what_was_said_before_somebody_was_forgotten_stays_unread(workspace: Workspace) -> None:
    await have_asked(workspace, move("message_im", -50))
    await workspace.database.execute(
        b"INSERT INTO inbox (platform, event_key, conversation_key, kind, payload, received_at) "
        b"VALUES ('slack', 'forget', 'slack:T0HOME:home', 'forget', '{}', to_timestamp(%(at)s))",
        {"at": SINCE + 15},
    )
    workspace.slack.posts["D0ANN"] = [make_post(10, "Erased?"), make_post(20, "Asked since?")]
    await recover(workspace)
    assert (await find_texts(workspace))[1:] == ["Asked since?"]


async def test_somebody_whom_an_admin_had_erased_stays_unread_and_others_are_heard(workspace: Workspace) -> None:
    await have_asked(workspace, move("message_im", -50))
    await workspace.database.execute(
        b"INSERT INTO interactions (platform, conversation_key, asker, principals, question, language, began_at) "
        b"VALUES ('slack', 'slack:T0HOME:D0ANN:1', 'slack:T0HOME:U0BOB', '{}', 'q', 'en', to_timestamp(%(at)s))",
        {"at": SINCE},
    )
    await workspace.database.execute(
        b"INSERT INTO forget_receipts (receipt, forgotten_by, forgotten_at) "
        b"VALUES ('{}', 'terminal', to_timestamp(%(at)s))",
        {"at": SINCE + 15},
    )
    workspace.slack.posts["D0ANN"] = [make_post(10, "Erased?"), make_post(11, "Others?", user="U0BOB")]
    await recover(workspace)
    assert (await find_texts(workspace))[1:] == ["Others?"]


async def test_a_room_that_is_closed_to_us_is_left_out(workspace: Workspace) -> None:
    await have_asked(workspace, move("app_mention", -50), move("message_im", -40))
    workspace.slack.errors["conversations.history"] = ["not_in_channel"]
    workspace.slack.posts |= {"C0HR": [make_post(10, "<@U0BOT> Here?")], "D0ANN": [make_post(20, "There?")]}
    await recover(workspace)
    assert len(await find_texts(workspace)) == 3


async def test_a_slack_that_is_away_is_asked_again(workspace: Workspace) -> None:
    await have_asked(workspace, move("message_im", -50))
    workspace.slack.errors["conversations.history"] = ["internal_error"]
    with pytest.raises(SlackError, match="internal_error"):
        await recover(workspace)


async def test_two_replicas_ask_once_and_reach_back_a_day_at_most(workspace: Workspace) -> None:
    recovery, now = workspace.side.recovery, time.time()
    await recovery.ask(None)
    assert await workspace.count("inbox") == 0
    await workspace.deliver("message_im")
    await recovery.ask(now - 3 * LONGEST_SECONDS)
    for _ in range(2):
        await recovery.ask(None)
    rows = await workspace.database.fetch_dicts(b"SELECT payload FROM inbox WHERE kind = 'recovery' ORDER BY id")
    reached = [now - row["payload"]["since"] for row in rows]
    # A minute may end between the two replicas.
    assert reached[0] == pytest.approx(LONGEST_SECONDS, abs=30)
    assert {round(seconds / 60) for seconds in reached[1:]} == {round(MARGIN_SECONDS / 60)}
    assert len(reached) in (2, 3)
