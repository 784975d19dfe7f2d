"""A night in the console: its report as a file, two nights side by side, and what may be decided."""

import json

import pytest
from aiohttp.test_utils import TestClient

from bot.desk import ACTS, Outcome
from bot.web.console_nights import compare_nights
from bot.web.console_wording import CONSOLE
from core.database import Database
from core.pauses import Pauses
from tests.bot.nights import finish_night
from tests.bot.web.site import TOKEN, Site

EVALUATION = {
    "preference": {
        "wins": 61, "losses": 27, "languages": {"ko": {"models": {"candidate": {"accuracy": 0.5}}}},
        "models": {"live": {"accuracy": 0.61}, "candidate": {"accuracy": 0.74}},
    },
    "golden": {"live": 9, "candidate": 11, "count": 12},
}  # fmt: skip


@pytest.fixture
async def admin(client: TestClient) -> TestClient:
    await client.get("/console", params={"token": TOKEN})
    return client


async def measure(database: Database, run_id: int, votes: int, train_seconds: float, evaluation: dict | None) -> None:
    values = {
        "id": run_id, "counts": json.dumps({"votes": votes}), "seconds": json.dumps({"train": train_seconds}),
        "evaluation": json.dumps(evaluation) if evaluation else None,
    }  # fmt: skip
    await database.execute(
        b"UPDATE runs SET counts = %(counts)s::jsonb, seconds = %(seconds)s::jsonb, evaluation = %(evaluation)s::jsonb"
        b" WHERE id = %(id)s",
        values,
    )


async def test_a_report_is_a_file_with_the_nights_date(site: Site, admin: TestClient) -> None:
    run_id = await finish_night(site.database)
    page = await (await admin.get(f"/console/nights/{run_id}")).text()
    assert f'href="/console/nights/{run_id}/report/ko?download=1"' in page
    report = await admin.get(f"/console/nights/{run_id}/report/ko?download=1")
    disposition = report.headers["Content-Disposition"]
    assert disposition == f'attachment; filename="nightbake-2026-11-20-{run_id}-ko.html"'
    assert "Content-Disposition" not in (await admin.get(f"/console/nights/{run_id}/report/ko")).headers


async def test_two_nights_stand_side_by_side_with_what_changed(site: Site, admin: TestClient) -> None:
    first, second = await finish_night(site.database, "night-1"), await finish_night(site.database, "night-2")
    await measure(site.database, first, 40, 100.0, None)
    await measure(site.database, second, 148, 1263.0, EVALUATION)
    for address in ("/console/nights/compare", f"/console/nights/compare?one={first}&other={second}"):
        page = await (await admin.get(address, headers={"Accept-Language": "ko"})).text()
        assert all(words in page for words in ("+108", "21분 3초", "+19분 23초", "74%", "92%"))
        assert page.index(f"#{first}</a>") < page.index(f"#{second}</a>")
    turned = await (await admin.get(f"/console/nights/compare?one={second}&other={first}")).text()
    assert "−108" in turned


async def test_one_night_alone_is_not_compared(site: Site, admin: TestClient) -> None:
    await finish_night(site.database)
    assert CONSOLE["en"]["compare_few"] in await (await admin.get("/console/nights/compare")).text()
    assert (await admin.get("/console/nights/compare?one=1&other=99")).status == 404


def test_what_neither_night_measured_has_no_row() -> None:
    night = {
        "state": "skipped",
        "reason": None,
        "counts": {"votes": 3},
        "evaluation": None,
        "seconds": {},
        "tickets": 0,
    }
    names = [row["name"] for row in compare_nights(night, night)]
    assert names == ["state", "compare_votes", "compare_tickets", "took"]


async def test_a_candidate_is_approved_and_taken_back_in_the_console(site: Site, admin: TestClient) -> None:
    run_id = await finish_night(site.database)
    page = await (await admin.get(f"/console/nights/{run_id}")).text()
    assert CONSOLE["en"]["act_approve"] in page and CONSOLE["en"]["act_pause"] in page
    assert CONSOLE["en"]["act_roll_back"] not in page
    told = await decide(admin, run_id, "approve")
    active = await site.adapters.find_active()
    assert (told, active and active.name) == ((200, CONSOLE["en"]["done_approve"]), "night-1")
    assert CONSOLE["en"]["act_roll_back"] in await (await admin.get(f"/console/nights/{run_id}")).text()
    assert await decide(admin, run_id, "approve") == (409, CONSOLE["en"]["outcome_is_served"])
    assert (await decide(admin, run_id, "roll_back"))[0] == 200
    assert await site.adapters.find_active() is None


async def test_nights_are_paused_and_resumed(site: Site, admin: TestClient) -> None:
    run_id = await finish_night(site.database)
    assert (await decide(admin, run_id, "pause"))[0] == 200
    assert await Pauses(site.database).is_paused()
    assert await decide(admin, run_id, "pause") == (409, CONSOLE["en"]["outcome_is_paused"])
    assert (await decide(admin, run_id, "resume"))[0] == 200
    assert not await Pauses(site.database).is_paused()


async def test_nobody_decides_what_is_no_act_or_without_the_token(site: Site, admin: TestClient) -> None:
    run_id = await finish_night(site.database)
    assert (await decide(admin, run_id, "delete everything"))[0] == 400
    stranger = await site.new_client()
    assert (await decide(stranger, run_id, "approve"))[0] == 401
    assert await site.adapters.find_active() is None


def test_every_act_and_outcome_has_words() -> None:
    outcomes = {f"outcome_{name}" for name in Outcome.__args__ if name != "done"}
    acts = {f"{kind}_{act}" for act in ACTS for kind in ("act", "sure", "done")}
    assert outcomes | acts <= set(CONSOLE["en"])


async def decide(client: TestClient, run_id: int, act: str) -> tuple[int, str]:
    response = await client.post(
        f"/console/api/nights/{run_id}/decide", json={"act": act}, headers={"Accept-Language": "en"}
    )
    content = await response.json()
    return response.status, content.get("message") or content.get("error")
