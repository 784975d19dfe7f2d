"""The manifest asks for exactly what the code uses."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.slack import manifest
from bot.slack.api import METHOD_SCOPES
from bot.slack.directory import FURTHER_SCOPES
from bot.slack.manifest import COMMANDS, SHORTCUTS, Command, Shortcut, build_link, build_manifest, find_scopes
from bot.slack.scopes import EVENT_SCOPES, SCOPES
from tests.bot.slack.conftest import Workspace

ROOT = Path(__file__).parents[3]

# Slack's limits: https://docs.slack.dev/reference/app-manifest
NAME_CHARACTERS, DESCRIPTION_CHARACTERS, AGENT_CHARACTERS = 35, 140, 300


def find_events(made: dict[str, Any]) -> list[str]:
    return made["settings"]["event_subscriptions"]["bot_events"]


def test_every_event_with_a_door_is_subscribed_to_and_no_other(workspace: Workspace) -> None:
    """`message.im` comes as `message`; a door may be for a subtype, as `message.message_changed`."""
    types = {name.partition(".")[0] for name in workspace.side.names("event")}
    assert {name.partition(".")[0] for name in find_events(build_manifest())} == types


def test_every_command_and_shortcut_with_a_door_has_its_words_and_no_other(workspace: Workspace) -> None:
    assert (workspace.side.names("command"), workspace.side.names("shortcut")) == (set(COMMANDS), set(SHORTCUTS))


def test_the_manifest_asks_for_the_scopes_that_are_used() -> None:
    needed = {*EVENT_SCOPES.values(), *METHOD_SCOPES.values(), *FURTHER_SCOPES} - {None}
    asked = set(build_manifest()["oauth_config"]["scopes"]["bot"])
    assert asked - {"commands"} == needed == SCOPES


def test_every_method_that_is_called_names_its_scope() -> None:
    source = "".join(path.read_text() for path in (ROOT / "bot" / "slack").glob("*.py"))
    assert set(re.findall(r'\b_?call\([^)]*?"([a-z]+\.[a-zA-Z.]+)"', source)) == set(METHOD_SCOPES)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(manifest, "COMMANDS", {"/bake": Command("Bake a night", "[now]")})
    monkeypatch.setattr(manifest, "SHORTCUTS", {"answer_this": Shortcut("Answer this", "Answer the message")})
    yield


def test_a_command_brings_its_scope_and_its_address(command: None) -> None:
    made = build_manifest(http_url="https://bot.example/")
    assert "commands" in find_scopes()
    assert made["features"]["slash_commands"] == [
        {
            "command": "/bake",
            "description": "Bake a night",
            "usage_hint": "[now]",
            "should_escape": False,
            "url": "https://bot.example/slack/events",
        }
    ]
    assert made["features"]["shortcuts"] == [
        {
            "callback_id": "answer_this",
            "name": "Answer this",
            "description": "Answer the message",
            "type": "message",
        }
    ]


def test_socket_mode_names_no_address() -> None:
    made = build_manifest()
    assert (made["settings"]["socket_mode_enabled"], "https://" in json.dumps(made)) == (True, False)


def test_http_names_its_address_for_events_and_clicks() -> None:
    settings = build_manifest(http_url="https://bot.example")["settings"]
    addresses = [settings[part]["request_url"] for part in ("event_subscriptions", "interactivity")]
    assert (settings["socket_mode_enabled"], addresses) == (False, ["https://bot.example/slack/events"] * 2)


def test_oauth_names_where_slack_sends_the_browser_back() -> None:
    made = build_manifest(oauth_url="https://bot.example")
    assert made["oauth_config"]["redirect_urls"] == ["https://bot.example/slack/oauth_redirect"]
    settings = made["settings"]
    assert (settings["org_deploy_enabled"], settings["token_rotation_enabled"]) == (True, True)


def test_the_words_are_within_slacks_limits() -> None:
    made = build_manifest()
    shown = made["display_information"]
    assert len(shown["name"]) <= NAME_CHARACTERS
    assert len(shown["description"]) <= DESCRIPTION_CHARACTERS
    assert len(made["features"]["agent_view"]["agent_description"]) <= AGENT_CHARACTERS


def test_the_link_carries_the_whole_manifest() -> None:
    made = build_manifest()
    query = parse_qs(urlsplit(build_link(made)).query)
    assert json.loads(query["manifest_json"][0]) == made
