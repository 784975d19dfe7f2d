"""What Teams sends, in our words: a message is a question, a like is feedback, the rest is dropped.

Teams holds the request until it is answered and sends it again after about 15 seconds, so an activity is
checked, stored and answered; the reply goes out by itself later.
"""

import html
import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.inbox import Claimed, Event, Inbox
from bot.teams.auth import Authentication, KeysAwayError, UnauthorizedError, find_tenants
from core.records import Vote

log = logging.getLogger(__name__)

PATH = "/api/messages"

_REACTIONS: dict[str, Vote] = {"like": 1, "dislike": -1}
_AT = re.compile(r"</?at\b[^>]*>", re.IGNORECASE)
_REFERENCE_FIELDS = ("channelId", "serviceUrl", "conversation", "locale")


class TeamsActivities:
    """The receiving side.

    Args:
        authentication: decides what is genuine; it is asked before anything is read out of the activity.
    """

    def __init__(self, *, inbox: Inbox, authentication: Authentication) -> None:
        self._inbox = inbox
        self._authentication = authentication

    def routes(self) -> list[web.RouteDef]:
        """The messaging endpoint of the bot registration."""
        return [web.post(PATH, self._handle)]

    async def close(self) -> None:
        """Release connections."""
        await self._authentication.close()

    async def _handle(self, request: web.Request) -> web.Response:
        activity = await _read(request)
        try:
            await self._authentication.check(request, activity)
        except UnauthorizedError as error:
            log.warning("an activity was refused", extra={"reason": str(error)})
            return web.Response(status=401)
        except KeysAwayError:
            return web.Response(status=503)
        return await self._receive(activity)

    async def _receive(self, activity: Mapping[str, Any]) -> web.Response:
        try:
            event = to_event(activity)
        except (KeyError, TypeError, AttributeError) as error:
            log.warning("an activity could not be read", extra={"reason": repr(error)})
            return web.Response(status=400)
        if event is not None:
            await self._inbox.receive(event)
        # Teams shows "Unable to reach app" for an invoke that is answered without an object.
        return web.json_response({}) if activity.get("type") == "invoke" else web.Response(status=200)


def to_event(activity: Mapping[str, Any]) -> Event | None:
    """An activity as an event of ours; None where it is not for us or is our own echo."""
    if _is_own(activity):
        return None
    match activity["type"]:
        case "message":
            return _to_question(activity)
        case "messageReaction":
            return _to_reaction(activity)
        case "invoke" if activity.get("name") == "message/submitAction":
            return _to_judgement(activity)
        case _:
            return None


async def find_audience(claimed: Claimed) -> list[str]:
    """What everyone who will see the reply may read.

    In a chat with one person that is the person, once the directory has named them. In a group or channel it is
    what all may read, because its members are not looked up yet: denial wins while unknown.
    """
    payload = claimed.payload
    if not payload["known"]:
        return []
    return ["everyone", payload["person"]] if payload["direct"] else ["everyone"]


def read_text(activity: Mapping[str, Any]) -> str:
    """The message as it was typed: our mention gone, other mentions as their names, entities undone."""
    text: str = activity.get("text") or ""
    for entity in _find_mentions(activity):
        if entity["mentioned"].get("id") == activity["recipient"]["id"] and entity.get("text"):
            text = text.replace(entity["text"], "")
    return html.unescape(_AT.sub("", text)).replace("\xa0", " ").strip()


def make_reply_key(conversation_id: str, activity_id: str) -> str:
    """An answer's key: a reaction may name the channel with or without the thread, so the thread is left out."""
    return f"{conversation_id.partition(';')[0]}|{activity_id}"


async def _read(request: web.Request) -> Mapping[str, Any]:
    """The activity, or an empty one where the body is none: a missing token is then what is refused."""
    try:
        body: Any = await request.json()
    except (ValueError, LookupError):
        return {}
    return body if isinstance(body, dict) else {}  # type: ignore[reportUnknownVariableType]


def _is_own(activity: Mapping[str, Any]) -> bool:
    sender: Mapping[str, Any] = activity.get("from") or {}
    recipient: Mapping[str, Any] = activity.get("recipient") or {}
    return not sender.get("id") or sender["id"] == recipient.get("id") or sender.get("role") == "bot"


def _to_question(activity: Mapping[str, Any]) -> Event | None:
    direct = _is_direct(activity)
    if not direct and not _is_mentioned(activity):
        return None
    payload = {
        "text": read_text(activity),
        "person": _person(activity),
        "known": bool(activity["from"].get("aadObjectId")),
        "direct": direct,
        "reference": _to_reference(activity),
    }
    return _make_event(activity, "question", payload)


def _to_reaction(activity: Mapping[str, Any]) -> Event | None:
    """A like of the message bar. There is no dislike in it, so other reactions say nothing to learn from."""
    if _has_like(activity.get("reactionsAdded")):
        return _make_feedback(activity, {"value": 1, "source": "teams_reaction"})
    if _has_like(activity.get("reactionsRemoved")):
        return _make_feedback(activity, {"value": 0, "withdraws": 1, "source": "teams_reaction"})
    return None


def _to_judgement(activity: Mapping[str, Any]) -> Event | None:
    """A thumb under the answer, with a comment where the person wrote one; Teams knows no taking back."""
    value: Mapping[str, Any] = activity.get("value") or {}
    action: Mapping[str, Any] = value.get("actionValue") or {}
    vote = _REACTIONS.get(action.get("reaction") or "")
    if value.get("actionName") != "feedback" or vote is None:
        return None
    payload = {"value": vote, "source": "teams_feedback", "reason": _read_comment(action.get("feedback"))}
    return _make_feedback(activity, payload)


def _make_feedback(activity: Mapping[str, Any], payload: dict[str, Any]) -> Event | None:
    """Feedback on the message that the activity names; without one there is nothing it could be counted for."""
    if not activity.get("replyToId"):
        log.warning("feedback without replyToId was dropped", extra={"activity_type": activity["type"]})
        return None
    reply_key = make_reply_key(activity["conversation"]["id"], activity["replyToId"])
    return _make_event(activity, "feedback", payload | {"reply_key": reply_key, "person": _person(activity)})


def _make_event(activity: Mapping[str, Any], kind: Any, payload: dict[str, Any]) -> Event:
    conversation = activity["conversation"]["id"]
    key = f"{conversation}|{activity['id']}"
    return Event("teams", key, f"teams:{_tenant(activity)}:{conversation}", kind, payload)


def _to_reference(activity: Mapping[str, Any]) -> dict[str, Any]:
    """What it takes to reply later, in the form of the SDK's ConversationReference."""
    reference = {field: activity[field] for field in _REFERENCE_FIELDS if field in activity}
    return reference | {"activityId": activity["id"], "user": activity["from"], "bot": activity["recipient"]}


def _find_mentions(activity: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entities: list[Mapping[str, Any]] = activity.get("entities") or []
    return [entity for entity in entities if entity.get("type") == "mention" and entity.get("mentioned")]


def _is_mentioned(activity: Mapping[str, Any]) -> bool:
    own = activity["recipient"]["id"]
    return any(entity["mentioned"].get("id") == own for entity in _find_mentions(activity))


def _is_direct(activity: Mapping[str, Any]) -> bool:
    conversation = activity["conversation"]
    return conversation.get("conversationType", "personal") == "personal" and not conversation.get("isGroup")


def _has_like(reactions: list[Mapping[str, Any]] | None) -> bool:
    return any(reaction.get("type") == "like" for reaction in reactions or [])


def _read_comment(feedback: object) -> str | None:
    """`{"feedbackText": "…"}` as a string of JSON; a client of another mind may send the text itself."""
    if not isinstance(feedback, str):
        return None
    try:
        read: Any = json.loads(feedback)
    except ValueError:
        return feedback or None
    return str(read.get("feedbackText") or "") or None if isinstance(read, dict) else None  # type: ignore


def _tenant(activity: Mapping[str, Any]) -> str:
    return next(iter(sorted(find_tenants(activity))), "")


def _person(activity: Mapping[str, Any]) -> str:
    sender = activity["from"]
    return f"teams:{_tenant(activity)}:{sender.get('aadObjectId') or sender['id']}"
