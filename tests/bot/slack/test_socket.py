"""Socket Mode against a real WebSocket server: delivery, acknowledgement, and a connection that died silently."""

from collections.abc import AsyncIterator

import pytest

from bot.inbox import Inbox
from bot.slack.api import build_client
from bot.slack.events import SlackEvents
from bot.slack.posts import add_posts
from bot.slack.reactions import add_reactions
from bot.slack.socket import SlackSocket
from core.database import Database
from tests.bot.slack.conftest import load
from tests.eventually import eventually
from tests.fakes.slack import BOT_TOKEN, FakeSlack


@pytest.fixture
async def socket(database: Database, slack: FakeSlack) -> AsyncIterator[SlackSocket]:
    events, inbox = SlackEvents(signing_secret=None), Inbox(database)
    add_posts(events, inbox)
    add_reactions(events, inbox)
    socket = SlackSocket(
        app=events.app,
        client=build_client(BOT_TOKEN, api_url=slack.api_url),
        app_token="xapp-of-the-tests",
        silent_seconds=3600,
        ping_seconds=60,
    )
    await socket.start()
    await eventually(socket.is_connected)
    yield socket
    await socket.stop()


async def test_an_event_is_stored_before_it_is_acknowledged(
    database: Database, slack: FakeSlack, socket: SlackSocket
) -> None:
    async def is_acknowledged() -> bool:
        return slack.acknowledged == ["envelope-1"]

    await slack.send("envelope-1", load("app_mention"))
    await eventually(is_acknowledged)
    assert len(await database.fetch_dicts(b"SELECT id FROM inbox")) == 1


async def test_an_event_that_cannot_be_stored_is_not_acknowledged(
    database: Database, slack: FakeSlack, socket: SlackSocket
) -> None:
    async def is_acknowledged() -> bool:
        return bool(slack.acknowledged)

    await database.execute(b"ALTER TABLE inbox ADD CONSTRAINT no_mention CHECK (kind <> 'question') NOT VALID")
    await slack.send("envelope-1", load("app_mention"))
    await slack.send("envelope-2", load("reaction_added"))
    await eventually(is_acknowledged)
    assert slack.acknowledged == ["envelope-2"]


async def test_a_silent_connection_is_replaced(slack: FakeSlack, socket: SlackSocket) -> None:
    async def is_new() -> bool:
        return len(slack.links) == 2 and await socket.is_connected()

    assert not await socket.turn()
    socket._silent_seconds = 0
    assert await socket.turn()
    socket._silent_seconds = 3600
    await eventually(is_new)
    assert socket.reconnects == 1


async def test_a_connection_on_which_reconnecting_did_not_help_is_not_heard(
    slack: FakeSlack, socket: SlackSocket
) -> None:
    assert await socket.is_heard()
    socket._silent_seconds = 0
    await socket.turn()
    assert not await socket.is_heard()
