"""Questions that are stopped, edited or deleted while they are answered, their events in any order and number."""

import asyncio
import itertools
import random
from typing import Any

import pytest

from core.interactions import Interactions
from tests.bot.slack.conftest import Workspace, load, replicate
from tests.eventually import eventually
from tests.fakes.model_server import FakeModelServer
from tests.fakes.slack import read_message

REPLY_KEY = "D0ANN:1700000000.000001"
WORDINGS = ["message_im", "message_im_edited", "message_im_edited_again"]
ASKED, EDITED = "How many days of annual leave do I have?", "How many days of leave?"


def load_deleted() -> dict[str, Any]:
    return load("message_im_deleted")


async def wait_for_words(workspace: Workspace, key: str = REPLY_KEY) -> None:
    """Until the person sees the first words."""

    async def is_shown() -> bool:
        return key in workspace.slack.messages and "Employees" in read_message(workspace.slack.messages[key])

    await eventually(is_shown)


async def wait_for_disconnect(chat_model: FakeModelServer) -> None:
    """Until the generation has ended at the model server."""

    async def is_over() -> bool:
        return chat_model.disconnects == 1

    await eventually(is_over)


async def find_modes(workspace: Workspace) -> list[tuple[str, str]]:
    rows = await workspace.database.fetch_dicts(b"SELECT question, mode FROM interactions ORDER BY id")
    return [(row["question"], row["mode"]) for row in rows]


async def test_slacks_stop_button_ends_the_answer_and_keeps_what_was_said(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    chat_model.gate = asyncio.Semaphore(3)
    async with workspace.at_work(chat_model):
        await workspace.deliver("message_im")
        await wait_for_words(workspace)
        # Slack ends the stream by itself.
        workspace.slack.streaming.clear()
        assert await workspace.deliver("agent_session_stopped") == 200
        await workspace.settle()
    assert "Employees have" in read_message(workspace.slack.messages[REPLY_KEY])
    assert workspace.slack.statuses["D0ANN:1700000200.000100"] == "active"
    assert await find_modes(workspace) == [(ASKED, "stopped")]


@pytest.mark.parametrize(
    "change", [{"user": "U0EVE"}, {"thread_ts": "1600000000.000100"}, {"event_ts": "1700000199.000100"}]
)
async def test_a_stop_is_for_the_askers_own_questions_until_then(workspace: Workspace, change: dict[str, str]) -> None:
    await workspace.deliver("message_im")
    stop = load("agent_session_stopped")
    stop["event"] |= change
    assert await workspace.deliver(stop) == 200
    rows = await workspace.database.fetch_dicts(b"SELECT id FROM inbox WHERE payload ? 'stop_requested'")
    assert rows == []


async def test_our_own_stop_button_ends_the_answer_too(workspace: Workspace, chat_model: FakeModelServer) -> None:
    workspace.slack.errors["chat.startStream"] = ["channel_type_not_supported"]
    chat_model.gate = asyncio.Semaphore(3)
    async with workspace.at_work(chat_model):
        await workspace.deliver("message_im")
        await wait_for_words(workspace)
        button = workspace.slack.messages[REPLY_KEY]["blocks"][-1]["elements"][0]
        for user in ("U0EVE", "U0ANN"):
            click = {"type": "block_actions", "team": {"id": "T0HOME"}, "user": {"id": user}, "actions": [button]}
            assert await workspace.click(click) == 200
        await workspace.settle()
    assert await find_modes(workspace) == [(ASKED, "stopped")]
    assert button["action_id"] not in str(workspace.slack.messages[REPLY_KEY]["blocks"])


async def test_an_edit_replaces_the_answer_under_way(workspace: Workspace, chat_model: FakeModelServer) -> None:
    chat_model.gate = asyncio.Semaphore(3)
    async with workspace.at_work(chat_model):
        await workspace.deliver("message_im")
        await wait_for_words(workspace)
        await workspace.deliver("message_im_edited")
        await wait_for_disconnect(chat_model)
        for _ in range(50):
            chat_model.gate.release()
        await workspace.settle()
    assert list(workspace.slack.messages) == [REPLY_KEY]
    assert "23 days of annual leave" in read_message(workspace.slack.messages[REPLY_KEY])
    assert await find_modes(workspace) == [(ASKED, "stopped"), (EDITED, "generated")]
    found = await Interactions(workspace.database).find_by_reply("slack", REPLY_KEY)
    assert found and found.question == EDITED


async def test_an_edit_after_the_answer_replaces_it(workspace: Workspace, chat_model: FakeModelServer) -> None:
    async with workspace.at_work(chat_model):
        for name in ("message_im", "message_im_edited", "message_im_edited"):
            await workspace.deliver(name)
            await workspace.settle()
    assert list(workspace.slack.messages) == [REPLY_KEY]
    assert await find_modes(workspace) == [(ASKED, "generated"), (EDITED, "generated")]


async def test_an_edit_takes_along_what_the_first_message_did_not_hold(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    async with workspace.at_work(chat_model):
        await workspace.deliver("message_im")
        await workspace.settle()
        part = f"{REPLY_KEY}99"
        workspace.slack.messages[part] = dict(workspace.slack.messages[REPLY_KEY])
        await Interactions(workspace.database).add_reply_part(1, part)
        await workspace.deliver("message_im_edited")
        await workspace.settle()
    assert list(workspace.slack.messages) == [REPLY_KEY]


@pytest.mark.parametrize("order", list(itertools.permutations(WORDINGS)))
async def test_of_wordings_in_any_order_the_last_is_answered_once(
    workspace: Workspace, chat_model: FakeModelServer, order: tuple[str, ...]
) -> None:
    bodies = {name: load(name) for name in ("message_im", "message_im_edited")}
    bodies["message_im_edited_again"] = load("message_im_edited")
    bodies["message_im_edited_again"]["event"]["message"] |= {
        "text": "And how many days of sick leave?",
        "edited": {"user": "U0ANN", "ts": "1700000209.000000"},
    }
    for name in (*order, *order):
        assert await workspace.deliver(bodies[name]) == 200
    async with workspace.at_work(chat_model):
        await workspace.settle()
    assert [question for question, _ in await find_modes(workspace)] == ["And how many days of sick leave?"]
    assert len(workspace.slack.messages) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"edited": {"user": "U0ANN", "ts": "1700000261.000000"}},
        {"edited": None},
        {"text": ASKED},
        {"user": "U0BOT"},
        {"bot_id": "B0OTHER"},
        {"subtype": "bot_message"},
    ],
)
async def test_what_is_no_edit_of_a_question_is_dropped(workspace: Workspace, change: dict[str, Any]) -> None:
    body = load("message_im_edited")
    body["event"]["message"] |= change
    assert (await workspace.deliver(body), await workspace.count("inbox")) == (200, 0)


async def test_edits_among_people_are_not_stored(workspace: Workspace) -> None:
    edit, deletion = load("message_im_edited"), load_deleted()
    for body in (edit, deletion):
        body["event"]["channel_type"] = "channel"
        assert await workspace.deliver(body) == 200
    assert await workspace.count("inbox") == 0


async def test_a_deleted_question_takes_its_answer_along(workspace: Workspace, chat_model: FakeModelServer) -> None:
    chat_model.gate = asyncio.Semaphore(3)
    async with workspace.at_work(chat_model):
        await workspace.deliver("message_im")
        await wait_for_words(workspace)
        await workspace.deliver(load_deleted())
        await workspace.settle()
    assert workspace.slack.messages == {}
    assert await find_modes(workspace) == [(ASKED, "stopped")]


async def test_a_stone_in_place_of_a_question_is_a_deletion(workspace: Workspace, chat_model: FakeModelServer) -> None:
    stone = load("message_im_edited")
    stone["event"]["message"] = {
        "type": "message",
        "subtype": "tombstone",
        "user": "USLACKBOT",
        "text": "This message was deleted.",
        "ts": "1700000200.000100",
        "thread_ts": "1700000200.000100",
    }
    chat_model.gate = asyncio.Semaphore(3)
    async with workspace.at_work(chat_model):
        await workspace.deliver("message_im")
        await wait_for_words(workspace)
        await workspace.deliver(stone)
        await workspace.settle()
    assert workspace.slack.messages == {}


async def test_a_question_that_comes_after_its_deletion_is_not_answered(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    await workspace.deliver(load_deleted())
    await workspace.deliver("message_im")
    async with workspace.at_work(chat_model):
        await workspace.settle()
    assert (workspace.slack.messages, await workspace.count("interactions")) == ({}, 0)


async def test_two_replicas_that_are_sent_everything_five_times_answer_once(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    names = ["app_mention", "message_im", "message_im_edited"] * 5
    random.Random(4).shuffle(names)
    async with replicate(workspace) as other, workspace.at_work(chat_model), other.at_work(chat_model):
        statuses = await asyncio.gather(
            *((workspace, other)[number % 2].deliver(name, retry=number) for number, name in enumerate(names))
        )
        await workspace.settle()
    assert set(statuses) == {200}
    assert await workspace.count("inbox") == 3
    assert len(workspace.slack.messages) == 2
    assert [read_message(message).count("23 days") for message in workspace.slack.messages.values()] == [1, 1]
