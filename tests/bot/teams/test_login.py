"""The token of outgoing messages, from a login server over HTTPS as the SDK asks it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msal
import msal.authority
import pytest

from bot.teams.clouds import PUBLIC
from bot.teams.connector import TeamsConnector, build_credentials, check_credentials
from tests.bot.teams.test_reply import make_claimed
from tests.fakes.login import HOST, FakeLogin
from tests.fakes.teams import APP_ID, ISSUER, TENANT, FakeTeams


@pytest.fixture
async def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeLogin]:
    # Of any other host msal asks Microsoft whether it knows it.
    monkeypatch.setattr(msal.authority, "WELL_KNOWN_AUTHORITY_HOSTS", frozenset({HOST}))
    # After a refusal it asks the host for its other names, without the port.
    monkeypatch.setattr(msal.ClientApplication, "_get_authority_aliases", lambda *_: [])
    async with FakeLogin(tmp_path, app_id=APP_ID, password="secret", scope=f"{ISSUER}/.default") as login:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(login.certificate))
        yield login


async def test_many_first_messages_are_sent_with_one_token(teams: FakeTeams, login: FakeLogin) -> None:
    credentials = build_credentials(APP_ID, "secret", TENANT, replace(PUBLIC, login_url=login.url))
    connector = TeamsConnector(app_id=APP_ID, credentials=credentials)
    reference = make_claimed(teams.service_url).payload["reference"]
    places = [{**reference, "conversation": {"id": f"a:{number}"}} for number in range(8)]
    await asyncio.gather(*(connector.send(place, {"text": "23 days"}) for place in places))
    await connector.close()
    assert login.tokens == ["token-1"]
    assert [call.authorization for call in teams.calls] == ["Bearer token-1"] * 8


@pytest.mark.parametrize(
    ("password", "url", "said"),
    [
        ("secret", None, None),
        ("wrong", None, "check TEAMS_APP_PASSWORD"),
        ("secret", f"https://{HOST}:9", f"https://{HOST}:9 does not answer"),
    ],
)
async def test_the_doctor_asks_for_a_token(login: FakeLogin, password: str, url: str | None, said: str | None) -> None:
    found = await check_credentials(APP_ID, password, TENANT, replace(PUBLIC, login_url=url or login.url))
    assert (found is None) if said is None else (found and said in found), found
