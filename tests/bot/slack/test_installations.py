"""Tokens of several workspaces: sealed in the table, refreshed once, forgotten when they are revoked."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.slack.api import SlackApi, SlackError
from bot.slack.installations import Grant, Installations, Seal, SealError
from core.database import Database
from tests.fakes.slack import CLIENT_SECRET, FakeSlack

KEY, OTHER_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
GRANT = Grant("T0ONE", "xoxb-one", ["chat:write"], "U0ANN")


def build(database: Database, slack: FakeSlack, *keys: str) -> Installations:
    return Installations(
        database, Seal(keys or [KEY]), client_id="1.2", client_secret=CLIENT_SECRET, api_url=slack.api_url
    )


async def read_rows(database: Database) -> list[dict[str, Any]]:
    return await database.fetch_dicts(b"SELECT * FROM slack_installations ORDER BY place")


def ending(**ago: float) -> Grant:
    return replace(GRANT, refresh_token="refresh-1", expires_at=datetime.now(UTC) + timedelta(**ago))


async def test_each_workspace_has_its_own_token(database: Database, slack: FakeSlack) -> None:
    installations = build(database, slack)
    await installations.store(GRANT)
    await installations.store(replace(GRANT, place="T0TWO", token="xoxb-two"))
    assert [await installations.get(team) for team in ("T0ONE", "T0TWO")] == ["xoxb-one", "xoxb-two"]
    with pytest.raises(SlackError, match="not_installed"):
        await installations.get("T0THREE")


async def test_no_token_stands_in_the_table(database: Database, slack: FakeSlack) -> None:
    await build(database, slack).store(ending(hours=12))
    assert "xoxb" not in str(await read_rows(database)) and "refresh" not in str(
        bytes((await read_rows(database))[0]["sealed"])
    )


async def test_a_row_that_was_moved_to_another_workspace_does_not_open(database: Database, slack: FakeSlack) -> None:
    installations = build(database, slack)
    await installations.store(GRANT)
    await database.execute(b"UPDATE slack_installations SET place = 'T0EVIL'")
    with pytest.raises(SealError, match="T0EVIL"):
        await installations.get("T0EVIL")


async def test_a_new_key_before_the_old_takes_its_place(database: Database, slack: FakeSlack) -> None:
    await build(database, slack).store(GRANT)
    await build(database, slack, OTHER_KEY, KEY).start()
    assert await build(database, slack, OTHER_KEY).get("T0ONE") == "xoxb-one"
    with pytest.raises(SealError):
        await build(database, slack, KEY).get("T0ONE")


async def test_a_token_that_ends_soon_is_refreshed_once_by_all_replicas(database: Database, slack: FakeSlack) -> None:
    await build(database, slack).store(ending(minutes=30))
    slack.grants["refresh-1"] = {"access_token": "xoxb-new", "refresh_token": "refresh-2", "expires_in": 43_200}
    replicas = [build(database, slack) for _ in range(4)]
    tokens = await asyncio.gather(*(replica.get("T0ONE") for replica in replicas))
    assert set(tokens) == {"xoxb-new"}
    assert len(slack.find_calls("oauth.v2.access")) == 1
    (row,) = await read_rows(database)
    assert row["expires_at"] > datetime.now(UTC) + timedelta(hours=11)
    assert Seal([KEY]).open("T0ONE", row["sealed"]) == ("xoxb-new", "refresh-2")


async def test_a_token_that_lives_long_is_left_alone(database: Database, slack: FakeSlack) -> None:
    installations = build(database, slack)
    await installations.store(ending(hours=12))
    assert (await installations.get("T0ONE"), slack.calls) == ("xoxb-one", [])


async def test_while_slack_does_not_refresh_the_old_token_is_used(database: Database, slack: FakeSlack) -> None:
    installations = build(database, slack)
    await installations.store(ending(minutes=30))
    assert await installations.get("T0ONE") == "xoxb-one"
    assert len(slack.find_calls("oauth.v2.access")) == 1


async def test_a_workspace_of_an_organisation_is_found_and_remembered(database: Database, slack: FakeSlack) -> None:
    slack.teams, slack.tokens = ["T0A", "T0B"], {"xoxb-one"}
    installations = build(database, slack)
    await installations.store(replace(GRANT, place="E0ORG"))
    assert [await installations.get(team) for team in ("T0B", "T0B")] == ["xoxb-one"] * 2
    assert await build(database, slack).get("T0B") == "xoxb-one"
    assert len(slack.find_calls("auth.teams.list")) == 1
    with pytest.raises(SlackError, match="not_installed"):
        await installations.get("T0ELSEWHERE")


async def test_what_was_removed_gives_no_token_and_what_was_installed_again_stays(
    database: Database, slack: FakeSlack
) -> None:
    installations = build(database, slack)
    await installations.store(GRANT)
    now = datetime.now(UTC)
    assert not await installations.remove("T0ONE", before=now - timedelta(hours=1))
    assert await installations.get("T0ONE") == "xoxb-one"
    assert await installations.remove("T0ONE", before=now + timedelta(seconds=5))
    with pytest.raises(SlackError, match="not_installed"):
        await installations.get("T0ONE")
    acts = [row["act"] for row in await database.fetch_dicts(b"SELECT act FROM audit ORDER BY id")]
    assert acts == ["install slack app", "remove slack app"]


async def test_a_call_goes_out_with_the_workspaces_token(database: Database, slack: FakeSlack) -> None:
    installations = build(database, slack)
    await installations.store(GRANT)
    slack.tokens = {"xoxb-one"}
    api = SlackApi(installations, api_url=slack.api_url)
    assert (await api.call("T0ONE", "auth.test"))["ok"]
    with pytest.raises(SlackError, match="not_installed"):
        await api.call("T0TWO", "auth.test")
