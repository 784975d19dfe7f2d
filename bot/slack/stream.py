"""One streamed message: Slack appends to it what we send, until it is stopped, expires after minutes, or is refused.

What was sent is kept here, because a stream that has ended keeps nothing back; who gets a SlackError edits the message
instead and says it all again.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.markdown import settle_start
from bot.slack.api import SlackApi
from bot.slack.blocks import Block
from bot.slack.markdown import make_safe
from bot.slack.names import find_user

# Slack's limit of one call, and of what one message may hold beside its sources.
STREAM_CHARACTERS = 12_000


class SlackStream:
    """A message under way.

    Attributes:
        key: `channel:ts` of the message.
        sent: everything appended so far.
    """

    def __init__(self, api: SlackApi, team: str, key: str, status: str) -> None:
        self._api = api
        self._team = team
        self._status = status
        self.key = key
        self.sent = ""

    @classmethod
    async def start(cls, api: SlackApi, place: dict[str, Any], status: str) -> "SlackStream":
        """Begin with a line that says what is being done.

        Args:
            place: payload of the question.

        Raises:
            SlackError: here nothing can be streamed, or not now.
        """
        response = await api.call(
            place["team"],
            "chat.startStream",
            channel=place["channel"],
            thread_ts=place["thread_ts"],
            recipient_team_id=place.get("user_team") or place["team"],
            recipient_user_id=find_user(place["person"]),
            chunks=[_task(status, "in_progress")],
        )
        return cls(api, place["team"], f"{response.get('channel') or place['channel']}:{response['ts']}", status)

    def find_rest(self, text: str) -> str | None:
        """What is to be appended for the message to show `text`, a growing answer; None where it does not extend it."""
        shown = make_safe(settle_start(text))
        if len(shown) > STREAM_CHARACTERS or not shown.startswith(self.sent):
            return None
        return shown[len(self.sent) :]

    async def append(self, rest: str) -> None:
        """Send more; where Slack wants a pause it is not sent, for the next piece holds it too.

        Raises:
            SlackError: the stream has ended, or `RATE_LIMITED`.
        """
        await self._call("chat.appendStream", self._api.offer, chunks=[_words(rest)])
        self.sent += rest

    async def stop(self, rest: str = "", blocks: list[Block] | None = None) -> None:
        """End with the last words and what stands under them.

        Raises:
            SlackError: it has ended before; nothing of this was taken.
        """
        chunks = [_task(self._status, "complete"), *([_words(rest)] if rest else [])]
        under = {"blocks": blocks} if blocks else {}
        await self._call("chat.stopStream", self._api.call, chunks=chunks, session_status="active", **under)

    async def _call(self, method: str, send: Callable[..., Awaitable[Any]], **arguments: Any) -> None:
        channel, ts = self.key.split(":")
        await send(self._team, method, channel=channel, ts=ts, **arguments)


def _words(text: str) -> dict[str, str]:
    return {"type": "markdown_text", "text": text}


def _task(title: str, status: str) -> dict[str, str]:
    return {"type": "task_update", "id": "answer", "title": title, "status": status}
