"""A channel's settings: who may change them, the form, and what follows from each."""

import json
from typing import Any

import pytest

from bot.room_settings import RoomSettings, RoomSettingsLog
from bot.slack.render_settings import read_settings, render_settings, say_settings
from core.prompt import Language
from tests.bot.slack.conftest import Workspace, load
from tests.bot.slack.screens import check_screen
from tests.fakes.model_server import FakeModelServer
from tests.fakes.slack import read_message

ANN, ROOM = "slack:T0HOME:U0ANN", "slack:T0HOME:C0HR"
CHOSEN = RoomSettings("questions", ["made"], "ko", allows_training=False)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_form_shows_what_holds(language: Language) -> None:
    settings = RoomSettings("questions", ["gone"], "en", allows_training=False)
    check_screen(f"settings_{language}", render_settings("T0HOME", "C0HR", settings, ["handbook", "wiki"], language))


def test_the_form_of_a_channel_that_nobody_has_set_without_documents() -> None:
    view = render_settings("T0HOME", "C0HR", RoomSettings(), [], "en")
    assert [block["block_id"] for block in view["blocks"]] == ["listens", "language", "training"]


def test_a_form_without_sources_searches_everywhere() -> None:
    view = load("form_settings")["view"]
    view["state"]["values"]["sources"]["sources"]["selected_options"] = []
    assert read_settings(view).sources is None


@pytest.mark.parametrize("user", ["U0ANN", "U0ADMIN"])
async def test_who_made_the_channel_and_admins_get_the_form(workspace: Workspace, user: str) -> None:
    workspace.slack.users["U0ADMIN"] = {"is_admin": True}
    await workspace.command("settings", user_id=user)
    (view,) = workspace.slack.views
    assert json.loads(view["private_metadata"]) == {"team": "T0HOME", "channel": "C0HR"}


async def test_nobody_else_gets_it(workspace: Workspace) -> None:
    workspace.slack.users["U0GUEST"] = {"is_restricted": True, "is_admin": True}
    for user in ("U0BOB", "U0GUEST"):
        assert (await workspace.command("settings", user_id=user))["text"] == say_settings("refused", "en")
    assert (await workspace.command("settings", channel_id="D0ANN"))["text"] == say_settings("not_here", "en")
    workspace.slack.errors["conversations.info"] = ["channel_not_found"]
    assert (await workspace.command("settings", channel_id="C0X"))["text"] == say_settings("unknown", "en")
    assert workspace.slack.views == []


async def send_form(workspace: Workspace, chat_model: FakeModelServer, user: str = "U0ANN") -> RoomSettings:
    async with workspace.at_work(chat_model):
        assert await workspace.click(load("form_settings") | {"user": {"id": user}}) == 200
        await workspace.settle()
    return await RoomSettingsLog(workspace.database).get(ROOM)


async def test_what_is_sent_is_kept_and_audited(workspace: Workspace, chat_model: FakeModelServer) -> None:
    assert await send_form(workspace, chat_model) == CHOSEN
    audit = await workspace.database.fetch_dicts(b"SELECT actor, act, subject FROM audit")
    assert audit == [{"actor": ANN, "act": "room settings", "subject": ROOM}]


async def test_who_may_not_change_anything_changes_nothing(workspace: Workspace, chat_model: FakeModelServer) -> None:
    assert await send_form(workspace, chat_model, "U0BOB") == RoomSettings()


def post(text: str, **changes: Any) -> dict[str, Any]:
    """A post in the channel that addresses nobody."""
    event = load("message_channel")
    event["event"] = {name: value for name, value in event["event"].items() if name != "thread_ts"}
    event["event"] |= {"channel": "C0HR", "channel_type": "channel", "user": "U0BOB", "text": text, **changes}
    return event


@pytest.mark.parametrize(
    ("text", "changes", "answered"),
    [
        ("How many days of leave do I have?", {}, True),
        ("연차가 며칠인지 아시는 분 있을까요", {}, True),
        ("Lunch was good.", {}, False),
        ("<@U0BOB> do you know?", {}, False),
        ("How many days?", {"thread_ts": "1700000001.000100"}, False),
        ("How many days?", {"bot_id": "B0OTHER"}, False),
    ],
)
async def test_questions_that_are_addressed_to_nobody(
    workspace: Workspace, chat_model: FakeModelServer, text: str, changes: dict[str, Any], answered: bool
) -> None:
    await workspace.deliver(post(text, **changes))
    assert await workspace.count("inbox") == 0
    await RoomSettingsLog(workspace.database).set(ROOM, RoomSettings(listens="questions"), by=ANN)
    async with workspace.at_work(chat_model):
        await workspace.deliver(post(text, **changes))
        await workspace.settle()
    assert len(workspace.slack.messages) == int(answered)


async def test_a_channel_searches_its_own_sources_and_speaks_its_own_language(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    await RoomSettingsLog(workspace.database).set(ROOM, CHOSEN, by=ANN)
    async with workspace.at_work(chat_model):
        await workspace.deliver("app_mention")
        await workspace.deliver("message_im")
        await workspace.settle()
    assert sorted(workspace.search.asked) == [["everyone", "public", "!*", "source:made"], ["everyone", "public", ANN]]
    shown = {key.split(":")[0]: message for key, message in workspace.slack.messages.items()}
    assert "출처" in str(shown["C0HR"]["blocks"])
    assert "Sources" in str(shown["D0ANN"]["blocks"])
    assert "23 days" in read_message(shown["C0HR"])
    assert await workspace.database.fetch_dicts(b"SELECT DISTINCT language FROM interactions") == [{"language": "en"}]
