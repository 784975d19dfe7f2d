"""The service as it is put together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from bot.app import Bot
from bot.changes import DELETION
from bot.experts import CONSENT, REPLY, REQUEST
from bot.inbox import Event, Inbox
from bot.more import MORE, SHARE
from bot.slack.admin import KIND as ADMIN_ACT
from bot.slack.home import ASK_AGAIN
from bot.slack.recovery import KIND as RECOVERY
from bot.teams.admin import KIND as TEAMS_ADMIN_ACT
from core.adapters import Adapters
from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.model_server import ModelServer
from core.records import Platform
from core.settings_loading import load_settings
from tests.bot.assistant import OneDocument, build_answerer, settle

# Events that name nothing of ours, so that handling them calls nobody.
PAYLOADS: dict[str, dict[str, Any]] = {
    "feedback": {"reply_key": "C0:1", "person": "slack:T0:U0", "value": 1, "source": "slack_reaction"},
    REQUEST: {"interaction_id": 4711, "person": "slack:T0:U0"},
    REPLY: {"thread_key": "C0:1", "reply_key": "C0:2", "person": "slack:T0:U0", "text": "25 days"},
    CONSENT: {"reply_id": 4711, "person": "slack:T0:U0"},
}
OF_SLACK: dict[str, dict[str, Any]] = {
    ADMIN_ACT: {"act": "approve", "run_id": 4711, "team": "T0", "user": "U0", "person": "slack:T0:U0"},
    RECOVERY: {"since": 0},
    MORE: {"more_of": 4711, "person": "slack:T0:U0"},
    SHARE: {"interaction_id": 4711, "person": "slack:T0:U0"},
    ASK_AGAIN: {"interaction_id": 4711, "team": "T0", "user": "U0"},
}
OF_TEAMS: dict[str, dict[str, Any]] = {
    DELETION: {"post": "a:1|1"},
    MORE: {"more_of": 4711, "person": "teams:tenant:a"},
    SHARE: {"interaction_id": 4711, "person": "teams:tenant:a"},
    TEAMS_ADMIN_ACT: {"act": "approve", "run_id": 4711, "person": "teams:tenant:a", "message": "1"},
}


SLACK: dict[str, Any] = {
    "slack_bot_token": SecretStr("xoxb-1"),
    "slack_signing_secret": SecretStr("secret"),
    "slack_emoji_up": "+1,tada",
    "slack_expert_channel": "C0EXPERT",
    "slack_admin_channel": "C0ADMIN",
    "slack_admins": "U0,U1",
}
TEAMS: dict[str, Any] = {
    "teams_app_id": "app",
    "teams_app_password": SecretStr("password"),
    "teams_tenant_id": "tenant",
    "teams_expert_channel": "19:experts@thread.tacv2",
    "teams_admin_chat": "19:admins@thread.v2",
    "teams_admins": "a",
}


@asynccontextmanager
async def open_bot(database: Database, **settings: Any) -> AsyncGenerator[Bot]:
    """The service with these settings and no model."""
    unused: Any = None
    model_server = ModelServer("http://127.0.0.1:9", "base")
    bot = Bot(
        settings=load_settings(port=0, **settings),
        database=database,
        interactions=Interactions(database),
        feedback=FeedbackLog(database),
        adapters=Adapters(database),
        serving=unused,
        answerer=build_answerer(database, OneDocument(), model_server),
        places=unused,
        find_principals=unused,
        run_night=None,
        model_server=model_server,
        forgetting=unused,
    )
    async with bot:
        yield bot
    await model_server.close()


@pytest.mark.parametrize(("platform", "settings"), [("slack", SLACK), ("teams", TEAMS)])
async def test_every_kind_of_event_has_a_handler(
    database: Database, platform: Platform, settings: dict[str, Any]
) -> None:
    inbox, payloads = Inbox(database), PAYLOADS | (OF_SLACK if platform == "slack" else OF_TEAMS)
    async with open_bot(database, **settings):
        for kind, payload in payloads.items():
            await inbox.receive(Event(platform, kind, f"{platform}:{kind}", kind, payload))
        await settle(inbox)
    assert await database.fetch_dicts(b"SELECT kind, error FROM inbox WHERE buried_at IS NOT NULL") == []
    assert await database.fetch_dicts(b"SELECT kind FROM inbox WHERE attempts > 1") == []


async def test_a_start_asks_for_what_slack_could_not_deliver(database: Database) -> None:
    inbox = Inbox(database)
    for _ in range(2):
        async with open_bot(database, **SLACK):
            await inbox.receive(Event("slack", "vote", "slack:vote", "feedback", PAYLOADS["feedback"]))
            await settle(inbox)
    assert [row["kind"] for row in await database.fetch_dicts(b"SELECT kind FROM inbox ORDER BY id")] == [
        "feedback",
        RECOVERY,
    ]


@pytest.mark.parametrize(
    ("settings", "platforms"),
    [
        ({}, ["web"]),
        (SLACK, ["slack", "web"]),
        (TEAMS, ["teams", "web"]),
        (SLACK | TEAMS, ["slack", "teams", "web"]),
        ({"teams_without_authentication": True}, ["teams", "web"]),
    ],
    ids=["neither", "slack", "teams", "both", "a local client"],
)
async def test_it_starts_with_each_either_and_neither(
    database: Database, settings: dict[str, Any], platforms: list[str]
) -> None:
    async with open_bot(database, **settings) as bot:
        assert bot.platforms == platforms
