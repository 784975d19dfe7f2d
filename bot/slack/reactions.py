"""Thumbs under an answer: given, taken back, in any skin colour."""

from collections.abc import Mapping
from typing import Any

from bot.inbox import Event, Inbox
from bot.slack.emoji import Emoji
from bot.slack.events import SlackEvents, find_bot_user, find_team
from bot.slack.names import name_person, read_seconds

EVENT_SCOPES = {"reaction_added": "reactions:read", "reaction_removed": "reactions:read"}

_THUMBS = Emoji()


def add_reactions(events: SlackEvents, inbox: Inbox, emoji: Emoji = _THUMBS) -> None:
    """Take thumbs, and what else counts as one."""

    async def receive(body: dict[str, Any]) -> None:
        if event := to_feedback(body, emoji):
            await inbox.receive(event)

    for name in EVENT_SCOPES:
        events.on("event", name, receive)


def to_feedback(body: Mapping[str, Any], emoji: Emoji = _THUMBS) -> Event | None:
    """Taking a thumb back names the vote that it takes back, for a person may hold both; None where it is no thumb."""
    event: Mapping[str, Any] = body["event"]
    item: Mapping[str, Any] = event["item"]
    vote = emoji.find_vote(event["reaction"])
    if vote is None or item.get("type") != "message" or event["user"] == find_bot_user(body):
        return None
    team, reply_key = find_team(body), f"{item['channel']}:{item['ts']}"
    payload: dict[str, Any] = {
        "reply_key": reply_key,
        "person": name_person(team, event["user"]),
        "source": "slack_reaction",
        "value": vote if event["type"] == "reaction_added" else 0,
    }
    if event["type"] == "reaction_removed":
        payload["withdraws"] = vote
    if said_at := read_seconds(event.get("event_ts")):
        payload["said_at"] = said_at
    return Event("slack", f"event:{body['event_id']}", f"slack:{team}:{reply_key}", "feedback", payload)
