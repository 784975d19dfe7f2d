"""Settings: read once, checked together, every mistake in one report, and no secret in any of it."""

import re
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import Settings, read_weights
from core.settings_loading import load_settings

PAGE = Path(__file__).parent.parent.parent / "docs" / "settings.md"
SECRET = "hunter2-correct-horse"
OAUTH = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "x", "SLACK_TOKEN_KEY": "A" * 43 + "="}
VARIABLES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the machine counts, and `.env` is looked for in a folder of the test's own."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def find_mistakes(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    """What is reported for these variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return caught.value.mistakes


def test_nothing_set_is_the_embedded_setup() -> None:
    settings = load_settings()
    assert (settings.database_url, settings.model_url, settings.has_slack, settings.has_teams) == (
        None,
        None,
        False,
        False,
    )


def test_links_lead_to_the_own_address_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    own = load_settings().base_url
    monkeypatch.setenv("PUBLIC_URL", "https://ask.example.com/")
    assert (own, load_settings().base_url) == ("http://127.0.0.1:8080", "https://ask.example.com")


def test_variables_come_from_the_file_in_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9000\nNIGHT_TIME_ZONE=Asia/Seoul\n")
    settings = load_settings()
    assert (settings.port, settings.night_time_zone) == (9000, "Asia/Seoul")


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PORT=9000\n")
    monkeypatch.setenv("PORT", "9001")
    assert load_settings().port == 9001


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("PORT", "")
    settings = load_settings()
    assert (settings.database_url, settings.port) == (None, 8080)


def test_every_mistake_comes_in_one_report(monkeypatch: pytest.MonkeyPatch) -> None:
    mistakes = find_mistakes(
        monkeypatch,
        PORT="eighty",
        NIGHT_TIME="25:00",
        DATABASE_URL="mysql://host/name",
        MODEL_URL="http://model:8000",
        SLACK_APP_TOKEN="xapp-1",
    )
    named = [mistake.split(":")[0] for mistake in mistakes]
    assert named == ["PORT", "NIGHT_TIME", "DATABASE_URL", "MODEL_NAME", "SLACK_BOT_TOKEN"]


def test_the_report_counts_the_mistakes_and_names_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "70000")
    with pytest.raises(SettingsError, match=r"^1 setting\(s\) to mend; see docs/settings.md\n  - PORT: "):
        load_settings()


@pytest.mark.parametrize(
    ("variables", "mistake"),
    [
        ({"MODEL_URL": "http://m"}, "MODEL_NAME: needed because MODEL_URL is set"),
        ({"MODEL_NAME": "m"}, "MODEL_URL: needed because MODEL_NAME is set"),
        ({"SLACK_APP_TOKEN": "x"}, "SLACK_BOT_TOKEN: needed because other SLACK_ variables are set"),
        ({"SLACK_SIGNING_SECRET": "x"}, "SLACK_BOT_TOKEN: needed because other SLACK_ variables are set"),
        (
            {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "x"},
            "SLACK_TOKEN_KEY: needed because SLACK_CLIENT_ID is set",
        ),
        (OAUTH | {"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_BOT_TOKEN: expected it or SLACK_CLIENT_ID, got both"),
        (
            OAUTH | {"SLACK_TOKEN_KEY": "short", "SLACK_APP_TOKEN": "xapp-1"},
            "SLACK_TOKEN_KEY: expected keys as `nightbake slack key` prints them, comma-separated",
        ),
        ({"TEAMS_APP_ID": "a", "TEAMS_TENANT_ID": "t"}, "TEAMS_APP_PASSWORD: needed because TEAMS_APP_ID is set"),
        ({"TEAMS_APP_ID": "a", "TEAMS_APP_PASSWORD": "p"}, "TEAMS_TENANT_ID: needed because TEAMS_APP_ID is set"),
        ({"TEAMS_TENANT_ID": "t", "TEAMS_APP_PASSWORD": "p"}, "TEAMS_APP_ID: needed because TEAMS_APP_PASSWORD is set"),
        (
            {"TEAMS_TENANT_ID": ", ", "TEAMS_APP_PASSWORD": "p", "TEAMS_APP_ID": "a"},
            "TEAMS_TENANT_ID: expected the id of a tenant, got ', '",
        ),
        (
            {"TEAMS_WITHOUT_AUTHENTICATION": "1", "HOST": "0.0.0.0"},
            "HOST: Teams without authentication needs a loopback address, got '0.0.0.0'",
        ),
        (
            {
                "TEAMS_WITHOUT_AUTHENTICATION": "1",
                "TEAMS_TENANT_ID": "t",
                "TEAMS_APP_PASSWORD": "p",
                "TEAMS_APP_ID": "a",
            },
            "TEAMS_WITHOUT_AUTHENTICATION: expected it unset because TEAMS_APP_ID is set",
        ),
        ({"TEAMS_ADMIN_CHAT": "19:a@thread.v2"}, "TEAMS_ADMINS: needed because TEAMS_ADMIN_CHAT is set"),
        (
            {"TEAMS_ADMIN_CHAT": "a:1", "TEAMS_ADMINS": "ann@example.com"},
            "TEAMS_ADMIN_CHAT: expected a chat's id such as 19:…@thread.v2, got 'a:1'",
        ),
        ({"TEAMS_GRAPH": "1"}, "TEAMS_APP_ID: needed because TEAMS_GRAPH is set"),
        (
            {"TEAMS_CLOUD": "china", "TEAMS_ADMIN_CHAT": "19:a@thread.v2", "TEAMS_ADMINS": "a"},
            "TEAMS_SERVICE_URL: needed because TEAMS_ADMIN_CHAT is set and TEAMS_CLOUD is china",
        ),
        (
            {"TEAMS_EXPERT_CHANNEL": "19:a@thread.v2"},
            "TEAMS_EXPERT_CHANNEL: expected a channel's id such as 19:…@thread.tacv2, got '19:a@thread.v2'",
        ),
    ],
)
def test_half_a_configuration_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], mistake: str
) -> None:
    assert find_mistakes(monkeypatch, **variables) == [mistake]


def test_slack_needs_a_way_for_events_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    (mistake,) = find_mistakes(monkeypatch, SLACK_BOT_TOKEN="xoxb-1")
    assert "SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP)" in mistake


@pytest.mark.parametrize("way", ["SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"])
def test_either_way_of_slack_is_enough(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv(way, "value")
    assert load_settings().has_slack


@pytest.mark.parametrize("value", ["24:00", "2:00", "02:60", "02:00:00", "two", "02.00"])
def test_a_time_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert find_mistakes(monkeypatch, NIGHT_TIME=value) == [f"NIGHT_TIME: expected HH:MM, got {value!r}"]


@pytest.mark.parametrize("value", ["Seoul", "Asia", "../etc/passwd", "KST+9"])
def test_a_time_zone_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    (mistake,) = find_mistakes(monkeypatch, NIGHT_TIME_ZONE=value)
    assert mistake == f"NIGHT_TIME_ZONE: expected an IANA name such as Asia/Seoul, got {value!r}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "-1"),
        ("LOG_LEVEL", "LOUD"),
        ("NIGHT_PROMOTE", "never"),
        ("MODEL_URL", "model:8000"),
        ("MODEL_TEMPERATURE", "3"),
        ("WORKER_CONCURRENCY", "0"),
        ("NIGHT_BETA", "0"),
        ("SLACK_EXPERT_CHANNEL", "#experts"),
    ],
)
def test_a_value_out_of_its_range_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert find_mistakes(monkeypatch, **{name: value})[0].startswith(f"{name}: ")


def test_a_report_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {name: SECRET for name in VARIABLES if "SecretStr" in str(Settings.model_fields[name.lower()])}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PORT", "eighty")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert len(secrets) == 10
    assert SECRET not in f"{caught.value} {caught.value.__cause__}"


def test_settings_show_no_secret_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nightbake:{SECRET}@db/nightbake")
    monkeypatch.setenv("ADMIN_TOKEN", SECRET)
    settings = load_settings()
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_the_page_lists_every_variable_with_its_default_and_meaning() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    wanted = [
        (name.upper(), "" if field.default is None else f"`{field.default}`", field.description)
        for name, field in Settings.model_fields.items()
    ]
    assert sorted(rows) == sorted(wanted)


def test_weights_are_read_by_name_and_anything_else_is_refused() -> None:
    assert read_weights("group:hr=3, user:a=b=0.5") == {"group:hr": 3.0, "user:a=b": 0.5}
    for wrong in ("group:hr", "=3", "ann=0", "ann=-1", "ann=nan", "ann=101"):
        with pytest.raises(ValueError, match="NAME=WEIGHT"):
            read_weights(wrong)


def test_a_wrong_weight_is_told_by_its_variable() -> None:
    with pytest.raises(SettingsError, match="NIGHT_RATER_WEIGHTS: expected NAME=WEIGHT"):
        load_settings(night_rater_weights="ann")


@pytest.mark.parametrize("value", ["12", "0", "four"])
def test_bits_are_those_that_can_be_served(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert [mistake.partition(":")[0] for mistake in find_mistakes(monkeypatch, MODEL_BITS=value)] == ["MODEL_BITS"]
