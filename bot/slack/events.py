"""What Slack sends, in our words: a mention or direct message is a question, a thumb is feedback, the rest is dropped.

Slack counts an event as delivered once it is answered with 200, and sends it again up to three times
otherwise. So the listener stores and only then answers, and a failed insert is a 500.
"""

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.inbox import Claimed, Event, Inbox
from core.records import Vote

PATH = "/slack/events"

# Each event that the manifest subscribes to, and the scope that Slack asks for it.
EVENT_SCOPES = {
    "app_mention": "app_mentions:read",
    "message.im": "im:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
}

# Posts of a person; every other subtype is an edit, a deletion, a notice of Slack's or a bot's word.
PERSONAL_SUBTYPES = {None, "file_share", "thread_broadcast"}

_THUMBS: dict[str, Vote] = {"+1": 1, "thumbsup": 1, "-1": -1, "thumbsdown": -1}
_MARKUP = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


class SlackEvents:
    """The receiving side, the same for HTTP and Socket Mode.

    Args:
        signing_secret: None where only Socket Mode is used; then there are no HTTP routes.
    """

    def __init__(self, *, inbox: Inbox, signing_secret: str | None) -> None:
        self._inbox = inbox
        self._verifier = SignatureVerifier(signing_secret) if signing_secret else None
        # Bolt's own checks cost an `auth.test` before the first event is stored, and an event that arrives while that
        # call is refused would be acknowledged and lost. What they need stands in the event itself.
        self.app = AsyncApp(
            name="nightbake",
            client=AsyncWebClient(),
            authorize=_authorize,
            signing_secret=signing_secret or "",
            ignoring_self_events_enabled=False,
            process_before_response=True,
        )
        # One listener for every event: one that nobody listens to would be answered with 404 and sent again.
        register: Any = self.app.event  # type: ignore[reportUnknownMemberType]
        register(re.compile(""))(self._receive)

    def routes(self) -> list[web.RouteDef]:
        """The HTTP endpoint; empty without a signing secret, for then nothing could be checked."""
        return [web.post(PATH, self._handle)] if self._verifier else []

    async def _receive(self, body: dict[str, Any]) -> None:
        event = to_event(body)
        if event is not None:
            await self._inbox.receive(event)

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self._is_signed(body, request.headers):
            return web.json_response({"error": "the signature does not fit"}, status=401)
        try:
            bolt_request = await to_bolt_request(request)
        except ValueError:
            return web.json_response({"error": "expected JSON or a form in UTF-8"}, status=400)
        return await to_aiohttp_response(await self.app.async_dispatch(bolt_request))

    def _is_signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Checked before the body is parsed: Bolt answers 500 to a forged body, time or signature it cannot read."""
        assert self._verifier
        timestamp, signature = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except (ValueError, TypeError):
            return False


async def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)


def to_event(body: Mapping[str, Any]) -> Event | None:
    """An event callback as an event of ours; None where it is not for us or is our own echo."""
    event: Mapping[str, Any] = body["event"]
    if not event.get("user") or event.get("bot_id") or event["user"] == _bot_user(body):
        return None
    match event["type"]:
        case "app_mention":
            return _to_question(body)
        case "message" if event.get("channel_type") == "im":
            return _to_question(body)
        case "reaction_added" | "reaction_removed":
            return _to_feedback(body)
        case _:
            return None


async def find_audience(claimed: Claimed) -> list[str]:
    """What everyone who will see the reply may read.

    In a direct message that is the person. In a channel it is what all may read, because its members are not
    looked up yet. With people of another company in the room it is nothing: denial wins while unknown.
    """
    payload = claimed.payload
    if payload["external"]:
        return []
    return ["everyone", payload["person"]] if payload["direct"] else ["everyone"]


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


def _to_question(body: Mapping[str, Any]) -> Event | None:
    """One row a post: a mention is delivered as `app_mention` and, in some rooms, as `message` too."""
    event = body["event"]
    if event.get("subtype") not in PERSONAL_SUBTYPES:
        return None
    team, channel, ts = _team(body), event["channel"], event["ts"]
    thread_ts = event.get("thread_ts") or ts
    payload = {
        "text": read_text(event.get("text") or "", _bot_user(body)),
        "person": f"slack:{team}:{event['user']}",
        "channel": channel,
        "thread_ts": thread_ts,
        "ts": ts,
        "direct": event.get("channel_type") == "im",
        "external": bool(body.get("is_ext_shared_channel")),
    }
    return Event("slack", f"post:{channel}:{ts}", f"slack:{team}:{channel}:{thread_ts}", "question", payload)


def _to_feedback(body: Mapping[str, Any]) -> Event | None:
    """A thumb in any skin colour; taking one back names the vote it takes back, for a person may hold both thumbs."""
    event = body["event"]
    item: Mapping[str, Any] = event["item"]
    vote = _THUMBS.get(event["reaction"].split("::")[0])
    if vote is None or item.get("type") != "message":
        return None
    team, reply_key = _team(body), f"{item['channel']}:{item['ts']}"
    payload: dict[str, Any] = {
        "reply_key": reply_key,
        "person": f"slack:{team}:{event['user']}",
        "source": "slack_reaction",
        "value": vote if event["type"] == "reaction_added" else 0,
    }
    if event["type"] == "reaction_removed":
        payload["withdraws"] = vote
    return Event("slack", f"event:{body['event_id']}", f"slack:{team}:{reply_key}", "feedback", payload)


def _authorization(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our own installation; in a shared channel the outer `team_id` may be another company's."""
    found: list[Mapping[str, Any]] = body.get("authorizations") or []
    return found[0] if found else {}


def _team(body: Mapping[str, Any]) -> str:
    return _authorization(body).get("team_id") or body.get("team_id") or ""


def _bot_user(body: Mapping[str, Any]) -> str | None:
    return _authorization(body).get("user_id")
