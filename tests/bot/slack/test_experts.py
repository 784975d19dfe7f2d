"""Ask a human: passed on once, offered to its author, used with consent, and told to the person."""

from dataclasses import replace
from typing import Any

import pytest

from bot.reply import FinishedAnswer
from bot.slack.experts import to_expert_reply
from bot.slack.render_experts import render_offer, render_request, render_told
from bot.slack.render_feedback import render_feedback
from core.feedback import FeedbackLog
from core.prompt import Language
from tests.bot.assistant import LEAVE
from tests.bot.slack.conftest import EXPERT_CHANNEL, Workspace, load
from tests.bot.slack.screens import check_screen
from tests.fakes.model_server import FakeModelServer

THREAD = "C0EXPERT:1700000000.000002"
EVE = "slack:T0HOME:U0EVE"
LANGUAGES: list[Language] = ["en", "ko"]


async def play(workspace: Workspace, chat_model: FakeModelServer, *steps: str | dict[str, Any]) -> None:
    """Ask, then send clicks and events one after the other."""
    async with workspace.at_work(chat_model):
        for step in ("app_mention", *steps):
            body = load(step) if isinstance(step, str) else step
            send = workspace.deliver if body["type"] == "event_callback" else workspace.click
            assert await send(body) == 200
            await workspace.settle()


async def test_question_answer_and_link_go_to_the_experts(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await play(workspace, chat_model, "click_ask_human", "click_ask_human")
    message = workspace.slack.messages[THREAD]
    for part in ("<@U0ANN> asks a human", "How many days of annual leave", "23 days", "/archives/C0HR/p17000000000"):
        assert part in str(message["blocks"])
    assert len(workspace.slack.messages) == 2
    assert workspace.slack.whispers[0]["text"].startswith("I passed your question on")


async def test_a_second_person_is_told_and_nothing_is_posted_twice(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    bob = load("click_ask_human") | {"user": {"id": "U0BOB"}}
    await play(workspace, chat_model, "click_ask_human", bob)
    assert len(workspace.slack.messages) == 2
    assert [whisper["user"] for whisper in workspace.slack.whispers] == ["U0ANN", "U0BOB"]


@pytest.mark.parametrize(("allow", "is_shown"), [("group:people", False), ("public", True)])
async def test_only_an_answer_from_documents_that_everyone_may_read_is_shown(
    workspace: Workspace, chat_model: FakeModelServer, allow: str, is_shown: bool
) -> None:
    async def find_restricted(*_: object, **__: object) -> list[Any]:
        return [replace(LEAVE, allow=[allow])]

    workspace.search.search = find_restricted
    await play(workspace, chat_model, "click_ask_human")
    shown = str(workspace.slack.messages[THREAD]["blocks"])
    assert ("23 days" in shown, "not everybody may read" in shown) == (is_shown, not is_shown)


async def test_the_expert_alone_is_asked_for_consent(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await play(workspace, chat_model, "click_ask_human", "message_expert_reply", "message_expert_reply")
    offers = workspace.slack.whispers[1:]
    assert [(offer["channel"], offer["user"]) for offer in offers] == [(EXPERT_CHANNEL, "U0EVE")]
    assert await workspace.count("feedback") == 0


async def test_with_consent_the_reply_is_the_experts_correction_and_the_person_is_told(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    await play(workspace, chat_model, "click_ask_human", "message_expert_reply", "click_use_reply", "click_use_reply")
    (stored,) = await FeedbackLog(workspace.database).find_current(1)
    assert (stored.person, stored.value, stored.source) == (EVE, -1, "expert")
    assert stored.correction == "It is 25 days & a birthday off."
    _, _, told = workspace.slack.messages.values()
    assert (told["channel"], told["thread_ts"]) == ("C0HR", "1700000100.000100")
    assert told["text"] == "<@U0ANN> <@U0EVE> answered your question:"
    assert "It is 25 days & a birthday off." in str(told["blocks"])


async def test_nobody_else_can_agree(workspace: Workspace, chat_model: FakeModelServer) -> None:
    bob = load("click_use_reply") | {"user": {"id": "U0BOB"}}
    await play(workspace, chat_model, "click_ask_human", "message_expert_reply", bob)
    assert (await workspace.count("feedback"), len(workspace.slack.messages)) == (0, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"thread_ts": "1600000000.000001"},
        {"user": "U0ANN"},
    ],
    ids=["another thread", "the one who asks"],
)
async def test_other_replies_are_not_offered(
    workspace: Workspace, chat_model: FakeModelServer, changes: dict[str, str]
) -> None:
    reply = load("message_expert_reply")
    reply["event"] |= changes
    await play(workspace, chat_model, "click_ask_human", reply)
    assert (await workspace.count("expert_replies"), len(workspace.slack.whispers)) == (0, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"channel": "C0HR"},
        {"thread_ts": None},
        {"thread_ts": "1700000500.000100"},
        {"bot_id": "B0BOT"},
        {"subtype": "message_changed"},
        {"text": "<@U0BOT> how many days?"},
        {"text": ""},
    ],
)
def test_what_is_no_reply_of_an_expert_is_left_alone(changes: dict[str, Any]) -> None:
    reply = load("message_expert_reply")
    assert to_expert_reply(reply, EXPERT_CHANNEL)
    reply["event"] |= changes
    assert to_expert_reply(reply, EXPERT_CHANNEL) is None


async def test_a_crash_after_the_correction_tells_the_person_later(
    workspace: Workspace, chat_model: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.PAUSE_SECONDS", 0.01)
    async with workspace.at_work(chat_model):
        for send, name in (
            (workspace.deliver, "app_mention"),
            (workspace.click, "click_ask_human"),
            (workspace.deliver, "message_expert_reply"),
        ):
            await send(name)
            await workspace.settle()
        workspace.slack.errors["chat.postMessage"] = ["internal_error"]
        await workspace.click("click_use_reply")
        await workspace.settle()
    assert (await workspace.count("feedback"), len(workspace.slack.messages)) == (1, 3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_screens(language: Language) -> None:
    answer = FinishedAnswer(12, language, "x", "generated", can_ask_human=True)
    check_screen(f"feedback_human_{language}", render_feedback(answer))
    request = {"language": language, "asker": "U0ANN", "question": "How many <!channel> days?"}
    check_screen(
        f"expert_request_{language}",
        render_request(**request, answer="**23** days [1]", link="https://home.slack.example/p1"),  # type: ignore[arg-type]
    )
    check_screen(f"expert_withheld_{language}", render_request(**request, answer=None, link=None))  # type: ignore[arg-type]
    check_screen(f"expert_offer_{language}", render_offer(7, language, "U0ANN"))
    check_screen(f"expert_told_{language}", render_told(language, asker="U0ANN", expert="U0EVE", reply="<@U1> 25 days"))
