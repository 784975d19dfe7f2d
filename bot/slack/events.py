"""The receiving side of Slack, the same for HTTP and Socket Mode: what came goes to its door, and is then acknowledged.

Slack counts a delivery as made once it is answered with 200, and sends an event again up to three times otherwise. So a
door stores and only then returns, and a failed insert is a 500.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, cast

import orjson
import psycopg
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.names import name_person

log = logging.getLogger(__name__)

PATH = "/slack/events"

# An event of the Events API, a click, a form that was sent, a slash command, a message or global shortcut.
Kind = Literal["event", "action", "view", "command", "shortcut"]
# Given what Slack sent, in full; returns what Slack shall be told: nothing, a text, or fields such as a form's errors.
Door = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | str | None]]

_EVERYTHING = re.compile("")
# What reading raises where a field is missing or of another kind than Slack's.
_UNREADABLE = (
    *(KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError, RecursionError),
    # A text that no row can hold.
    psycopg.DataError,
)


class SlackEvents:
    """Checks, hands to the door of that name, acknowledges.

    Args:
        signing_secret: None where only Socket Mode is used; then there are no HTTP routes.
    """

    def __init__(self, *, signing_secret: str | None) -> None:
        self._doors: dict[tuple[Kind, str], list[Door]] = {}
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
        # Listeners for everything: what nobody listens to would be answered with 404 and sent again.
        app: Any = self.app
        app.event(_EVERYTHING)(self.take)
        app.action(_EVERYTHING)(self._receive_action)
        app.view(_EVERYTHING)(self._receive_view)
        app.command(_EVERYTHING)(self._receive_command)
        app.shortcut(_EVERYTHING)(self._receive_shortcut)
        app.error(_explain)

    def on(self, kind: Kind, name: str, door: Door) -> None:
        """Open a door; an event may have several, each of which takes what is its own.

        Args:
            name: type of an event, action id of a button, callback id of a form or shortcut, a command with its slash.
        """
        self._doors.setdefault((kind, name), []).append(door)

    def names(self, kind: Kind) -> set[str]:
        """Names of the doors of a kind, which the manifest must announce."""
        return {name for one, name in self._doors if one == kind}

    async def take(self, body: dict[str, Any]) -> None:
        """Hand an event to its door, also one that was found elsewhere than in a delivery."""
        kind: str = body["event"]["type"]
        # A subtype may have a door of its own: `message.message_changed`.
        special = f"{kind}.{body['event'].get('subtype')}"
        await self._enter("event", special if ("event", special) in self._doors else kind, body)

    def routes(self) -> list[web.RouteDef]:
        """The HTTP endpoint; empty without a signing secret, for then nothing could be checked."""
        return [web.post(PATH, self._handle)] if self._verifier else []

    async def _receive_action(self, body: dict[str, Any], ack: AsyncAck) -> BoltResponse:
        # A link in a button is followed by the person; the click is told all the same.
        return await _acknowledge(ack, await self._enter("action", body["actions"][0]["action_id"], body))

    async def _receive_view(self, body: dict[str, Any], ack: AsyncAck) -> BoltResponse:
        return await _acknowledge(ack, await self._enter("view", body["view"]["callback_id"], body))

    async def _receive_command(self, body: dict[str, Any], ack: AsyncAck) -> BoltResponse:
        return await _acknowledge(ack, await self._enter("command", body["command"], body))

    async def _receive_shortcut(self, body: dict[str, Any], ack: AsyncAck) -> BoltResponse:
        return await _acknowledge(ack, await self._enter("shortcut", body["callback_id"], body))

    async def _enter(self, kind: Kind, name: str, body: dict[str, Any]) -> dict[str, Any] | str | None:
        doors = self._doors.get((kind, name))
        if doors is None:
            log.debug("no door", extra={"kind": kind, "name_sent": name})
            return None
        told = [await door(body) for door in doors]
        return next(filter(None, told), None)

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self._is_signed(body, request.headers):
            return web.json_response({"error": "the signature does not fit"}, status=401)
        if event := _read_event(body):
            # Bolt's way to the same door takes longer than the door, and most of what comes is an event.
            try:
                await self.take(event)
            except _UNREADABLE as error:
                return web.Response(status=_refuse(error).status)
            return web.Response()
        try:
            bolt_request = await to_bolt_request(request)
            return await to_aiohttp_response(await self.app.async_dispatch(bolt_request))
        except _UNREADABLE as error:
            # Bolt itself looks into a body before it asks anybody.
            return web.Response(status=_refuse(error).status)

    def _is_signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Checked before the body is parsed: Bolt answers 500 to a forged body, time or signature it cannot read."""
        assert self._verifier
        timestamp, signature = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except (ValueError, TypeError):
            return False


async def _explain(error: Exception) -> BoltResponse:
    """What Bolt answers where a listener failed: 500 makes Slack send it again, which helps against an outage only."""
    if isinstance(error, _UNREADABLE):
        return _refuse(error)
    log.error("a delivery of Slack failed", exc_info=error)
    return BoltResponse(status=500)


def _refuse(error: Exception) -> BoltResponse:
    log.warning("a delivery of Slack could not be read", extra={"reason": type(error).__name__})
    return BoltResponse(status=400)


def _read_event(body: bytes) -> dict[str, Any] | None:
    """A delivery of the Events API; None for everything else, also for what this parser finds too odd."""
    try:
        read: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(read, dict):
        return None
    told = cast(dict[str, Any], read)
    event = told.get("event")
    if told.get("type") != "event_callback" or not isinstance(event, dict):
        return None
    return told if isinstance(cast(dict[str, Any], event).get("type"), str) else None


async def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)


async def _acknowledge(ack: AsyncAck, told: dict[str, Any] | str | None) -> BoltResponse:
    return await ack(**told) if isinstance(told, dict) else await ack(told or "")


def find_team(body: Mapping[str, Any]) -> str:
    """Our own installation's workspace; in a shared channel the outer `team_id` may be another company's."""
    team: Mapping[str, Any] = body.get("team") or {}
    found: str | None = find_authorization(body).get("team_id") or body.get("team_id") or team.get("id")
    return found or ""


def find_bot_user(body: Mapping[str, Any]) -> str | None:
    """Our own user in that workspace."""
    return find_authorization(body).get("user_id")


def find_person(body: Mapping[str, Any]) -> str:
    """Who clicked or sent a form."""
    return name_person(find_team(body), body["user"]["id"])


def find_authorization(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our own installation, as an event names it; empty in clicks, forms and commands."""
    found: list[Mapping[str, Any]] = body.get("authorizations") or []
    return found[0] if found else {}
