"""Posts as questions: a mention or a direct message of a person, a mention of a workflow; the rest is dropped."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.inbox import Event, Inbox
from bot.slack.events import SlackEvents, find_bot_user, find_team
from bot.slack.names import name_conversation, name_person, name_post

# Each event that is read here, and the scope that Slack asks for it.
EVENT_SCOPES = {"app_mention": "app_mentions:read", "message.im": "im:history"}

# Posts of a person; every other subtype is an edit, a deletion, a notice of Slack's or a bot's word.
PERSONAL_SUBTYPES = {None, "file_share", "thread_broadcast"}

_MARKUP = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def add_posts(events: SlackEvents, inbox: Inbox) -> None:
    """Take mentions; other posts come in by `threads.py`."""

    async def receive(body: dict[str, Any]) -> None:
        if event := to_question(body):
            await inbox.receive(event)

    events.on("event", "app_mention", receive)


def to_question(body: Mapping[str, Any]) -> Event | None:
    """One row a post: a mention is delivered as `app_mention` and, in some rooms, as `message` too."""
    event: Mapping[str, Any] = body["event"]
    if event["type"] == "message" and event.get("channel_type") != "im":
        return None
    return read_post(body, event)


def read_post(body: Mapping[str, Any], event: Mapping[str, Any]) -> Event | None:
    """A post as a question; None where neither a person nor a workflow asks it.

    A workflow has no rights of its own: it is answered with what its room may read, and told nothing more.

    Args:
        event: the post, which in an edit stands inside the event.
    """
    by_workflow = is_asked_by_workflow(event)
    if not (by_workflow or is_personal(body, event)) or not event.get("channel"):
        return None
    team, channel, ts = find_team(body), event["channel"], event["ts"]
    thread_ts = event.get("thread_ts") or ts
    payload = {
        "text": read_text(event.get("text") or "", find_bot_user(body)),
        "team": team,
        "person": name_person(team, event["bot_id"] if by_workflow else event["user"]),
        "user_team": event.get("user_team") or event.get("team") or team,
        "room": event.get("channel_type"),
        "channel": channel,
        "thread_ts": thread_ts,
        "ts": ts,
        "post": name_post(channel, ts),
        "said_at": read_time(ts).isoformat(),
        "direct": event.get("channel_type") == "im",
        "external": bool(body.get("is_ext_shared_channel")),
    }
    if by_workflow:
        payload["by_workflow"] = True
    return Event("slack", f"post:{payload['post']}", name_conversation(team, channel, thread_ts), "question", payload)


def read_time(ts: str | float) -> datetime:
    """When something was posted.

    Raises:
        ValueError: no time that a calendar knows.
    """
    try:
        return datetime.fromtimestamp(float(ts), UTC)
    except (OSError, OverflowError) as error:
        raise ValueError(f"expected a time of Slack, got {ts!r}") from error


def is_personal(body: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether a person posted it: not a bot, a workflow, Slack itself or our own echo."""
    user = event.get("user")
    if not user or event.get("bot_id") or user in (find_bot_user(body), "USLACKBOT"):
        return False
    return event.get("subtype") in PERSONAL_SUBTYPES


def is_asked_by_workflow(event: Mapping[str, Any]) -> bool:
    """Whether a workflow mentions us in a post of its own: within a thread it might talk with us without end."""
    profile: Mapping[str, Any] = event.get("bot_profile") or {}
    is_flow = bool(event.get("workflow_id") or profile.get("is_workflow_bot"))
    return bool(is_flow and event.get("bot_id") and event.get("type") == "app_mention" and "thread_ts" not in event)


def read_text(text: str, bot_user: str | None) -> str:
    """A post's text as it was typed: our mention gone, Slack's markup and escapes undone."""
    own = f"@{bot_user}"
    plain = _MARKUP.sub(lambda mark: "" if mark[1] + mark[2] == own else _read_mark(mark), text)
    for escaped, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        plain = plain.replace(escaped, character)
    return plain.strip()


def _read_mark(mark: re.Match[str]) -> str:
    sign, target, label = mark.groups()
    shown = label or target
    return f"{sign.replace('!', '@')}{shown.removeprefix('@')}" if sign else shown
