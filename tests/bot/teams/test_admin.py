"""The admins' chat: a report is posted once, its buttons obey admins only, and alerts come and go."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.admin_messages import AdminMessages
from bot.admin_wording import say_admin
from bot.alerts import Alert, Alerts, Observation
from bot.desk import Night
from bot.teams.render_admin import ACT, render_alert, render_clear, render_details, render_report, render_trial
from core.adapters import Adapters
from core.database import Database
from core.pauses import Pauses
from core.prompt import Language
from tests.bot.assistant import BASE_URL
from tests.bot.nights import MARKDOWN, TRIALS, end_trial, finish_night
from tests.bot.teams.conftest import ADMIN_CHAT, Tenant, load, open_tenant
from tests.bot.teams.screens import check_screen
from tests.fakes.model_server import FakeModelServer
from tests.fakes.teams import PEOPLE, TENANT, FakeTeams, read_actions

LANGUAGES: list[Language] = ["en", "ko"]
REPORT = f"{ADMIN_CHAT}|1700000000001"
EVE = f"teams:{TENANT}:{PEOPLE[2]['objectId']}"
EVE_ACCOUNT = {"id": "29:1eve", "name": "Eve", "aadObjectId": PEOPLE[2]["objectId"]}
SEEN_AT = datetime(2026, 11, 20, 9, tzinfo=UTC)

NIGHT = Night(7, "night-20261120-abcd", "candidate", None, [])
BY_EVE = {"name": NIGHT.adapter, "switched_by": EVE, "reason": "approved, inbox 1"}
SCREENS = {
    "awaits": NIGHT,
    "approved": replace(NIGHT, adapter_state="active", since=[BY_EVE]),
    "paused": replace(NIGHT, adapter=None, adapter_state=None, paused_by="user:ann"),
}
ALERTS = {
    "model_server": Alert(1, "model_server", "", {}, SEEN_AT, None),
    "inbox": Alert(2, "inbox", "", {"waiting": 40, "seconds": 75}, SEEN_AT, None),
    "socket": Alert(3, "socket", "bot-<1>", {}, SEEN_AT, None),
}


@pytest.fixture
async def office(database: Database, teams: FakeTeams, chat_model: FakeModelServer) -> AsyncIterator[Tenant]:
    """A tenant whose model server takes adapters, and whose admin is named by her address."""
    async with open_tenant(database, teams, model_url=chat_model.url) as tenant:
        yield tenant


def press(act: str, *, number: int = 1, run_id: int = 1, account: dict[str, Any] = EVE_ACCOUNT) -> dict[str, Any]:
    activity = load("execute_again") | {"id": f"f:{act}{number}", "from": account, "replyToId": "1700000000001"}
    activity["conversation"] |= {"id": ADMIN_CHAT}
    activity["value"]["action"] |= {"verb": ACT, "data": {"verb": ACT, "act": act, "run_id": run_id}}
    return activity


async def post(tenant: Tenant) -> None:
    assert tenant.side.admin
    await tenant.side.admin.turn()


def list_buttons(message: dict[str, Any]) -> list[str]:
    return [action["title"] for action in read_actions(message)]


async def find_acts(database: Database) -> list[tuple[str, str, str]]:
    rows = await database.fetch_dicts(b"SELECT actor, act, subject FROM audit ORDER BY id")
    return [(row["actor"], row["act"], row["subject"]) for row in rows]


def test_the_report_s_mark_up_becomes_words() -> None:
    """As the report's own template writes it: a bold beginning, a quotation with escaped signs, code."""
    markdown = "# Night\n\n**A failure.** It was\n\n> disk \\*full\\*\n\n- adapter: `night_1`\n\n**Needs**\n- Space\n"
    (attached,) = render_report(NIGHT, markdown, "en", base_url=BASE_URL)["attachments"]
    said = [(one["text"].replace("\\", ""), one.get("weight")) for one in attached["content"]["body"]]
    bold = [("Night", "Bolder"), ("A failure.", "Bolder"), ("It was", None), ("disk *full*", None)]
    assert said == [*bold, ("• adapter: night_1", None), ("Needs", "Bolder"), ("• Space", None)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_screens(language: Language) -> None:
    for name, night in SCREENS.items():
        check_screen(f"report_{name}_{language}", render_report(night, MARKDOWN[language], language, base_url=BASE_URL))
    for name, alert in ALERTS.items():
        check_screen(f"alert_{name}_{language}", render_alert(alert, language))
    for name, trial in TRIALS.items():
        check_screen(f"trial_{name}_{language}", render_trial(trial, language))
    over = replace(ALERTS["inbox"], cleared_at=SEEN_AT + timedelta(minutes=12))
    check_screen(f"clear_{language}", render_clear(over, language))
    check_screen("details", render_details(MARKDOWN["en"]))


async def test_a_report_is_posted_once_and_its_rest_in_its_thread(office: Tenant) -> None:
    await finish_night(office.database)
    for _ in range(3):
        await post(office)
    assert list(office.teams.messages) == [REPORT, f"{ADMIN_CHAT};messageid=1700000000001|1700000000002"]
    report, details = office.teams.messages.values()
    assert "A better adapter awaits your approval" in str(report["attachments"])
    assert "Gate" not in str(report["attachments"])
    assert "| wins | 9 |" in details["text"]


async def test_a_report_that_teams_refused_is_posted_later(office: Tenant) -> None:
    await finish_night(office.database)
    office.teams.statuses = [403]
    await post(office)
    assert office.teams.messages == {}
    await office.database.execute(b"UPDATE admin_messages SET lease_expires_at = now()")
    await post(office)
    assert REPORT in office.teams.messages


async def test_an_admin_approves_and_the_report_shows_who(office: Tenant, chat_model: FakeModelServer) -> None:
    await finish_night(office.database)
    await post(office)
    assert list_buttons(office.teams.messages[REPORT]) == ["Approve", "Pause nights", "Open in the console"]
    told, _ = await office.play(chat_model, press("approve"), press("approve"))
    assert told["value"] == say_admin("taken", "en")
    active = await Adapters(office.database).find_active()
    assert active and active.name == "night-1" and chat_model.adapters == {"night-1": "/a/night-1"}
    assert await find_acts(office.database) == [(EVE, "promote", "night-1")]
    shown = office.teams.messages[REPORT]
    assert list_buttons(shown) == ["Roll back", "Pause nights", "Open in the console"]
    assert f"{EVE} put night-1 in service." in str(shown["attachments"]).replace("\\\\", "")


async def test_a_click_on_an_old_screen_changes_nothing_and_says_why(
    office: Tenant, chat_model: FakeModelServer
) -> None:
    await finish_night(office.database)
    await post(office)
    await office.play(chat_model, press("approve"), press("approve", number=2))
    assert say_admin("is_served", "en") in str(office.teams.messages[REPORT]["attachments"])
    assert len(await find_acts(office.database)) == 1


async def test_roll_back_pause_and_resume_are_each_done_and_audited(
    office: Tenant, chat_model: FakeModelServer
) -> None:
    await finish_night(office.database, served=True)
    await post(office)
    await office.play(chat_model, press("roll_back"), press("pause"))
    assert await Pauses(office.database).is_paused()
    assert list_buttons(office.teams.messages[REPORT]) == ["Resume nights", "Open in the console"]
    await office.play(chat_model, press("resume"))
    assert not await Pauses(office.database).is_paused()
    acts = [act for actor, act, _ in await find_acts(office.database) if actor == EVE]
    assert acts == ["roll back", "pause nights", "resume nights"]


async def test_who_is_no_admin_changes_nothing_and_is_written_down(office: Tenant, chat_model: FakeModelServer) -> None:
    await finish_night(office.database)
    await post(office)
    ann = load("message_personal")["from"]
    (told,) = await office.play(chat_model, press("approve", account=ann))
    assert told["value"] == say_admin("refused", "en")
    assert await Adapters(office.database).find_active() is None
    name = f"teams:{TENANT}:{PEOPLE[0]['objectId']}"
    assert await find_acts(office.database) == [(name, "refused: approve", "night 1")]


async def test_a_guest_with_an_admins_address_is_no_admin(
    database: Database, teams: FakeTeams, chat_model: FakeModelServer
) -> None:
    teams.rosters[ADMIN_CHAT] = [PEOPLE[2] | {"userRole": "guest"}]
    await finish_night(database)
    async with open_tenant(database, teams, model_url=chat_model.url) as office:
        await post(office)
        await office.play(chat_model, press("pause"))
    assert not await Pauses(database).is_paused()


async def test_an_admin_may_be_named_by_object_id(
    database: Database, teams: FakeTeams, chat_model: FakeModelServer
) -> None:
    teams.rosters[ADMIN_CHAT] = 403
    await finish_night(database)
    admins = [PEOPLE[2]["objectId"].upper()]
    async with open_tenant(database, teams, model_url=chat_model.url, admins=admins) as office:
        await post(office)
        await office.play(chat_model, press("pause"))
    assert await Pauses(database).is_paused()


@pytest.mark.parametrize("changes", [{"act": "delete"}, {"run_id": "1"}, {"act": None}])
async def test_what_no_button_of_ours_says_is_refused(
    office: Tenant, chat_model: FakeModelServer, changes: dict[str, Any]
) -> None:
    click = press("approve")
    click["value"]["action"]["data"] |= changes
    (told,) = await office.play(chat_model, click)
    assert (told["statusCode"], await office.count("inbox")) == (400, 0)


async def test_a_button_works_in_the_admins_chat_only(office: Tenant, chat_model: FakeModelServer) -> None:
    click = press("pause") | {"conversation": load("message_personal")["conversation"]}
    (told,) = await office.play(chat_model, click)
    assert (told["statusCode"], await office.count("inbox")) == (400, 0)


async def test_an_alert_is_posted_once_and_its_end_under_it(office: Tenant) -> None:
    alerts, seen = Alerts(office.database), Observation("model_server", True)
    for _ in range(2):
        await alerts.raise_alert(seen)
        await post(office)
    (alert,) = office.teams.messages.values()
    assert "The model server does not answer" in alert["text"]
    await alerts.clear(seen)
    for _ in range(2):
        await post(office)
    _, clear = office.teams.messages
    assert clear.startswith(f"{ADMIN_CHAT};messageid=1700000000001|")
    assert "All clear" in office.teams.messages[clear]["text"]


async def test_the_end_of_a_trial_is_posted_once_under_its_report_which_then_shows_it(office: Tenant) -> None:
    run_id = await finish_night(office.database, "night-2")
    for _ in range(2):  # The report, then its details.
        await post(office)
    (report, *_) = reported = list(office.teams.messages)
    assert "approve" in str(office.teams.messages[report])
    await end_trial(office.database, run_id, TRIALS["harmful"])
    for _ in range(2):
        await post(office)
    assert "approve" not in str(office.teams.messages[report]) and "pause" in str(office.teams.messages[report])
    (news,) = list(office.teams.messages)[len(reported) :]
    assert news.rpartition("|")[0].endswith(f";messageid={report.rpartition('|')[2]}")
    assert "taken back" in office.teams.messages[news]["text"]


async def test_details_of_a_report_that_was_erased_are_not_due(office: Tenant) -> None:
    await finish_night(office.database, "night-2")
    await post(office)
    assert [topic.kind for topic in await AdminMessages(office.database, "teams").find_due()] == ["details"]
    await office.database.execute(b"DELETE FROM reports")
    assert await AdminMessages(office.database, "teams").find_due() == []


async def test_the_end_of_a_trial_is_told_also_where_its_report_was_erased_since(office: Tenant) -> None:
    run_id = await finish_night(office.database, "night-2")
    for _ in range(2):  # The report, then its details.
        await post(office)
    reported = len(office.teams.messages)
    await office.database.execute(b"DELETE FROM reports")
    await end_trial(office.database, run_id, TRIALS["harmful"])
    await post(office)
    (news,) = list(office.teams.messages.values())[reported:]
    assert "taken back" in news["text"]
