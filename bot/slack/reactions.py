"""Thumbs under an answer: given, taken back, in any skin colour."""

from collections.abc import Mapping
from typing import Any

from bot.inbox import Event, Inbox
from bot.slack.events import SlackEvents, find_bot_user, find_team
from bot.slack.posts import name_person
from core.records import Vote

EVENT_SCOPES = {"reaction_added": "reactions:read", "reaction_removed": "reactions:read"}

_THUMBS: dict[str, Vote] = {"+1": 1, "thumbsup": 1, "-1": -1, "thumbsdown": -1}


def add_reactions(events: SlackEvents, inbox: Inbox) -> None:
    """Take thumbs."""

    async def receive(body: dict[str, Any]) -> None:
        if event := to_feedback(body):
            await inbox.receive(event)

    for name in EVENT_SCOPES:
        events.on("event", name, receive)


def to_feedback(body: Mapping[str, Any]) -> Event | None:
    """Taking a thumb back names the vote that it takes back, for a person may hold both; None where it is no thumb."""
    event: Mapping[str, Any] = body["event"]
    item: Mapping[str, Any] = event["item"]
    vote = _THUMBS.get(event["reaction"].split("::")[0])
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
    return Event("slack", f"event:{body['event_id']}", f"slack:{team}:{reply_key}", "feedback", payload)
