"""The audit log: every act of every door leaves a row, the page finds it, and a file of it runs nothing."""

import csv
import io
import json

import pytest
from aiohttp.test_utils import TestClient

from core.audit import record_act
from tests.bot.web.site import TOKEN, Site
from tests.fakes.openid import FakeOpenId
from tests.learning.log import log_answer, make_passage
from tests.security.web.signing_in import sign_in

XSS = "<script>alert(1)</script>"


@pytest.fixture
async def admin(site: Site) -> TestClient:
    client = await site.new_client()
    assert (await client.get("/console", params={"token": TOKEN})).status == 200
    return client


async def test_acts_carry_the_person_who_signed_in(guarded: Site, openid: FakeOpenId) -> None:
    admin = await sign_in(guarded, openid, groups=["admins"])
    answer = await log_answer(guarded.database, "Lunch?", [make_passage("lunch", 4)], "4 days.")
    said = await admin.post(f"/console/api/answers/{answer}/label", json={"verdict": "approve"})
    page = await (await admin.get("/console/audit")).text()
    assert (said.status, "label answer approve" in page, "ann@example.com" in page) == (200, True, True)
    (row,) = await guarded.database.fetch_dicts(b"SELECT actor FROM audit WHERE act = 'label answer approve'")
    assert row["actor"].startswith("user:oidc-")


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        ({}, ["promote", "refused: POST", "sign in as admin", "open console"]),
        ({"kind": "refused"}, ["refused: POST"]),
        ({"kind": "sign_in"}, ["sign in as admin", "open console"]),
        ({"kind": "act"}, ["promote"]),
        ({"words": "NIGHT-7"}, ["promote"]),
        ({"words": "%"}, []),
        ({"before": "3"}, ["sign in as admin", "open console"]),
    ],
)
async def test_acts_are_found_by_kind_and_words(
    site: Site, admin: TestClient, choice: dict[str, str], shown: list[str]
) -> None:
    for act, subject in (("sign in as admin", "::1"), ("refused: POST", "/console"), ("promote", "night-7")):
        await record_act(site.database, actor="user:ann", act=act, subject=subject)
    acts = (await (await admin.get("/console/audit/json", params=choice)).json())["acts"]
    page = await (await admin.get("/console/audit", params=choice)).text()
    expected = [act for act in shown if "before" not in choice]
    assert [one["act"] for one in acts] == expected or "before" in choice
    assert all(f">{act}</span>" in page for act in shown)


async def test_a_file_of_it_runs_nothing_in_a_spreadsheet(site: Site, admin: TestClient) -> None:
    for subject in ("=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", XSS, "가나다"):
        await record_act(site.database, actor="user:ann", act="act", subject=subject)
    response = await admin.get("/console/audit/csv")
    text = (await response.read()).decode("utf-8-sig")
    subjects = [row["subject"] for row in csv.DictReader(io.StringIO(text)) if row["act"] == "act"]
    assert subjects == ["가나다", XSS, "'\t=1", "'@x", "'-1", "'+1", "'=HYPERLINK(1)"]
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert XSS not in await (await admin.get("/console/audit")).text()


async def test_that_it_was_taken_away_is_in_it(admin: TestClient) -> None:
    await admin.get("/console/audit/csv")
    acts = json.loads(await (await admin.get("/console/audit/json")).text())["acts"]
    assert (acts[0]["act"], acts[0]["subject"]) == ("download audit", "1 csv")
