"""What the platforms of the benchmark of faults send: signed as they sign, with the headers of a retry."""

import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientSession

from benchmarks.faults_processes import SLACK_SECRET
from benchmarks.faults_schedule import Act
from bot.slack.events import PATH as SLACK_PATH
from bot.teams.activities import PATH as TEAMS_PATH
from tests.fakes.teams import APP_ID, TENANT, FakeTeams, sign

SLACK_TEAM = "T0HOME"

# Given the address of a replica and how often it was sent before; the status.
Send = Callable[[str, int], Awaitable[int]]


def wrap_slack(event: dict[str, Any], event_id: str) -> dict[str, Any]:
    """An event as the Events API delivers it."""
    own = {"enterprise_id": None, "team_id": SLACK_TEAM, "user_id": "U0BOT", "is_bot": True}
    return {
        "type": "event_callback",
        "team_id": SLACK_TEAM,
        "api_app_id": "A0NIGHTBAKE",
        "event_id": event_id,
        "event_time": int(time.time()),
        "authorizations": [own | {"is_enterprise_install": False}],
        "is_ext_shared_channel": False,
        "event": event,
    }


def send_to_slack(session: ClientSession, body: dict[str, Any]) -> Send:
    """Deliver an event as Slack does."""
    content = json.dumps(body).encode()

    async def send(url: str, attempt: int) -> int:
        timestamp = str(int(time.time()))
        digest = hmac.new(SLACK_SECRET.encode(), f"v0:{timestamp}:".encode() + content, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": f"v0={digest}",
        }
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"}
        async with session.post(f"{url}{SLACK_PATH}", data=content, headers=headers) as response:
            return response.status

    return send


def send_to_teams(session: ClientSession, teams: FakeTeams, body: dict[str, Any]) -> Send:
    """Deliver an activity as the Bot Connector does."""
    headers = {"Authorization": f"Bearer {sign(teams.service_url)}"}

    async def send(url: str, attempt: int) -> int:
        async with session.post(f"{url}{TEAMS_PATH}", json=body, headers=headers) as response:
            return response.status

    return send


def build_activity(teams: FakeTeams, chat: str, identifier: str, person: str) -> dict[str, Any]:
    """What every activity of a personal chat has."""
    return {
        "id": identifier,
        "channelId": "msteams",
        "serviceUrl": teams.service_url,
        "timestamp": datetime.now(UTC).isoformat(),
        "from": {"id": f"29:{person}", "name": "Ann", "aadObjectId": person},
        "recipient": {"id": f"28:{APP_ID}", "name": "Nightbake"},
        "conversation": {"id": chat, "conversationType": "personal", "tenantId": TENANT},
        "channelData": {"tenant": {"id": TENANT}},
    }


def build_thumb(act: Act, before: Act | None, *, words: str) -> dict[str, Any]:
    """A vote in Teams: a reaction, or the thumb under the answer where the person says why."""
    if act == "correct":
        said = {"reaction": "dislike", "feedback": json.dumps({"feedbackText": words})}
        value = {"actionName": "feedback", "actionValue": said}
        return {"type": "invoke", "name": "message/submitAction", "value": value}
    if act == "back":
        return {"type": "messageReaction", "reactionsRemoved": [{"type": _name_thumb(before)}]}
    return {"type": "messageReaction", "reactionsAdded": [{"type": _name_thumb(act)}]}


def read_events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Names and bodies of server-sent events, as the page reads them."""
    found: list[tuple[str, dict[str, Any]]] = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":")
        if "event" in fields and "data" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def _name_thumb(act: Act | None) -> str:
    return "like" if act == "up" else "dislike"
