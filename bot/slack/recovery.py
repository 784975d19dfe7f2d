"""Events that were missed while Slack could not reach us: posts are read from the history and go through their doors.

A post's key in the inbox follows from its channel and time, so what came in before is no second question.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bot.inbox import Claimed, Event, Inbox
from bot.slack.events import SlackEvents
from bot.slack.history import History, Post
from bot.slack.names import name_person
from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)

KIND = "recovery"
# Clocks differ, and the last event may have been under way.
MARGIN_SECONDS = 60.0
# An answer after more than a day is no answer.
LONGEST_SECONDS = 24 * 3600.0
# Where people have asked us of late; the most lately used come first.
ACTIVE_DAYS = 14
MOST_KNOWN, MOST_ROOMS, MOST_THREADS = 1_000, 100, 50
# Threads outlive their last post by this, as far as they are looked into.
THREAD_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class _Thread:
    """A thread of ours.

    Attributes:
        room: what Slack calls the kind of channel, where it said so.
        external: whether people of another company may be in the channel.
        first_ts: of the first question in it, since which no mention is needed.
    """

    team: str
    channel: str
    thread_ts: str
    room: str | None
    external: bool
    first_ts: float
    last_ts: float


@dataclass(frozen=True, slots=True)
class _Last:
    received_at: float | None


@dataclass(frozen=True, slots=True)
class _Erased:
    key: str


class Recovery:
    """Asks for what was missed, and takes it in."""

    def __init__(self, *, events: SlackEvents, history: History, inbox: Inbox, database: Database) -> None:
        self._events = events
        self._history = history
        self._inbox = inbox
        self._database = database

    async def ask(self, since: float | None) -> None:
        """Store that events are missing; replicas that ask for the same within a minute get it once.

        Args:
            since: Unix time at which Slack was last heard; None takes the last event that was stored.
        """
        if since is None:
            last = await self._database.fetch_one(QUERIES["find_last"], {"kind": KIND}, _Last)
            if last is None or last.received_at is None:
                return
            since = last.received_at
        now = time.time()
        payload = {"since": max(since - MARGIN_SECONDS, now - LONGEST_SECONDS)}
        key = f"{KIND}:{since:.0f}:{now // 60:.0f}"
        await self._inbox.receive(Event("slack", key, "slack:recovery", KIND, payload))

    async def take(self, claimed: Claimed) -> None:
        """Read rooms and threads in which we were active, and hand on what was posted there, oldest first.

        Raises:
            SlackError: Slack is away.
        """
        since: float = claimed.payload["since"]
        parameters = {"days": ACTIVE_DAYS, "limit": MOST_KNOWN}
        known = await self._database.fetch_all(QUERIES["find_threads"], parameters, _Thread)
        for team in dict.fromkeys(thread.team for thread in known):
            own = [thread for thread in known if thread.team == team]
            if bot_user := await self._history.find_bot_user(team):
                await self._recover(team, bot_user, own, since)

    async def _recover(self, team: str, bot_user: str, known: Sequence[_Thread], since: float) -> None:
        """One workspace."""
        rooms = {thread.channel: thread for thread in known}
        ours = {(thread.channel, thread.thread_ts): thread for thread in known}
        for channel, post in await self._read(team, known, since):
            thread = ours.get((channel, post.get("thread_ts") or post["ts"]))
            is_mention = f"<@{bot_user}" in (post.get("text") or "") and not channel.startswith("D")
            if is_mention or _is_new(post, thread):
                await self._events.take(_make_body(team, bot_user, rooms[channel], post, is_mention=is_mention))

    async def _read(self, team: str, known: Sequence[_Thread], since: float) -> list[tuple[str, Post]]:
        """Each post since then once, with its channel, oldest first."""
        found: dict[tuple[str, str], Post] = {}
        # The first use of a channel counts, so the most lately used rooms come first.
        for channel in islice(dict.fromkeys(thread.channel for thread in known), MOST_ROOMS):
            posts = await self._history.read_room(team, channel, since)
            found |= {(channel, post["ts"]): post for post in posts}
        for channel, thread_ts in islice(_choose_threads(known, found, since), MOST_THREADS):
            posts = await self._history.read_thread(team, channel, thread_ts, since)
            found |= {(channel, post["ts"]): post for post in posts}
        # A thread is always given with its first post.
        missed = {place: post for place, post in found.items() if float(place[1]) >= since}
        erased = await self._find_erased(team, missed)
        in_order = sorted(missed.items(), key=lambda item: float(item[0][1]))
        return [(channel, post) for (channel, ts), post in in_order if f"{channel}:{ts}" not in erased]

    async def _find_erased(self, team: str, posts: Mapping[tuple[str, str], Post]) -> set[str]:
        """Posts, by `channel:ts`, that may be of somebody who was forgotten since: those must not come back."""
        parameters = {
            "keys": [f"{channel}:{ts}" for channel, ts in posts],
            "people": [name_person(team, post.get("user") or "") for post in posts.values()],
            "times": [float(ts) for _, ts in posts],
        }
        return {row.key for row in await self._database.fetch_all(QUERIES["find_erased"], parameters, _Erased)}


def _is_new(post: Post, thread: _Thread | None) -> bool:
    """Whether the doors may judge it as they would have then: what people said in a thread before us is not for us."""
    if post.get("thread_ts") in (None, post["ts"]):
        return True
    return thread is not None and float(post["ts"]) > thread.first_ts


def _choose_threads(
    known: Iterable[_Thread], found: Mapping[tuple[str, str], Post], since: float
) -> Iterable[tuple[str, str]]:
    """Threads with replies that were just found, and those of ours that may have gone on; each once."""
    replied = [
        (channel, post["thread_ts"])
        for (channel, _), post in found.items()
        if post.get("thread_ts") and float(post.get("latest_reply") or 0) >= since
    ]
    ours = [(thread.channel, thread.thread_ts) for thread in known if thread.last_ts >= since - THREAD_SECONDS]
    return dict.fromkeys([*replied, *ours])


def _make_body(team: str, bot_user: str, room: _Thread, post: Post, *, is_mention: bool) -> dict[str, Any]:
    """The post as Slack would have sent it."""
    return {
        "type": "event_callback",
        "team_id": team,
        "event_id": f"history:{room.channel}:{post['ts']}",
        "event": {
            **post,
            "type": "app_mention" if is_mention else "message",
            "channel": room.channel,
            "channel_type": "im" if room.channel.startswith("D") else room.room,
        },
        "authorizations": [{"team_id": team, "user_id": bot_user, "is_bot": True}],
        "is_ext_shared_channel": room.external,
    }
