"""The manifest asks for exactly what the code uses."""

import json
import re
from pathlib import Path

from bot.slack.api import METHOD_SCOPES
from bot.slack.commands import ANSWER_THIS, ANSWER_THIS_NAME, COMMAND, COMMAND_USAGE
from bot.slack.side import EVENT_SCOPES, SCOPES

ROOT = Path(__file__).parents[3]
MANIFEST = json.loads((ROOT / "deploy" / "slack-manifest.json").read_text())


def test_the_manifest_announces_the_command_and_the_shortcut() -> None:
    (command,), (shortcut,) = MANIFEST["features"]["slash_commands"], MANIFEST["features"]["shortcuts"]
    assert (command["command"], command["usage_hint"]) == (COMMAND, COMMAND_USAGE)
    assert (shortcut["callback_id"], shortcut["name"]) == (ANSWER_THIS, ANSWER_THIS_NAME)


def test_the_manifest_subscribes_to_the_events_that_are_read() -> None:
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == set(EVENT_SCOPES)


def test_the_manifest_asks_for_the_scopes_that_are_used() -> None:
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == SCOPES


def test_every_method_that_is_called_names_its_scope() -> None:
    source = "".join(path.read_text() for path in (ROOT / "bot" / "slack").glob("*.py"))
    assert set(re.findall(r'\b_?call\([^)]*?"([a-z]+\.[a-zA-Z.]+)"', source)) == set(METHOD_SCOPES)
