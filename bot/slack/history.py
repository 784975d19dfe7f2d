"""What was posted in a room or a thread since a moment, as far as Slack lets us read it."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from bot.slack.api import SlackApi, SlackError

log = logging.getLogger(__name__)

PAGE_POSTS, MOST_PAGES = 200, 5
# Slack takes about 50 readings a minute of a workspace.
PAUSE_SECONDS = 1.2
# Slack's words for a place that we have left, or may not read: it is left out. Anything else is worth another attempt.
CLOSED = {
    "access_denied",
    "account_inactive",
    "channel_not_found",
    "invalid_auth",
    "is_archived",
    "missing_scope",
    "no_permission",
    "not_in_channel",
    "thread_not_found",
    "token_revoked",
}

Post = Mapping[str, Any]


class History:
    """Reads page by page, slowly."""

    def __init__(self, api: SlackApi, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._api = api
        self._pause_seconds = pause_seconds

    async def find_bot_user(self, team: str) -> str | None:
        """Our own user in a workspace; None where the app is no longer installed.

        Raises:
            SlackError: Slack is away.
        """
        try:
            return (await self._api.call(team, "auth.test"))["user_id"]
        except SlackError as error:
            _check_closed(error, team)
            return None

    async def read_room(self, team: str, channel: str, since: float) -> list[Post]:
        """Posts of a room outside of its threads, in any order; empty where it cannot be read.

        Raises:
            SlackError: Slack is away.
        """
        posts: list[Post] = []
        cursor: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            place = {"channel": channel, "oldest": f"{since:.6f}", "limit": PAGE_POSTS}
            try:
                page = await self._api.call(team, "conversations.history", **place, **cursor)
            except SlackError as error:
                _check_closed(error, channel)
                return posts
            posts += page.get("messages") or []
            await asyncio.sleep(self._pause_seconds)
            following: Mapping[str, str] = page.get("response_metadata") or {}
            if not (following.get("next_cursor") and page.get("has_more")):
                return posts
            cursor = {"cursor": following["next_cursor"]}
        log.warning("a room holds more than is read", extra={"channel": channel, "posts": len(posts)})
        return posts

    async def read_thread(self, team: str, channel: str, thread_ts: str, since: float) -> list[Post]:
        """Posts of a thread, at most a page; empty where it cannot be read.

        Raises:
            SlackError: Slack is away.
        """
        place = {"channel": channel, "ts": thread_ts, "oldest": f"{since:.6f}", "limit": PAGE_POSTS}
        try:
            page = await self._api.call(team, "conversations.replies", **place)
        except SlackError as error:
            _check_closed(error, channel)
            return []
        await asyncio.sleep(self._pause_seconds)
        return page.get("messages") or []


def _check_closed(error: SlackError, place: str) -> None:
    if error.reason not in CLOSED:
        raise error
    log.warning("a place could not be read", extra={"place": place, "error": str(error)})
