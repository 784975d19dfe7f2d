"""The way of an admin's browser: begun behind the console's lock, back with a code, ended by Slack's own events."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.fernet import Fernet

from bot.slack.events import SlackEvents
from bot.slack.install import BEGIN_PATH, COOKIE, INSTALL_PATH, Install, find_ended
from bot.slack.installations import Installations, Seal
from bot.slack.manifest import REDIRECT_PATH, build_manifest, find_scopes
from bot.web.gate import Gate
from bot.web.people import Visitors
from bot.web.sessions import Sessions
from core.database import Database
from tests.bot.slack.conftest import load
from tests.fakes.slack import CLIENT_SECRET, FakeSlack

KEY = Fernet.generate_key().decode()
TOKEN = "admin-token"
CODE = {
    "access_token": "xoxb-granted",
    "scope": "chat:write,im:history",
    "bot_user_id": "U0BOT",
    "team": {"id": "T0HOME", "name": "Home <b>"},
    "enterprise": None,
    "is_enterprise_install": False,
    "authed_user": {"id": "U0ADA"},
}

Client = TestClient[web.Request, web.Application]


def build_installations(database: Database, slack: FakeSlack) -> Installations:
    return Installations(database, Seal([KEY]), client_id="1.2", client_secret=CLIENT_SECRET, api_url=slack.api_url)


def build_install(installations: Installations) -> Install:
    return Install(
        installations,
        keys=[KEY],
        client_id="1.2",
        authorize_url="https://slack.com/oauth/v2/authorize",
        base_url="http://bot.example",
    )


@pytest.fixture
async def browser(database: Database, slack: FakeSlack) -> AsyncIterator[Client]:
    def show_locked(_: web.Request) -> web.Response:
        return web.Response(status=403, text="locked")

    sessions = Sessions(database, idle_seconds=60, longest_seconds=60)
    gate = Gate(
        database=database,
        sessions=sessions,
        visitors=Visitors(sessions, is_https=False, admin_token=TOKEN, vouch=None),
        admin_token=TOKEN,
        base_url="http://bot.example",
        locked_page=show_locked,
        denied_page=show_locked,
    )
    app = web.Application(middlewares=[gate.middleware])
    app.add_routes(build_install(build_installations(database, slack)).routes())
    async with TestClient(TestServer(app)) as client:
        yield client


async def begin(browser: Client) -> dict[str, list[str]]:
    """Open the console, then begin; what Slack is asked."""
    await browser.get(f"{BEGIN_PATH}?token={TOKEN}", allow_redirects=False)
    response = await browser.get(BEGIN_PATH, allow_redirects=False)
    assert response.status == 303
    return parse_qs(urlsplit(response.headers["Location"]).query)


async def come_back(browser: Client, **query: str) -> tuple[int, str]:
    response = await browser.get(REDIRECT_PATH, params=query)
    return response.status, await response.text()


async def test_who_may_not_open_the_console_cannot_install(browser: Client) -> None:
    response = await browser.get(INSTALL_PATH)
    assert (response.status, await response.text()) == (403, "locked")


async def test_an_admin_comes_back_and_the_workspace_has_a_token(
    browser: Client, database: Database, slack: FakeSlack
) -> None:
    slack.grants["code-1"] = CODE
    asked = await begin(browser)
    assert (asked["client_id"], asked["redirect_uri"]) == (["1.2"], [f"http://bot.example{REDIRECT_PATH}"])
    assert asked["scope"] == [",".join(find_scopes())]
    status, page = await come_back(browser, state=asked["state"][0], code="code-1")
    assert (status, "Home &lt;b&gt;" in page) == (200, True)
    assert await build_installations(database, slack).get("T0HOME") == "xoxb-granted"


async def test_a_state_serves_once(browser: Client, slack: FakeSlack) -> None:
    slack.grants |= {"code-1": CODE, "code-2": CODE}
    state = (await begin(browser))["state"][0]
    statuses = [(await come_back(browser, state=state, code=code))[0] for code in ("code-1", "code-2")]
    assert statuses == [200, 400]


@pytest.mark.parametrize(
    "state",
    ["", "guessed", "한국", Fernet(Fernet.generate_key()).encrypt(b"x").decode()],
    ids=["empty", "guessed", "korean", "other_key"],
)
async def test_what_was_not_begun_here_is_turned_away(
    browser: Client, slack: FakeSlack, database: Database, state: str
) -> None:
    slack.grants["code-1"] = CODE
    await begin(browser)
    assert (await come_back(browser, state=state, code="code-1"))[0] == 400
    assert await build_installations(database, slack).find_places() == []


async def test_a_state_of_another_browser_is_turned_away(browser: Client, slack: FakeSlack) -> None:
    slack.grants["code-1"] = CODE
    state = (await begin(browser))["state"][0]
    browser.session.cookie_jar.clear(lambda cookie: cookie.key == COOKIE)
    assert (await come_back(browser, state=state, code="code-1"))[0] == 400


async def test_an_old_state_is_turned_away(browser: Client, slack: FakeSlack) -> None:
    slack.grants["code-1"] = CODE
    await begin(browser)
    old = Fernet(KEY).encrypt_at_time(b"x", 1_700_000_000).decode()
    browser.session.cookie_jar.update_cookies({"nightbake_slack_state": old}, browser.make_url(REDIRECT_PATH))
    assert (await come_back(browser, state=old, code="code-1"))[0] == 400


async def test_a_code_that_slack_does_not_know_is_said(browser: Client) -> None:
    state = (await begin(browser))["state"][0]
    status, page = await come_back(browser, state=state, code="code-9")
    assert (status, "invalid_code" in page) == (502, True)


async def test_an_admin_who_cancels_is_told_how_to_begin_again(browser: Client) -> None:
    state = (await begin(browser))["state"][0]
    status, page = await come_back(browser, state=state, error="access_denied")
    assert (status, INSTALL_PATH in page) == (403, True)


async def test_an_organisation_is_stored_as_one(browser: Client, database: Database, slack: FakeSlack) -> None:
    organisation = {"team": None, "enterprise": {"id": "E0ORG", "name": "Org"}, "is_enterprise_install": True}
    slack.grants["code-1"] = CODE | organisation
    state = (await begin(browser))["state"][0]
    assert (await come_back(browser, state=state, code="code-1"))[0] == 200
    assert await build_installations(database, slack).find_places() == ["E0ORG"]


async def test_when_the_app_is_removed_its_token_is_forgotten(
    browser: Client, database: Database, slack: FakeSlack
) -> None:
    slack.grants["code-1"] = CODE
    await come_back(browser, state=(await begin(browser))["state"][0], code="code-1")
    installations = build_installations(database, slack)
    install = build_install(installations)
    gone: dict[str, Any] = load("app_uninstalled")
    await install.receive_end(gone | {"event_time": 1_700_000_000})
    assert await installations.find_places() == ["T0HOME"]
    await install.receive_end(gone | {"event_time": 4_000_000_000})
    assert await installations.find_places() == []


def test_only_a_bots_token_ends_an_installation() -> None:
    revoked = load("tokens_revoked")
    assert find_ended(revoked) == "T0HOME"
    revoked["event"]["tokens"] = {"oauth": ["U0ANN"], "bot": []}
    assert find_ended(revoked) is None


def test_an_organisations_end_names_the_organisation() -> None:
    gone = load("app_uninstalled")
    gone["authorizations"] = [{"enterprise_id": "E0ORG", "team_id": None, "is_enterprise_install": True}]
    assert find_ended(gone) == "E0ORG"


async def test_the_manifest_announces_what_is_read_where_apps_are_installed_by_oauth(
    database: Database, slack: FakeSlack
) -> None:
    events = SlackEvents(signing_secret=None)
    build_install(build_installations(database, slack)).open_doors(events)
    with_oauth = build_manifest(oauth_url="https://bot.example")["settings"]["event_subscriptions"]["bot_events"]
    without = build_manifest()["settings"]["event_subscriptions"]["bot_events"]
    assert set(with_oauth) - set(without) == events.names("event")
