"""Socket Mode against a real WebSocket server: delivery, acknowledgement, and a connection that died silently."""

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

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

    await socket.turn()
    assert socket.reconnects == 0
    socket._silent_seconds = 0
    await socket.turn()
    socket._silent_seconds = 3600
    await eventually(is_new)
    assert socket.reconnects == 1


class Returns:
    """Notes who came back; the first time it fails, as where the database is away."""

    def __init__(self) -> None:
        self.asked = 0
        self.since: list[float | None] = []

    async def __call__(self, since: float | None) -> None:
        self.asked += 1
        if self.asked == 1:
            raise ConnectionError
        self.since.append(since)


@asynccontextmanager
async def watched(
    slack: FakeSlack, returns: Returns, *, silent_seconds: float = 1.0, ping_seconds: float = 0.1
) -> AsyncGenerator[SlackSocket]:
    """A connection whose watchdog is impatient; the SDK's own waits for four pings."""
    socket = SlackSocket(
        app=SlackEvents(signing_secret=None).app,
        client=build_client(BOT_TOKEN, api_url=slack.api_url),
        app_token="xapp-of-the-tests",
        silent_seconds=silent_seconds,
        look_seconds=0.05,
        ping_seconds=ping_seconds,
        on_return=returns,
    )
    await socket.start()
    try:
        yield socket
    finally:
        await socket.stop()


async def test_a_return_after_silence_says_since_when(slack: FakeSlack) -> None:
    returns = Returns()

    async def has_returned(times: int) -> bool:
        return len(returns.since) == times

    async def is_silent() -> bool:
        return not await socket.is_heard()

    async with watched(slack, returns) as socket:
        await eventually(lambda: has_returned(1))
        began = time.time()
        slack.mute = True
        await slack.links[-1].close()
        await eventually(is_silent)
        assert socket.reconnects >= 1
        slack.mute = False
        await eventually(lambda: has_returned(2))
        assert await socket.is_heard()
    first, second = returns.since
    assert first is None and second is not None and began - 1 <= second <= time.time()


async def test_a_connection_that_answers_pings_is_not_silent(slack: FakeSlack) -> None:
    returns = Returns()

    async def has_been_quiet() -> bool:
        return len(returns.since) == 1 and time.time() - began > 8

    async with watched(slack, returns, silent_seconds=4.0, ping_seconds=1.0) as socket:
        began = time.time()
        await eventually(has_been_quiet)
        assert (socket.reconnects, len(slack.links)) == (0, 1)


async def test_an_address_that_is_no_longer_good_is_replaced(slack: FakeSlack) -> None:
    returns = Returns()
    slack.link_path = "/gone"

    async def is_away() -> bool:
        return not await socket.is_heard()

    async def has_returned() -> bool:
        return bool(returns.since)

    async with watched(slack, returns) as socket:
        await eventually(is_away)
        slack.link_path = "/link"
        await eventually(has_returned)
        assert socket.reconnects >= 1
