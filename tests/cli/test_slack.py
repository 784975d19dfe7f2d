"""`nightbake slack`: the manifest as a person and as a program gets it."""

import json

from bot.slack.manifest import build_manifest
from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer


def test_the_manifest_is_all_that_stands_on_standard_output() -> None:
    ran = run_nightbake("slack", "manifest")
    assert (ran.code, json.loads(ran.out)) == (0, build_manifest())
    assert "https://api.slack.com/apps?new_app=1&manifest_json=" in ran.err.replace("\n", "")


def test_a_program_gets_one_object_on_one_line() -> None:
    ran = run_nightbake(
        "slack", "manifest", "--http", "https://bot.example", "--oauth", "https://bot.example", "--json"
    )
    wanted = build_manifest(http_url="https://bot.example", oauth_url="https://bot.example")
    assert (ran.code, ran.json, ran.out.count("\n"), ran.err) == (0, wanted, 1, "")


def test_an_address_that_slack_would_not_call_is_refused() -> None:
    ran = run_nightbake("slack", "manifest", "--http", "http://bot.example")
    assert (ran.code, "expected https://…, got 'http://bot.example'" in ran.err) == (2, True)


def test_the_doctor_has_a_line_for_each_part_of_slack(installation: FakeModelServer) -> None:
    ran = run_nightbake(
        "doctor",
        "--json",
        SLACK_BOT_TOKEN="xoxb-1",
        SLACK_APP_TOKEN="xapp-1",
        SLACK_SIGNING_SECRET="0" * 32,
        SLACK_API_URL="http://127.0.0.1:9/api/",
        SLACK_ADMIN_CHANNEL="C0ADMIN",
        PUBLIC_URL="http://127.0.0.1:9",
    )
    found = {one["part"]: one["status"] for one in ran.json["findings"] if one["part"].startswith("slack")}
    assert found == {
        "slack token": "problem",
        "slack socket": "problem",
        "slack endpoint": "note",
        "slack channels": "problem",
    }


def test_a_key_is_one_that_the_settings_take(installation: FakeModelServer) -> None:
    key = run_nightbake("slack", "key", "--json").json["key"]
    ran = run_nightbake(
        "doctor",
        "--json",
        SLACK_CLIENT_ID="1.2",
        SLACK_CLIENT_SECRET="secret",
        SLACK_TOKEN_KEY=f"{key},{run_nightbake('slack', 'key').out.strip()}",
        SLACK_SIGNING_SECRET="0" * 32,
        SLACK_API_URL="http://127.0.0.1:9/api/",
        PUBLIC_URL="http://127.0.0.1:9",
    )
    token = next(one for one in ran.json["findings"] if one["part"] == "slack token")
    assert (token["status"], "/slack/install" in token["detail"]) == ("note", True)
