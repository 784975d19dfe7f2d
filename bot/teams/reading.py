"""What an activity says: who, where, to whom, which words. Pure; nothing here decides what becomes of it."""

import html
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.teams.auth import find_tenants
from core.prompt import Language

Activity = Mapping[str, Any]

_AT = re.compile(r"</?at\b[^>]*>", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/div|/li)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_REFERENCE_FIELDS = ("channelId", "serviceUrl", "conversation", "locale")


def is_own(activity: Activity) -> bool:
    """Whether it is our own echo, another bot's word, or nobody's."""
    sender: Activity = activity.get("from") or {}
    recipient: Activity = activity.get("recipient") or {}
    return not sender.get("id") or sender["id"] == recipient.get("id") or sender.get("role") == "bot"


def is_direct(activity: Activity) -> bool:
    """Whether one person writes to us alone."""
    conversation = activity["conversation"]
    return conversation.get("conversationType", "personal") == "personal" and not conversation.get("isGroup")


def is_mentioned(activity: Activity) -> bool:
    """Whether it names us."""
    own = activity["recipient"]["id"]
    return any(entity["mentioned"].get("id") == own for entity in find_mentions(activity))


def find_mentions(activity: Activity) -> list[Activity]:
    """Entities that name somebody."""
    entities: list[Activity] = activity.get("entities") or []
    return [entity for entity in entities if entity.get("type") == "mention" and entity.get("mentioned")]


def read_text(activity: Activity) -> str:
    """The message as it was typed: our mention gone, other mentions as their names, entities undone."""
    text: str = activity.get("text") or ""
    for entity in find_mentions(activity):
        if entity["mentioned"].get("id") == activity["recipient"]["id"] and entity.get("text"):
            text = text.replace(entity["text"], "")
    return html.unescape(_AT.sub("", text)).replace("\xa0", " ").strip()


def read_html(content: str) -> str:
    """The words of a message in HTML."""
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", content))).replace("\xa0", " ").strip()


def read_quoted(activity: Activity) -> str | None:
    """The message that this one answers, as far as Teams shows it; None where it answers none, or one of ours."""
    attachments: list[Activity] = activity.get("attachments") or []
    for attachment in attachments:
        if attachment.get("contentType") != "messageReference":
            continue
        try:
            read: Any = json.loads(attachment.get("content") or "{}")
        except (ValueError, TypeError):
            return None
        if not isinstance(read, dict) or _is_from_app(read):  # type: ignore[reportUnknownArgumentType]
            return None
        return str(read.get("messagePreview") or "") or None  # type: ignore[reportUnknownMemberType]
    return None


def _is_from_app(quoted: Activity) -> bool:
    sender: Activity = quoted.get("messageSender") or {}
    return bool(sender.get("application"))


def find_tenant(activity: Activity) -> str:
    """The sender's tenant; empty where a local client names none."""
    return next(iter(sorted(find_tenants(activity))), "")


def name_person(activity: Activity) -> str:
    """The sender as the log knows them."""
    sender = activity["from"]
    return f"teams:{find_tenant(activity)}:{sender.get('aadObjectId') or sender['id']}"


def name_conversation(activity: Activity) -> str:
    """Where answers keep their order: a chat, or one thread of a channel."""
    return f"teams:{find_tenant(activity)}:{activity['conversation']['id']}"


def find_room(conversation_id: str) -> str:
    """The chat or channel without its thread, which some activities leave out."""
    return conversation_id.partition(";")[0]


def name_room(tenant: str, conversation_id: str) -> str:
    """A chat, channel or team as the directory knows it."""
    return f"teams:{tenant}:{conversation_id}"


def read_team(activity: Activity) -> dict[str, Any] | None:
    """The channel's kind and the group behind its team, as far as Teams says; None where it is no channel."""
    channel: Activity = activity.get("channelData") or {}
    team: Activity = channel.get("team") or {}
    if activity["conversation"].get("conversationType") != "channel" and not team:
        return None
    kind: Activity = channel.get("channel") or {}
    return {"type": kind.get("type"), "group": team.get("aadGroupId")}


def find_roster(activity: Activity) -> str:
    """The conversation whose members read along: of a standard channel the team, of any other it itself.

    A channel whose kind is not said is asked for itself, for a shared one has people whom the team has not.
    """
    channel: Activity = activity.get("channelData") or {}
    team: Activity = channel.get("team") or {}
    kind: Activity = channel.get("channel") or {}
    is_standard = kind.get("type") == "standard" and team.get("id")
    return team["id"] if is_standard else find_room(activity["conversation"]["id"])


def make_reply_key(conversation_id: str, activity_id: str) -> str:
    """A message's key: a reaction may name the channel with or without the thread, so the thread is left out."""
    return f"{find_room(conversation_id)}|{activity_id}"


def name_post(activity: Activity) -> str:
    """A message, in the keys of the inbox and of replies."""
    return make_reply_key(activity["conversation"]["id"], activity["id"])


def to_reference(activity: Activity, *, activity_id: str | None = None) -> dict[str, Any]:
    """What it takes to reply later, in the form of the SDK's ConversationReference.

    Args:
        activity_id: of the message to answer, where it is not the activity itself.
    """
    reference = {field: activity[field] for field in _REFERENCE_FIELDS if field in activity}
    return reference | {
        "activityId": activity_id or activity["id"],
        "user": activity["from"],
        "bot": activity["recipient"],
    }


def find_language(activity: Activity) -> Language:
    """What the person's client speaks, for words that answer no question."""
    return "ko" if str(activity.get("locale") or "").lower().startswith("ko") else "en"


def read_time(activity: Activity) -> datetime | None:
    """When it was said; None where the client does not say it readably."""
    try:
        said_at = datetime.fromisoformat(str(activity.get("timestamp")))
    except ValueError:
        return None
    return said_at if said_at.tzinfo else said_at.replace(tzinfo=UTC)
