"""The admins' channel: a report is posted once, its buttons obey admins only, and alerts come and go."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.admin_messages import AdminMessages
from bot.alerts import Alert, Alerts, Observation
from bot.desk import Night
from bot.slack.admin import to_act
from bot.slack.render_admin import (
    render_alert,
    render_clear,
    render_report,
    render_text,
    render_trial,
    say_outcome,
    say_refused,
)
from core.adapters import Adapters
from core.database import Database
from core.pauses import Pauses
from core.prompt import Language
from tests.bot.assistant import BASE_URL
from tests.bot.nights import MARKDOWN, TRIALS, end_trial, finish_night
from tests.bot.slack.conftest import ADMIN, ADMIN_CHANNEL, Workspace, load, open_workspace
from tests.bot.slack.screens import check_screen
from tests.fakes.model_server import FakeModelServer
from tests.fakes.slack import FakeSlack

LANGUAGES: list[Language] = ["en", "ko"]
REPORT = f"{ADMIN_CHANNEL}:1700000000.000001"
ADA = f"slack:T0HOME:{ADMIN}"

NIGHT = Night(7, "night-20261120-abcd", "candidate", None, [])
BY_ADA = {"name": NIGHT.adapter, "switched_by": ADA, "reason": "approved, inbox 1"}
SCREENS = {
    "awaits": NIGHT,
    "approved": replace(NIGHT, adapter_state="active", since=[BY_ADA]),
    "paused": replace(NIGHT, adapter=None, adapter_state=None, paused_by="user:ann"),
}
ALERTS = {
    "model_server": Alert(1, "model_server", "", {}, datetime(2026, 11, 20, 9, tzinfo=UTC), None),
    "inbox": Alert(2, "inbox", "", {"waiting": 40, "seconds": 75}, datetime(2026, 11, 20, 9, tzinfo=UTC), None),
    "socket": Alert(3, "socket", "bot-<1>", {}, datetime(2026, 11, 20, 9, tzinfo=UTC), None),
}


@pytest.fixture
async def office(database: Database, slack: FakeSlack, chat_model: FakeModelServer) -> AsyncIterator[Workspace]:
    """A workspace whose model server takes adapters."""
    async with open_workspace(database, slack, model_url=chat_model.url) as workspace:
        yield workspace


def make_click(act: str, *, run_id: int = 1, user: str = ADMIN, at: str = "1700000460.000100") -> dict[str, Any]:
    body = load("click_approve")
    body["user"]["id"] = user
    body["actions"][0] |= {"action_id": f"night_{act}", "value": f'{{"run_id": {run_id}}}', "action_ts": at}
    return body


async def post(workspace: Workspace) -> None:
    assert workspace.side.admin
    await workspace.side.admin.turn()


async def press(workspace: Workspace, chat_model: FakeModelServer, *clicks: dict[str, Any]) -> None:
    async with workspace.at_work(chat_model):
        for click in clicks:
            assert await workspace.click(click) == 200
            await workspace.settle()


async def find_acts(database: Database) -> list[tuple[str, str, str]]:
    rows = await database.fetch_dicts(b"SELECT actor, act, subject FROM audit ORDER BY id")
    return [(row["actor"], row["act"], row["subject"]) for row in rows]


def list_buttons(message: dict[str, Any]) -> list[str]:
    (actions,) = (block for block in message["blocks"] if block["type"] == "actions")
    return [button["action_id"] for button in actions["elements"]]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SCREENS)
def test_the_report(name: str, language: Language) -> None:
    blocks = render_report(SCREENS[name], MARKDOWN[language], language, base_url=BASE_URL)
    check_screen(f"report_{name}_{language}", blocks)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_to_do_and_escapes_names(name: str, language: Language) -> None:
    check_screen(f"alert_{name}_{language}", render_text(render_alert(ALERTS[name], language)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TRIALS)
def test_the_end_of_a_trial_says_what_answers_now_and_why(name: str, language: Language) -> None:
    check_screen(f"trial_{name}_{language}", render_text(render_trial(TRIALS[name], language)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_end_of_an_alert_says_how_long_it_was(language: Language) -> None:
    alert = ALERTS["inbox"]
    over = replace(alert, cleared_at=alert.raised_at + timedelta(minutes=12))
    assert {"en": "12 min", "ko": "12분"}[language] in render_clear(over, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_in_a_whisper_is_escaped(language: Language) -> None:
    assert "&lt;!channel&gt;" in say_outcome("failed", language, "<!channel>")


def test_a_button_of_somebody_else_is_no_act() -> None:
    body = make_click("approve")
    body["actions"][0]["value"] = "[]"
    assert to_act(body, "approve") is None


async def test_a_report_is_posted_once_and_its_rest_in_the_thread(office: Workspace) -> None:
    await finish_night(office.database)
    for _ in range(3):
        await post(office)
    (report, details) = office.slack.messages.values()
    assert (report["channel"], "thread_ts" in report) == (ADMIN_CHANNEL, False)
    assert "A better adapter awaits your approval" in report["blocks"][0]["text"]
    assert "Gate" not in report["blocks"][0]["text"]
    assert details["thread_ts"] == REPORT.partition(":")[2]
    assert "| wins | 9 |" in details["blocks"][0]["text"]


async def test_two_replicas_post_it_once(office: Workspace) -> None:
    await finish_night(office.database)
    async with open_workspace(office.database, office.slack) as other:
        await post(office)
        await post(other)
    assert len([message for message in office.slack.messages.values() if "thread_ts" not in message]) == 1


async def test_a_report_that_slack_refused_is_posted_later(office: Workspace) -> None:
    await finish_night(office.database)
    office.slack.errors["chat.postMessage"] = ["not_in_channel"]
    await post(office)
    assert office.slack.messages == {}
    await office.database.execute(b"UPDATE admin_messages SET lease_expires_at = now()")
    await post(office)
    assert REPORT in office.slack.messages


async def test_an_old_night_is_history(office: Workspace) -> None:
    await finish_night(office.database)
    await office.database.execute(b"UPDATE runs SET finished_at = now() - interval '2 days'")
    await post(office)
    assert office.slack.messages == {}


async def test_an_admin_approves_and_the_report_shows_who(office: Workspace, chat_model: FakeModelServer) -> None:
    await finish_night(office.database)
    await post(office)
    assert list_buttons(office.slack.messages[REPORT]) == ["night_approve", "night_pause", "open"]
    await press(office, chat_model, make_click("approve"), make_click("approve"))
    active = await Adapters(office.database).find_active()
    assert active and active.name == "night-1" and chat_model.adapters == {"night-1": "/a/night-1"}
    assert await find_acts(office.database) == [(ADA, "promote", "night-1")]
    shown = office.slack.messages[REPORT]
    assert list_buttons(shown) == ["night_roll_back", "night_pause", "open"]
    assert f"<@{ADMIN}> put `night-1` in service." in str(shown["blocks"])
    assert office.slack.whispers == []


async def test_a_second_click_on_the_old_screen_is_told_that_it_is_stale(
    office: Workspace, chat_model: FakeModelServer
) -> None:
    await finish_night(office.database)
    await post(office)
    await press(office, chat_model, make_click("approve"), make_click("approve", at="1700000470.000100"))
    (whisper,) = office.slack.whispers
    assert (whisper["user"], whisper["text"]) == (ADMIN, say_outcome("is_served", "en"))
    assert len(await find_acts(office.database)) == 1


async def test_roll_back_pause_and_resume_are_each_done_shown_and_audited(
    office: Workspace, chat_model: FakeModelServer
) -> None:
    await finish_night(office.database, served=True)
    await post(office)
    clicks = [make_click(act, at=f"17000004{at}.0") for at, act in enumerate(("roll_back", "pause", "resume"), 10)]
    await press(office, chat_model, *clicks[:2])
    assert await Pauses(office.database).is_paused()
    shown = office.slack.messages[REPORT]
    assert list_buttons(shown) == ["night_resume", "open"]
    assert f"Nights are paused by <@{ADMIN}>." in str(shown["blocks"])
    await press(office, chat_model, clicks[2])
    assert not await Pauses(office.database).is_paused()
    acts = [act for actor, act, _ in await find_acts(office.database) if actor == ADA]
    assert acts == ["roll back", "pause nights", "resume nights"]


async def test_who_is_no_admin_changes_nothing_and_is_written_down(
    office: Workspace, chat_model: FakeModelServer
) -> None:
    await finish_night(office.database)
    await post(office)
    await press(office, chat_model, make_click("approve", user="U0BOB"))
    assert await Adapters(office.database).find_active() is None
    assert await find_acts(office.database) == [("slack:T0HOME:U0BOB", "refused: approve", "night 1")]
    assert [whisper["text"] for whisper in office.slack.whispers] == [say_refused("en")]


@pytest.mark.parametrize(
    ("user", "may"),
    [
        ({"is_admin": True}, True),
        ({"is_owner": True}, True),
        ({}, False),
        ({"is_admin": True, "team_id": "T0PARTNER"}, False),
        ({"is_admin": True, "deleted": True}, False),
        ({"is_admin": True, "is_restricted": True}, False),
    ],
    ids=str,
)
async def test_without_names_the_workspaces_own_admins_may(
    database: Database, slack: FakeSlack, chat_model: FakeModelServer, user: dict[str, Any], may: bool
) -> None:
    slack.users[ADMIN] = {"team_id": "T0HOME", **user}
    await finish_night(database)
    async with open_workspace(database, slack, model_url=chat_model.url, admins=()) as office:
        await post(office)
        await press(office, chat_model, make_click("pause"))
    assert await Pauses(database).is_paused() == may


async def test_an_alert_is_posted_once_and_its_end_under_it(office: Workspace) -> None:
    alerts, seen = Alerts(office.database), Observation("model_server", True)
    for _ in range(2):
        await alerts.raise_alert(seen)
        await post(office)
    (alert,) = office.slack.messages.values()
    assert "The model server does not answer" in alert["text"]
    await alerts.clear(seen)
    for _ in range(2):
        await post(office)
    _, clear = office.slack.messages.values()
    assert (clear["thread_ts"], clear["reply_broadcast"]) == ("1700000000.000001", True)
    assert "All clear" in clear["text"]


@pytest.mark.parametrize("name", TRIALS)
async def test_the_end_of_a_trial_is_posted_once_under_its_report_which_then_shows_it(
    office: Workspace, name: str
) -> None:
    run_id = await finish_night(office.database, TRIALS[name].adapter)
    for _ in range(2):  # The report, then its details.
        await post(office)
    reported = len(office.slack.messages)
    assert "night_approve" in str(next(iter(office.slack.messages.values())))
    await end_trial(office.database, run_id, TRIALS[name])
    for _ in range(2):
        await post(office)
    report, *_ = office.slack.messages.values()
    assert "night_approve" not in str(report) and "night_pause" in str(report)
    (news,) = list(office.slack.messages.values())[reported:]
    assert (news["thread_ts"], news["reply_broadcast"]) == ("1700000000.000001", True)
    assert "`night-2`" in news["text"]


async def test_details_of_a_report_that_was_erased_are_not_due(office: Workspace) -> None:
    await finish_night(office.database, "night-2")
    await post(office)
    assert [topic.kind for topic in await AdminMessages(office.database, "slack").find_due()] == ["details"]
    await office.database.execute(b"DELETE FROM reports")
    assert await AdminMessages(office.database, "slack").find_due() == []


async def test_the_end_of_a_trial_is_told_also_where_its_report_was_erased_since(office: Workspace) -> None:
    run_id = await finish_night(office.database, "night-2")
    for _ in range(2):  # The report, then its details.
        await post(office)
    reported = len(office.slack.messages)
    await office.database.execute(b"DELETE FROM reports")
    await end_trial(office.database, run_id, TRIALS["harmful"])
    await post(office)
    (news,) = list(office.slack.messages.values())[reported:]
    assert "taken back" in news["text"]


async def test_the_end_of_a_trial_is_told_also_where_its_report_was_not(office: Workspace) -> None:
    run_id = await finish_night(office.database, "night-2")
    await office.database.execute(b"UPDATE runs SET finished_at = now() - interval '2 days'")
    await end_trial(office.database, run_id, TRIALS["harmful"])
    await post(office)
    (news,) = office.slack.messages.values()
    assert "taken back" in news["text"] and "thread_ts" not in news
