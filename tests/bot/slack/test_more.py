"""More that only the asker may see: told to nobody else, understood by nobody else, shared as far as it may be."""

from typing import Any

import pytest

from bot.phrases import say
from bot.room_settings import RoomSettings, RoomSettingsLog
from tests.bot.secret import SECRET_TEXT, TwoDocuments, store_documents
from tests.bot.slack.conftest import Workspace, load
from tests.bot.slack.screens import check_screen
from tests.fakes.model_server import FakeModelServer
from tests.fakes.slack import read_message

ANN = "slack:T0HOME:U0ANN"


async def ask(workspace: Workspace, chat_model: FakeModelServer, *clicks: str | dict[str, Any]) -> None:
    workspace.search = TwoDocuments(ANN)
    chat_model.answer = f"{SECRET_TEXT} [1]" if not chat_model.answer.startswith("No") else chat_model.answer
    await store_documents(workspace.database, ANN)
    async with workspace.at_work(chat_model):
        await workspace.deliver("app_mention")
        await workspace.settle()
        for click in clicks:
            assert await workspace.click(click) == 200
            await workspace.settle()


def read_posts(workspace: Workspace) -> str:
    return "\n".join(str(message) for message in workspace.slack.messages.values())


async def test_the_asker_alone_is_told_what_the_room_may_not_read(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    await ask(workspace, chat_model)
    assert workspace.search.asked[0] == ["everyone", "public", "!*"]
    (whisper,) = workspace.slack.whispers
    assert (whisper["user"], whisper["channel"], whisper["thread_ts"]) == ("U0ANN", "C0HR", "1700000100.000100")
    assert "Directors have 40 days" in read_message(whisper)
    assert "Directors" not in read_posts(workspace)
    check_screen("more_en", whisper["blocks"])


async def test_a_workflow_is_answered_below_its_post_with_what_the_room_may_read_and_no_more(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    workspace.search = TwoDocuments(ANN)
    await store_documents(workspace.database, ANN)
    async with workspace.at_work(chat_model):
        await workspace.deliver("app_mention_by_workflow")
        await workspace.settle()
    (answer,) = workspace.slack.messages.values()
    assert (answer["thread_ts"], "23 days" in read_message(answer)) == ("1700000500.000100", True)
    assert workspace.search.asked == [["everyone", "public", "!*"]]
    assert (workspace.slack.whispers, workspace.slack.find_calls("chat.startStream")) == ([], [])
    assert await workspace.count("inbox") == 1


async def test_what_was_understood_alone_does_not_lead_the_room(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    follow_up = load("app_mention")
    follow_up["event_id"] = "Ev2"
    follow_up["event"] |= {
        "ts": "1700000150.000100",
        "thread_ts": "1700000100.000100",
        "text": "<@U0BOT> what about it?",
    }
    await ask(workspace, chat_model)
    async with workspace.at_work(chat_model):
        await workspace.deliver(follow_up)
        await workspace.settle()
    rows = await workspace.database.fetch_dicts(
        b"SELECT standalone_question FROM interactions WHERE conversation_key = 'slack:T0HOME:C0HR:1700000100.000100'"
    )
    assert len(rows) == 2
    assert "directors" not in str(rows)


async def test_nothing_is_told_where_the_answer_is_from_what_all_may_read(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    workspace.search = TwoDocuments(ANN)
    chat_model.answer = "Employees have 23 days of annual leave. [2]"
    await store_documents(workspace.database, ANN)
    async with workspace.at_work(chat_model):
        await workspace.deliver("app_mention")
        await workspace.settle()
    assert workspace.slack.whispers == []


async def test_nothing_is_looked_for_where_the_asker_may_read_no_more(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    workspace.search = TwoDocuments(ANN)
    await store_documents(workspace.database, ANN, open_secret=True)
    async with workspace.at_work(chat_model):
        await workspace.deliver("app_mention")
        await workspace.settle()
    assert (len(workspace.search.asked), await workspace.count("inbox")) == (1, 1)


async def test_a_guest_is_told_no_more_than_the_room(workspace: Workspace, chat_model: FakeModelServer) -> None:
    workspace.slack.users["U0ANN"] = {"is_restricted": True}
    await ask(workspace, chat_model)
    assert workspace.slack.whispers == []


async def test_an_asker_whom_nobody_knows_is_told_nothing(workspace: Workspace, chat_model: FakeModelServer) -> None:
    workspace.slack.errors["users.info"] = ["missing_scope"] * 9
    await ask(workspace, chat_model)
    assert (workspace.search.asked, workspace.slack.whispers) == ([[]], [])


async def test_more_is_of_the_sources_that_the_room_searches(workspace: Workspace, chat_model: FakeModelServer) -> None:
    settings = RoomSettings(sources=["made"])
    await RoomSettingsLog(workspace.database).set("slack:T0HOME:C0HR", settings, by=ANN)
    await ask(workspace, chat_model)
    assert all("source:made" in principals for principals in workspace.search.asked)


async def test_what_is_shared_is_quoted_from_what_all_may_read(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    chat_model.answer = f"No director waits: {SECRET_TEXT} [1] Employees have 23 days of annual leave. [2]"
    await ask(workspace, chat_model, "click_share", "click_share")
    *_, shared = workspace.slack.messages.values()
    assert len(workspace.slack.messages) == 2
    assert shared["text"] == say("shared", "en", person="<@U0ANN>")
    assert "Employees have 23 days" in read_message(shared)
    assert "irectors" not in str(shared)
    check_screen("shared_en", shared["blocks"])


async def test_where_nothing_may_be_shared_only_that_there_is_something(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    await ask(workspace, chat_model, "click_share")
    *_, shared = workspace.slack.messages.values()
    assert read_message(shared) == say("shared_nothing", "en", person="<@U0ANN>")


async def test_what_all_may_read_by_now_is_shared_as_it_is(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await ask(workspace, chat_model)
    await workspace.database.execute(b"UPDATE documents SET allow = '{everyone}'")
    async with workspace.at_work(chat_model):
        await workspace.click("click_share")
        await workspace.settle()
    *_, shared = workspace.slack.messages.values()
    assert "Directors have 40 days" in read_message(shared)


@pytest.mark.parametrize("part", ["person", "channel"])
async def test_nobody_else_and_nowhere_else_is_anything_shared(
    workspace: Workspace, chat_model: FakeModelServer, part: str
) -> None:
    click = load("click_share")
    click |= {"user": {"id": "U0BOB"}} if part == "person" else {"channel": {"id": "C0OTHER"}}
    await ask(workspace, chat_model, click)
    assert len(workspace.slack.messages) == 1
