"""The app's manifest: what Slack asks before it makes an app, read from the tables of what the code uses.

Events and scopes come from where they are used. Commands and shortcuts have their words here, because Slack shows them
in its own menus; a test fails where a door has no words.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from bot.slack.commands import ANSWER_THIS, ANSWER_THIS_NAME, COMMAND, COMMAND_USAGE
from bot.slack.events import PATH
from bot.slack.scopes import EVENT_SCOPES, INSTALL_EVENTS, SCOPES

NAME = "Nightbake"
DESCRIPTION = "Answers from the company's own documents, with sources"
COLOUR = "#2c2d30"
NEW_APP = "https://api.slack.com/apps"
REDIRECT_PATH = "/slack/oauth_redirect"

# What commands and shortcuts need.
COMMANDS_SCOPE = "commands"


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command as Slack's menu shows it."""

    description: str
    usage_hint: str


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A shortcut as Slack's menu shows it: of a message, or of the whole app."""

    name: str
    description: str
    type: Literal["message", "global"] = "message"


# By the names that `SlackEvents.on` is given.
COMMANDS = {COMMAND: Command("Answers from the company's own documents", COMMAND_USAGE)}
SHORTCUTS = {ANSWER_THIS: Shortcut(ANSWER_THIS_NAME, "Answers the message in its thread")}


def build_manifest(*, http_url: str | None = None, oauth_url: str | None = None) -> dict[str, Any]:
    """The manifest, ready to be pasted.

    Args:
        http_url: where Slack reaches us; None takes Socket Mode, for which nothing has to be reachable.
        oauth_url: where an admin's browser reaches us, for an app that several workspaces install.
    """
    requests = {"request_url": _join(http_url, PATH)} if http_url else {}
    events = sorted({*EVENT_SCOPES, *(INSTALL_EVENTS if oauth_url else ())})
    return {
        "display_information": {"name": NAME, "description": DESCRIPTION, "background_color": COLOUR},
        "features": _build_features(requests),
        "oauth_config": {
            **({"redirect_urls": [_join(oauth_url, REDIRECT_PATH)]} if oauth_url else {}),
            "scopes": {"bot": find_scopes()},
        },
        "settings": {
            "event_subscriptions": {**requests, "bot_events": events},
            "interactivity": {"is_enabled": True, **requests},
            "org_deploy_enabled": oauth_url is not None,
            "socket_mode_enabled": http_url is None,
            "token_rotation_enabled": oauth_url is not None,
        },
    }


def find_scopes() -> list[str]:
    """Every scope that the app asks for, in order."""
    return sorted({*SCOPES, COMMANDS_SCOPE} if COMMANDS or SHORTCUTS else SCOPES)


def build_link(manifest: Mapping[str, Any]) -> str:
    """Slack's page for a new app, with the manifest filled in."""
    return f"{NEW_APP}?{urlencode({'new_app': 1, 'manifest_json': json.dumps(manifest, separators=(',', ':'))})}"


def _build_features(requests: Mapping[str, str]) -> dict[str, Any]:
    features: dict[str, Any] = {
        "agent_view": {"agent_description": DESCRIPTION},
        "app_home": {
            "home_tab_enabled": "app_home_opened" in EVENT_SCOPES,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": NAME, "always_online": True},
    }
    # Slack calls the same address `url` here.
    address = {"url": requests["request_url"]} if requests else {}
    if COMMANDS:
        features["slash_commands"] = [
            {"command": command, **asdict(words), "should_escape": False, **address}
            for command, words in sorted(COMMANDS.items())
        ]
    if SHORTCUTS:
        features["shortcuts"] = [
            {"callback_id": callback_id, **asdict(words)} for callback_id, words in sorted(SHORTCUTS.items())
        ]
    return features


def _join(url: str, path: str) -> str:
    return url.rstrip("/") + path
