"""Votes by Slack's own thumbs, by any emoji on any part of an answer, and by the form, at the real endpoint."""

from collections.abc import Sequence
from typing import Any

import pytest

from bot.slack.emoji import Emoji
from bot.slack.reactions import to_feedback
from core.errors import SettingsError
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.records import Feedback
from tests.bot.slack.conftest import Workspace, load
from tests.fakes.model_server import FakeModelServer

ANN = "slack:T0HOME:U0ANN"


async def ask(workspace: Workspace) -> None:
    """The one question of a test, whose answer is number 1."""
    await workspace.deliver("app_mention")
    await workspace.settle()


async def do(workspace: Workspace, chat_model: FakeModelServer, clicks: Sequence[str | dict[str, Any]]) -> None:
    """Ask, then click one thing after the other."""
    async with workspace.at_work(chat_model):
        await ask(workspace)
        for click in clicks:
            assert await workspace.click(click) == 200
            await workspace.settle()


async def find_standing(workspace: Workspace, person: str = ANN) -> Feedback:
    found = await FeedbackLog(workspace.database).find_standing(1, person)
    assert found
    return found


async def test_the_thumbs_stand_under_the_answer(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await do(workspace, chat_model, [])
    (message,) = workspace.slack.messages.values()
    assert [block["type"] for block in message["blocks"]][-2:] == ["context_actions", "actions"]


async def test_the_last_thumb_of_a_person_wins(workspace: Workspace, chat_model: FakeModelServer) -> None:
    other = load("click_thumb_up") | {"user": {"id": "U0BOB"}}
    await do(workspace, chat_model, ["click_thumb_up", "click_thumb_up", "click_thumb_down", other])
    votes = [(one.person, one.value, one.source) for one in await FeedbackLog(workspace.database).find_current(1)]
    assert sorted(votes) == [(ANN, -1, "slack_button"), ("slack:T0HOME:U0BOB", 1, "slack_button")]
    assert await workspace.count("feedback") == 3


async def test_only_the_person_is_told(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await do(workspace, chat_model, ["click_thumb_up"])
    (whisper,) = workspace.slack.whispers
    assert (whisper["channel"], whisper["user"], whisper["thread_ts"]) == ("C0HR", "U0ANN", "1700000100.000100")
    assert whisper["text"].startswith("Thank you")
    assert len(workspace.slack.messages) == 1


async def test_a_quiet_word_that_fails_loses_no_vote(workspace: Workspace, chat_model: FakeModelServer) -> None:
    workspace.slack.errors["chat.postEphemeral"] = ["user_not_in_channel"]
    await do(workspace, chat_model, ["click_thumb_up"])
    assert (await find_standing(workspace)).value == 1


async def test_a_thumb_down_opens_the_form_with_the_passages_found(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    await do(workspace, chat_model, ["click_thumb_down"])
    (call,) = workspace.slack.find_calls("views.open")
    (view,) = workspace.slack.views
    assert (call.arguments["trigger_id"], view["private_metadata"]) == ("1700000400.1.trigger", '{"interaction_id": 1}')
    assert view["blocks"][2]["element"]["options"][0]["value"] == "7"


async def test_the_sent_form_is_one_judgement_with_all_it_says(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    await do(workspace, chat_model, ["click_thumb_down", "form_judgement", "form_judgement"])
    stored = await find_standing(workspace)
    assert (stored.value, stored.source, stored.reason) == (-1, "slack_form", "wrong_document")
    assert (stored.correction, stored.right_chunk_id) == ("Employees have 25 days of annual leave.", 7)
    assert await workspace.count("feedback") == 2


async def test_a_bare_thumb_does_not_undo_what_was_written(workspace: Workspace, chat_model: FakeModelServer) -> None:
    again = load("click_thumb_down")
    again["actions"][0]["action_ts"] = "1700000500.000100"
    await do(workspace, chat_model, ["click_thumb_down", "form_judgement", again])
    assert (await find_standing(workspace)).correction == "Employees have 25 days of annual leave."
    assert workspace.slack.views[1]["blocks"][1]["element"]["initial_value"].startswith("Employees have 25")


@pytest.mark.parametrize("word", ["expired_trigger_id", "internal_error"])
async def test_a_form_that_cannot_be_opened_is_offered_in_the_quiet_word(
    workspace: Workspace, chat_model: FakeModelServer, word: str
) -> None:
    workspace.slack.errors["views.open"] = [word]
    await do(workspace, chat_model, ["click_thumb_down", "click_explain"])
    assert workspace.slack.whispers[0]["blocks"][1]["elements"][0]["action_id"] == "explain"
    assert ((await find_standing(workspace)).value, len(workspace.slack.views)) == (-1, 1)


@pytest.mark.parametrize("value", ["up:", "up:4711", "sideways:1", ""])
async def test_a_thumb_that_names_no_answer_is_dropped(
    workspace: Workspace, chat_model: FakeModelServer, value: str
) -> None:
    click = load("click_thumb_up")
    click["actions"][0]["value"] = value
    await do(workspace, chat_model, [click])
    assert await workspace.count("feedback") == 0


async def test_a_thumb_down_as_a_reaction_is_offered_the_form(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    async with workspace.at_work(chat_model):
        await ask(workspace)
        await workspace.deliver("reaction_added")
        await workspace.deliver("reaction_added_skin_tone")
        await workspace.settle()
    (whisper,) = workspace.slack.whispers
    assert whisper["blocks"][1]["elements"][0]["value"] == "1"


async def test_every_message_of_a_long_answer_takes_reactions(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    chat_model.answer = " ".join(["Employees have 23 days of annual leave. [1]"] * 400)
    async with workspace.at_work(chat_model):
        await ask(workspace)
        first, second, *_ = workspace.slack.messages
        for number, key in enumerate((first, second)):
            event = load("reaction_added")
            event["event_id"] = f"Ev{number}"
            channel, ts = key.split(":")
            event["event"] |= {"user": f"U{number}", "item": {"type": "message", "channel": channel, "ts": ts}}
            await workspace.deliver(event)
        await workspace.settle()
    assert {one.person for one in await FeedbackLog(workspace.database).find_current(1)} == {
        "slack:T0HOME:U0",
        "slack:T0HOME:U1",
    }
    stored = await Interactions(workspace.database).find_by_reply("slack", second)
    assert stored
    assert stored.id == 1


@pytest.mark.parametrize(
    ("reaction", "vote"),
    [
        ("white_check_mark", 1),
        ("thumbsup", 1),
        ("+1::skin-tone-6", 1),
        ("thumbsdown::skin-tone-2", -1),
        ("poop", -1),
        ("heart", None),
    ],
)
@pytest.mark.parametrize("kind", ["reaction_added", "reaction_removed"])
def test_configured_emoji_are_votes_by_any_of_their_names(reaction: str, vote: int | None, kind: str) -> None:
    emoji = Emoji(["+1", ":white_check_mark:"], [":thumbsdown:", "hankey"])
    body = load(kind)
    body["event"]["reaction"] = reaction
    event = to_feedback(body, emoji)
    if vote is None:
        assert event is None
        return
    assert event
    expected = (vote, None) if kind == "reaction_added" else (0, vote)
    assert (event.payload["value"], event.payload.get("withdraws")) == expected


def test_an_emoji_cannot_stand_for_both() -> None:
    with pytest.raises(SettingsError, match=r"SLACK_EMOJI_UP, SLACK_EMOJI_DOWN: .*'\+1' in both"):
        Emoji(["thumbsup"], ["+1"])
