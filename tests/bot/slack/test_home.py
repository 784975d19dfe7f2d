"""The Home tab: what a person finds there, what they set there, and how they are forgotten."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.home import Home, Homes, Judged, Recent
from bot.slack.render_home import render_home
from core.consent import Consents
from core.database import Database
from core.feedback import FeedbackLog
from core.prompt import Language
from core.records import Feedback
from tests.bot.slack.conftest import Workspace, load
from tests.bot.slack.screens import check_screen
from tests.fakes.model_server import FakeModelServer

ANN = "slack:T0HOME:U0ANN"
DAY = datetime(2026, 11, 17, 9, tzinfo=UTC)


async def do(workspace: Workspace, chat_model: FakeModelServer, *steps: str | dict[str, Any]) -> dict[str, Any]:
    """Events and clicks, one after the other; the Home as Ann sees it then."""
    async with workspace.at_work(chat_model):
        for step in steps:
            body = load(step) if isinstance(step, str) else step
            send = workspace.deliver if body["type"] == "event_callback" else workspace.click
            assert await send(body) == 200
            await workspace.settle()
    return workspace.slack.homes.get("U0ANN", {})


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_home_of_a_person_who_voted(language: Language) -> None:
    judged = [
        Judged(3, "How many <days>?", DAY, "served", DAY, "You have 25 days. [1]", DAY),
        Judged(2, "Who approves travel?", DAY, "waiting", None, None, None),
    ]
    home = Home([Recent(3, "How many <days>?", DAY), Recent(2, "Who approves *travel*?", DAY)], judged, True)
    check_screen(f"home_{language}", render_home(home, language))


def test_stars_and_lines_in_a_question_are_no_markup() -> None:
    words = "*stars*, _lines_ and `ticks`"
    home = Home([Recent(1, words, DAY)], [Judged(1, words, DAY, "served", DAY, words, DAY)], True)
    blocks = render_home(home, "en")["blocks"]
    assert [words in str(block) for block in blocks].count(True) == 3
    assert not any(words in str(block) for block in blocks if block["type"] != "rich_text")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_home_of_a_person_who_did_nothing_yet(language: Language) -> None:
    check_screen(f"home_empty_{language}", render_home(Home([], [], False), language))


async def test_the_home_is_published_when_it_is_opened(workspace: Workspace, chat_model: FakeModelServer) -> None:
    home = await do(workspace, chat_model, "app_mention", "app_home_opened")
    assert "How many days of annual leave do I have?" in str(home["blocks"])
    assert workspace.slack.prompts == {}


async def test_a_home_that_slack_refuses_is_no_endless_work(workspace: Workspace, chat_model: FakeModelServer) -> None:
    workspace.slack.errors["views.publish"] = ["not_enabled"]
    assert await do(workspace, chat_model, "app_home_opened") == {}


async def test_consent_is_taken_and_given_back(workspace: Workspace, chat_model: FakeModelServer) -> None:
    home = await do(workspace, chat_model, "click_consent", "click_consent")
    assert not await Consents(workspace.database).allows_training(ANN)
    assert "Nothing is learnt from your questions and votes." in str(home)
    agree = load("click_consent")
    agree["actions"][0] |= {"value": "yes", "action_ts": "1700000720.000100"}
    await do(workspace, chat_model, agree)
    assert await Consents(workspace.database).allows_training(ANN)


async def test_who_is_forgotten_finds_an_empty_home(workspace: Workspace, chat_model: FakeModelServer) -> None:
    home = await do(workspace, chat_model, "app_mention", "click_thumb_up", "app_home_opened", "click_forget_me")
    assert "You have asked nothing yet." in str(home)
    for table in ("interactions", "feedback"):
        assert await workspace.count(table) == 0
    assert await workspace.database.fetch_dicts(b"SELECT payload FROM inbox") == [{"payload": {}}]


async def test_forgetting_by_command_is_offered_then_done_then_told(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    offered = await workspace.command("forget-me")
    button = offered["blocks"][0]["accessory"]
    assert "confirm" in button
    click = load("click_forget_me")
    click["actions"][0] |= {"value": button["value"]}
    click |= {"container": {"type": "message"}, "response_url": f"{workspace.slack.api_url}response_url"}
    await do(workspace, chat_model, "app_mention", click)
    assert workspace.slack.responses[0]["text"].startswith("Done: 1 questions")
    assert await workspace.count("interactions") == 0


async def test_an_earlier_question_is_asked_anew_in_the_direct_messages(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    await do(workspace, chat_model, "app_mention", "click_ask_now", "click_ask_now")
    assert workspace.search.asked[1:] == [["everyone", "public", ANN]]
    first, asked, answer = workspace.slack.messages.values()
    assert (asked["channel"], answer["thread_ts"] is not None, first is answer) == ("U0ANN", True, False)


async def test_nobody_asks_another_s_question(workspace: Workspace, chat_model: FakeModelServer) -> None:
    click = load("click_ask_now") | {"user": {"id": "U0BOB"}}
    await do(workspace, chat_model, "app_mention", click)
    assert len(workspace.search.asked) == 1


async def log_night(database: Database, state: str, *, adapter: str | None, switched: bool = False) -> None:
    """What a night made of the vote."""
    reason = "disagreement" if state == "dropped" else None
    await database.execute(
        b"""WITH run AS (INSERT INTO runs (night, requested_by, window_from, window_to, adapter)
                         VALUES (current_date, 'test', now() - interval '1 day', now(), %s) RETURNING id)
            INSERT INTO feedback_fates SELECT feedback.id, run.id, %s, %s FROM feedback, run""",
        [adapter, state, reason],
    )
    if adapter:
        await database.execute(
            b"INSERT INTO adapters (name, folder, base_model, sha256, manifest) VALUES (%s, 'f', 'b', 's', '{}')",
            [adapter],
        )
    if switched:
        await database.execute(
            b"INSERT INTO switches (adapter_id, switched_by, reason) SELECT id, 'night', 'better' FROM adapters"
        )


@pytest.mark.parametrize(
    ("state", "adapter", "switched", "effect"),
    [
        (None, None, False, "waiting"),
        ("trained", "night-1", True, "served"),
        ("trained", "night-1", False, "trained"),
        ("held_out", "night-1", True, "examined"),
        ("dropped", None, False, "unused"),
    ],
)
async def test_only_what_a_night_did_is_said_of_a_vote(
    workspace: Workspace,
    chat_model: FakeModelServer,
    state: str | None,
    adapter: str | None,
    switched: bool,
    effect: str,
) -> None:
    await do(workspace, chat_model, "app_mention")
    await FeedbackLog(workspace.database).record(Feedback(1, ANN, -1, "test"))
    if state:
        await log_night(workspace.database, state, adapter=adapter, switched=switched)
    (judged,) = (await Homes(workspace.database).find(ANN)).judged
    assert (judged.effect, judged.answer_now) == (effect, None)


async def test_a_vote_that_may_not_be_learnt_from_is_said_to_be_so(
    workspace: Workspace, chat_model: FakeModelServer
) -> None:
    await do(workspace, chat_model, "app_mention", "click_consent")
    await FeedbackLog(workspace.database).record(Feedback(1, ANN, -1, "test"))
    assert [one.effect for one in (await Homes(workspace.database).find(ANN)).judged] == ["refused"]


@pytest.mark.parametrize("may_read", [True, False])
async def test_a_new_answer_is_one_that_was_given_and_may_still_be_read(
    workspace: Workspace, chat_model: FakeModelServer, may_read: bool
) -> None:
    await workspace.database.execute(
        b"""INSERT INTO documents (id, source, path, title, format, language, sha256, recipe, allow, deny)
            OVERRIDING SYSTEM VALUE VALUES (1, 'made', 'leave.md', 't', 'text', 'en', 's', 'r', %s, '{}')""",
        [["everyone" if may_read else "group:other"]],
    )
    await do(workspace, chat_model, "app_mention", "click_ask_now")
    await FeedbackLog(workspace.database).record(Feedback(1, ANN, -1, "test"))
    (judged,) = (await Homes(workspace.database).find(ANN)).judged
    assert bool(judged.answer_now) == may_read
    assert "[1]" in chat_model.answer and "[" not in (judged.answer_now or "")
