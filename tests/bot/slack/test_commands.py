"""`/nightbake`, the shortcut and suggested prompts, signed, at the real endpoint."""

import pytest

from bot.own_wording import say_own
from bot.phrases import say
from bot.slack.commands import COMMAND, COMMAND_USAGE
from bot.slack.render_command import say_command
from bot.web.wording import SUGGESTIONS
from core.adapters import Adapters
from tests.bot.slack.conftest import Workspace, load
from tests.bot.slack.screens import check_screen
from tests.fakes.model_server import FakeModelServer
from tests.fakes.slack import read_message

ANN = "slack:T0HOME:U0ANN"


async def give(workspace: Workspace, chat_model: FakeModelServer, text: str) -> dict[str, object]:
    async with workspace.at_work(chat_model):
        told = await workspace.command(text)
        await workspace.settle()
    return told


@pytest.mark.parametrize("text", ["help", "", "nonsense", "HELP"])
async def test_help_is_what_is_said_to_everything_else(workspace: Workspace, text: str) -> None:
    assert (await workspace.command(text))["text"] == say_command("help", "en")
    assert await workspace.count("inbox") == 0


async def test_help_names_every_word_in_both_languages() -> None:
    words = [part.split()[0] for part in COMMAND_USAGE.split(" | ") if part != "help"]
    for language in ("en", "ko"):
        assert all(f"`{COMMAND} {word}" in say_command("help", language) for word in words)


async def test_an_answer_is_by_the_asker_s_own_rights_and_for_them_alone(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    told = await give(workspace, chat_model, "ask How many days of annual leave do I have?")
    assert told["text"] == say("reading", "en")
    assert workspace.search.asked == [["everyone", "public", ANN]]
    (response,) = workspace.slack.responses
    assert "23 days" in read_message(response)
    assert "again" not in str(response["blocks"])
    assert workspace.slack.messages == {}


async def test_a_command_in_korean_is_answered_in_korean(workspace: Workspace, chat_model: FakeModelServer) -> None:
    assert (await give(workspace, chat_model, "ask 연차 휴가는 며칠인가요?"))["text"] == say("reading", "ko")


@pytest.mark.parametrize("text", ["ask", "search ", "ask   "])
async def test_without_a_question_it_is_asked_for(workspace: Workspace, text: str) -> None:
    assert (await workspace.command(text))["text"] == say_command("ask_what", "en")


async def test_a_command_given_twice_is_answered_once(workspace: Workspace, chat_model: FakeModelServer) -> None:
    async with workspace.at_work(chat_model):
        for _ in range(3):
            await workspace.command("ask How many days?")
        await workspace.settle()
    assert len(workspace.slack.responses) == 1


async def test_a_guest_s_command_reads_what_is_public(workspace: Workspace, chat_model: FakeModelServer) -> None:
    workspace.slack.users["U0ANN"] = {"is_restricted": True}
    await give(workspace, chat_model, "search annual leave")
    assert workspace.search.asked == [["public"]]


async def test_search_lists_documents_without_a_model_s_word(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await give(workspace, chat_model, "search annual <leave>")
    (response,) = workspace.slack.responses
    check_screen("search_en", response["blocks"])
    assert chat_model.requests == []
    assert await workspace.count("interactions") == 0


async def test_status_says_what_answers_and_what_is_allowed(workspace: Workspace, chat_model: FakeModelServer) -> None:
    await give(workspace, chat_model, "status")
    assert await Adapters(workspace.database).find_active() is None
    assert workspace.slack.responses[0]["text"].splitlines() == [
        say_own("base_answers", "en"),
        say_own("may_read", "en", documents="0"),
        say_own("consent_yes", "en"),
    ]


async def test_the_shortcut_answers_the_chosen_message_in_its_thread(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    async with workspace.at_work(chat_model):
        for _ in range(2):
            assert await workspace.click("shortcut_answer_this") == 200
        await workspace.settle()
    (message,) = workspace.slack.messages.values()
    assert message["thread_ts"] == "1700000640.000100"
    assert workspace.search.asked == [["everyone", "public", "!*"]]
    assert await workspace.database.fetch_dicts(b"SELECT asker FROM interactions") == [{"asker": "slack:T0HOME:U0BOB"}]


@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("ko-KR", "ko"), (None, "en")])
async def test_questions_are_suggested_where_a_person_opens_the_conversation(
    workspace: Workspace, chat_model: FakeModelServer, locale: str | None, language: str
) -> None:
    workspace.slack.users["U0ANN"] = {"locale": locale}
    event = load("app_home_opened")
    event["event"]["tab"] = "messages"
    async with workspace.at_work(chat_model):
        await workspace.deliver(event)
        await workspace.settle()
    assert [prompt["message"] for prompt in workspace.slack.prompts["D0ANN"]] == list(SUGGESTIONS[language])  # type: ignore[index]
    assert workspace.slack.homes == {}
