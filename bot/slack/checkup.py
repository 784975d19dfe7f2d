"""The installation looked at from our side: token, scopes, socket, secret and channels, each with what to click."""

import json
import re
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

from bot.check import Check
from bot.slack.api import SlackApi, SlackError, build_client
from bot.slack.events import PATH
from bot.slack.manifest import find_scopes

APPS = "https://api.slack.com/apps"
ANSWER_SECONDS = 10
CHALLENGE = "nightbake-doctor"

# Slack's words that mean "this is no token of mine".
_WRONG_TOKEN = {"invalid_auth", "not_authed", "token_revoked", "account_inactive", "token_expired"}
_SECRET = re.compile(r"[0-9a-f]{32}")


async def check_token(api: SlackApi, team: str = "") -> Check:
    """The bot token of a workspace, and whether it carries every scope that is used.

    Side effects: one `auth.test`.
    """
    try:
        response = await api.call(team, "auth.test")
    except SlackError as error:
        where = f"{APPS}, the app, *OAuth & Permissions*, copy *Bot User OAuth Token* into SLACK_BOT_TOKEN"
        advice = where if error.reason in _WRONG_TOKEN else "look whether this machine reaches Slack, then try again"
        return Check("slack token", "problem", f"{error}; {advice}")
    listed: str = response.headers.get("x-oauth-scopes", "")
    missing = sorted(set(find_scopes()) - {scope.strip() for scope in listed.split(",")})
    if missing:
        return Check("slack token", "problem", f"lacks {', '.join(missing)}; {_say_reinstall()}")
    return Check("slack token", "ok", f"{response.get('user', 'the app')} in {response.get('team', team)}, scopes fit")


async def check_channels(api: SlackApi, channels: Mapping[str, tuple[str, str]]) -> Check:
    """Whether the app is in each channel that a setting names: into others it cannot write.

    Args:
        channels: workspace and channel by the name of the setting.

    Side effects: one `conversations.info` each.
    """
    faults = {name: await _find_fault(api, team, channel) for name, (team, channel) in channels.items()}
    if wrong := [f"{name}: {fault}" for name, fault in faults.items() if fault]:
        return Check("slack channels", "problem", "; ".join(wrong))
    return Check("slack channels", "ok", f"a member of what {' and '.join(faults)} name")


async def check_socket(app_token: str, *, api_url: str) -> Check:
    """Whether Slack would let us connect; nothing is connected."""
    client: Any = build_client(app_token, api_url=api_url)
    try:
        await client.api_call("apps.connections.open")
    except SlackApiError as error:
        response: Any = error.response  # type: ignore[reportUnknownMemberType]
        word = str(response.get("error"))
        return Check("slack socket", "problem", f"Slack answered {word}; {_say_socket(word)}")
    except (aiohttp.ClientError, TimeoutError) as error:
        advice = "look whether this machine reaches Slack, also for wss://"
        return Check("slack socket", "problem", f"no answer ({type(error).__name__}); {advice}")
    return Check("slack socket", "ok", "Socket Mode opens")


async def check_endpoint(signing_secret: str, *, base_url: str) -> Check:
    """The secret's form, and whether a request signed with it passes at the address that Slack is given.

    Side effects: one request to ourselves. That the secret is the one Slack has, only Slack can tell.
    """
    if not _SECRET.fullmatch(signing_secret):
        advice = f"{APPS}, the app, *Basic Information*, *App Credentials*, *Signing Secret*, *Show*, copy it"
        return Check("slack endpoint", "problem", f"SLACK_SIGNING_SECRET is not 32 hexadecimal digits; {advice}")
    url = base_url + PATH
    body = json.dumps({"type": "url_verification", "challenge": CHALLENGE})
    timestamp = str(int(time.time()))
    signature = SignatureVerifier(signing_secret).generate_signature(timestamp=timestamp, body=body) or ""
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
    }
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=body, headers=headers) as response,
        ):
            return _judge(response.status, await response.text(), url)
    except (aiohttp.ClientError, TimeoutError) as error:
        advice = "start `nightbake up`; Slack must reach this address too"
        return Check("slack endpoint", "note", f"{url} does not answer ({type(error).__name__}); {advice}")


async def _find_fault(api: SlackApi, team: str, channel: str) -> str | None:
    """What keeps us from posting in a channel, and what to do; None where nothing does."""
    invite = "write `/invite @Nightbake` in it"
    try:
        told = (await api.call(team, "conversations.info", channel=channel))["channel"]
    except SlackError as error:
        if error.reason == "channel_not_found":
            return f"{channel} is a private channel without us, or none; {invite}, and compare its id"
        return str(error)
    if told.get("is_archived"):
        return f"{channel} is archived; name another"
    return None if told.get("is_member") else f"the app is no member of {channel}; {invite}"


def _judge(status: int, text: str, url: str) -> Check:
    if status == 200 and CHALLENGE in text:
        advice = f"it is what *Event Subscriptions* and *Interactivity* of {APPS} must name"
        return Check("slack endpoint", "ok", f"{url} takes what is signed; {advice}")
    if status == 401:
        advice = "the service runs with another SLACK_SIGNING_SECRET, or its clock is off: start it again"
        return Check("slack endpoint", "problem", f"{url} turns our signature away; {advice}")
    advice = "set PUBLIC_URL to where Nightbake is reached, and let the proxy pass bodies as they are"
    return Check("slack endpoint", "problem", f"{url} answers {status}, which is not Nightbake's word; {advice}")


def _say_reinstall() -> str:
    return (
        "paste what `nightbake slack manifest` prints into *App Manifest* of the app on "
        f"{APPS}, *Save Changes*, then *Install App*, *Reinstall to Workspace*"
    )


def _say_socket(word: str) -> str:
    page = f"{APPS}, the app, "
    if word in _WRONG_TOKEN:
        return f"{page}*Basic Information*, *App-Level Tokens*, copy the token xapp-… into SLACK_APP_TOKEN"
    if word in ("missing_scope", "not_allowed_token_type"):
        return f"{page}*Basic Information*, *App-Level Tokens*, *Generate* one with the scope connections:write"
    return f"{page}*Socket Mode*, turn on *Enable Socket Mode*"
