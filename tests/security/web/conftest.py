"""The web room as tests/bot/web has it, and beside it one whose people sign in."""

from collections.abc import AsyncIterator

import pytest

from bot.web.identity import Rules
from bot.web.oidc import Provider
from bot.web.sign_in import BACK_PATH, SignInSettings
from core.database import Database
from tests.bot.web.conftest import browser, client, site  # noqa: F401
from tests.bot.web.site import Site, run_site
from tests.fakes.openid import CLIENT_ID, CLIENT_SECRET, FakeOpenId

BASE_URL = "http://nightbake.test"
RULES = Rules(reviewers=frozenset({"reviewers"}), admins=frozenset({"admins"}))


@pytest.fixture
async def openid() -> AsyncIterator[FakeOpenId]:
    async with FakeOpenId() as openid:
        yield openid


def build_sign_in(openid: FakeOpenId, *, base_url: str = BASE_URL, rules: Rules = RULES) -> SignInSettings:
    provider = Provider(
        issuer=openid.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        scopes="openid email profile",
        redirect_uri=base_url + BACK_PATH,
    )
    return SignInSettings(provider, rules, CLIENT_SECRET)


@pytest.fixture
async def guarded(database: Database, openid: FakeOpenId) -> AsyncIterator[Site]:
    """A site whose people sign in at `openid`."""
    async with run_site(database, sign_in=build_sign_in(openid)) as opened:
        yield opened
