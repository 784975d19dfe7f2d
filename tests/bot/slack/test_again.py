"""A second answer to the same question, in the same thread, which makes a true pair with the first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.slack.posts import read_text
from learning.labels import build_labels, find_answers, find_votes
from learning.pairs import build_pairs
from tests.bot.slack.conftest import Workspace, load
from tests.fakes.model_server import FakeModelServer
from tests.fakes.slack import read_message

OTHER = "Employees have 23 days of annual leave, and leave is asked for in the portal. [1]"


def point_at(click: str, interaction_id: int) -> dict[str, Any]:
    """The same click on another answer."""
    body = load(click)
    action = body["actions"][0]
    action["value"] = action["value"].replace("1", str(interaction_id))
    return body


async def try_again(workspace: Workspace, chat_model: FakeModelServer, *clicks: str | dict[str, Any]) -> None:
    async with workspace.at_work(chat_model):
        await workspace.deliver("app_mention")
        await workspace.settle()
        chat_model.answer = OTHER
        for click in clicks:
            assert await workspace.click(click) == 200
            await workspace.settle()


async def test_the_same_question_is_answered_again_in_its_thread(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    await try_again(workspace, chat_model, "click_again", "click_again")
    first, second = workspace.slack.messages.values()
    assert second["thread_ts"] == first["thread_ts"]
    assert read_message(second).startswith(OTHER.removesuffix(" [1]"))
    rows = await workspace.database.fetch_dicts(
        b"SELECT id, again_of, question, standalone_question, asker FROM interactions ORDER BY id"
    )
    asked = read_text(load("app_mention")["event"]["text"], "U0BOT")
    assert rows == [
        {
            "id": number,
            "again_of": again_of,
            "question": asked,
            "standalone_question": asked,
            "asker": "slack:T0HOME:U0ANN",
        }
        for number, again_of in ((1, None), (2, 1))
    ]


async def test_an_edited_question_that_is_tried_again_keeps_its_first_answer(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    again = load("click_again")
    again["actions"][0]["value"] = "2"
    async with workspace.at_work(chat_model):
        for name in ("message_im", "message_im_edited"):
            await workspace.deliver(name)
            await workspace.settle()
        await workspace.click(again)
        await workspace.settle()
    assert len(workspace.slack.messages) == 2


async def test_the_second_answer_is_drawn_otherwise(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await try_again(workspace, chat_model, "click_again")
    first, second = chat_model.requests
    assert (first["temperature"], "seed" in first) == (0.0, False)
    assert (second["temperature"], second["seed"]) == (0.8, 2)
    assert first["messages"] == second["messages"]


async def test_who_may_see_what_is_decided_as_for_the_first(workspace: Workspace, chat_model: FakeModelServer) -> None:
    async with workspace.at_work(chat_model):
        await workspace.deliver("app_mention_shared_channel")
        await workspace.settle()
        await workspace.click("click_again")
        await workspace.settle()
    assert workspace.search.asked == [["public", "!*"]] * 2


async def test_a_follow_up_is_understood_as_it_was_the_first_time(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    between = load("app_mention_in_thread")
    between["event"] |= {"text": "<@U0BOT> Who approves travel expenses?", "ts": "1700000190.000100"}
    follow_up = load("app_mention_in_thread")
    follow_up["event"] |= {"text": "<@U0BOT> for interns?", "ts": "1700000150.000100"}
    async with workspace.at_work(chat_model):
        for event in ("app_mention", follow_up, between):
            await workspace.deliver(event)
            await workspace.settle()
        await workspace.click(point_at("click_again", 2))
        await workspace.settle()
    rows = await workspace.database.fetch_dicts(b"SELECT standalone_question FROM interactions ORDER BY id")
    asked = [row["standalone_question"] for row in rows]
    assert asked[3] == asked[1] == f"{asked[0]} — for interns?"


async def test_down_and_up_between_the_two_are_a_pair(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await try_again(workspace, chat_model, "click_thumb_down", "click_again", point_at("click_thumb_up", 2))
    now = datetime.now(UTC)
    votes = await find_votes(
        workspace.database, window_from=now - timedelta(hours=1), window_to=now + timedelta(hours=1)
    )
    labels = build_labels(votes, await find_answers(workspace.database, [vote.interaction_id for vote in votes]))
    (pair,) = build_pairs(labels.judgements).pairs
    assert (pair.origin, pair.interaction_ids, pair.chosen) == ("try_again", (2, 1), OTHER)
    assert pair.rejected.startswith("Employees have 23 days of annual leave.")


async def test_an_answer_that_does_not_exist_is_not_tried_again(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    await try_again(workspace, chat_model, point_at("click_again", 4711))
    assert len(workspace.slack.messages) == 1


async def test_no_i_meant_in_the_thread_is_stored_as_a_guess(workspace: Workspace, chat_model: FakeModelServer) -> None:
    objection = load("app_mention_in_thread")
    objection["event"]["text"] = "<@U0BOT> 아니, 그게 아니라 무급 휴가요"
    async with workspace.at_work(chat_model):
        for event in ("app_mention", objection):
            await workspace.deliver(event)
            await workspace.settle()
    rows = await workspace.database.fetch_dicts(b"SELECT interaction_id, next_id, kind, confidence FROM signals")
    assert [tuple(row.values()) for row in rows] == [(1, 2, "objection", pytest.approx(0.8))]
    assert await workspace.count("feedback") == 0
