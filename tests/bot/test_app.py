"""The service as it is put together."""

from typing import Any

from pydantic import SecretStr

from bot.app import Bot
from bot.experts import CONSENT, REPLY, REQUEST
from bot.inbox import Event, Inbox
from bot.more import MORE, SHARE
from bot.slack.admin import KIND as ADMIN_ACT
from bot.slack.home import ASK_AGAIN
from bot.slack.recovery import KIND as RECOVERY
from core.adapters import Adapters
from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.model_server import ModelServer
from core.settings import load_settings
from tests.bot.assistant import OneDocument, build_answerer, settle

# Events that name nothing of ours, so that handling them calls nobody.
PAYLOADS: dict[str, dict[str, Any]] = {
    "feedback": {"reply_key": "C0:1", "person": "slack:T0:U0", "value": 1, "source": "slack_reaction"},
    REQUEST: {"interaction_id": 4711, "person": "slack:T0:U0"},
    REPLY: {"thread_key": "C0:1", "reply_key": "C0:2", "person": "slack:T0:U0", "text": "25 days"},
    CONSENT: {"reply_id": 4711, "person": "slack:T0:U0"},
    ADMIN_ACT: {"act": "approve", "run_id": 4711, "team": "T0", "user": "U0", "person": "slack:T0:U0"},
    RECOVERY: {"since": 0},
    MORE: {"more_of": 4711, "person": "slack:T0:U0"},
    SHARE: {"interaction_id": 4711, "person": "slack:T0:U0"},
    ASK_AGAIN: {"interaction_id": 4711, "team": "T0", "user": "U0"},
}


def build_bot(database: Database, model_server: ModelServer) -> Bot:
    """With Slack over HTTP."""
    unused: Any = None
    settings = load_settings(
        port=0,
        slack_bot_token=SecretStr("xoxb-1"),
        slack_signing_secret=SecretStr("secret"),
        slack_emoji_up="+1,tada",
        slack_expert_channel="C0EXPERT",
        slack_admin_channel="C0ADMIN",
        slack_admins="U0,U1",
    )
    return Bot(
        settings=settings,
        database=database,
        interactions=Interactions(database),
        feedback=FeedbackLog(database),
        adapters=Adapters(database),
        serving=unused,
        answerer=build_answerer(database, OneDocument(), model_server),
        places=unused,
        find_principals=unused,
        admin_token="token",
        run_night=None,
        model_server=model_server,
        forgetting=unused,
    )


async def test_every_kind_of_event_of_slack_has_a_handler(database: Database) -> None:
    model_server, inbox = ModelServer("http://127.0.0.1:9", "base"), Inbox(database)
    async with build_bot(database, model_server) as bot:
        for kind, payload in PAYLOADS.items():
            await inbox.receive(Event("slack", kind, f"slack:{kind}", kind, payload))
        await settle(inbox)
    await model_server.close()
    assert bot.platforms == ["slack", "web"]
    assert await database.fetch_dicts(b"SELECT kind, error FROM inbox WHERE buried_at IS NOT NULL") == []
    assert await database.fetch_dicts(b"SELECT kind FROM inbox WHERE attempts > 1") == []


async def test_a_start_asks_for_what_slack_could_not_deliver(database: Database) -> None:
    model_server, inbox = ModelServer("http://127.0.0.1:9", "base"), Inbox(database)
    for _ in range(2):
        async with build_bot(database, model_server):
            await inbox.receive(Event("slack", "vote", "slack:vote", "feedback", PAYLOADS["feedback"]))
            await settle(inbox)
    await model_server.close()
    assert [row["kind"] for row in await database.fetch_dicts(b"SELECT kind FROM inbox ORDER BY id")] == [
        "feedback",
        RECOVERY,
    ]
