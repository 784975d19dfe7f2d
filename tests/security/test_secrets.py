"""Every secret of the settings planted, everything used and everything broken once: no planted value comes out."""

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from pydantic import SecretStr

from core.settings import Settings
from tests.bot.slack.conftest import sign
from tests.cli.conftest import QUESTION, documents, home, installation, model_server
from tests.cli.running import Ran, run_nightbake
from tests.cli.test_up import running, wait_for
from tests.fakes.model_server import FakeModelServer
from tests.ports import find_free_port

__all__ = ["documents", "home", "installation", "model_server"]

pytestmark = pytest.mark.timeout(300)

MARK = "planted7Q2x9"
FORMS = {
    "SLACK_BOT_TOKEN": "xoxb-1-{}",
    "SLACK_APP_TOKEN": "xapp-1-A0-1-{}",
    "DATABASE_URL": "{}",
}
NOWHERE = "http://127.0.0.1:9/"
SOURCES = """
[wiki]
kind = "confluence"
url = "http://127.0.0.1:9"
email = "bot@example.com"
spaces = ["HR"]
token_env = "WIKI_TOKEN"
[code]
kind = "git"
url = "https://127.0.0.1:9/x.git"
token_env = "GIT_TOKEN"
"""


def find_secret_names() -> list[str]:
    """Every setting that hides itself; a new one is tried without a change here."""
    return [name.upper() for name, field in Settings.model_fields.items() if SecretStr in _list_types(field.annotation)]


def _list_types(annotation: object) -> tuple[object, ...]:
    return getattr(annotation, "__args__", (annotation,))


PLANTED = {name: FORMS.get(name, "{}").format(f"{MARK}{name}") for name in find_secret_names()}
# The rest of them belong to another way to run Slack, tried apart.
UP = {
    name: value
    for name, value in PLANTED.items()
    if name not in ("SLACK_CLIENT_SECRET", "SLACK_TOKEN_KEY", "DATABASE_URL")
}
BESIDE = {
    "SLACK_API_URL": NOWHERE,
    "OIDC_ISSUER": NOWHERE.rstrip("/"),
    "OIDC_CLIENT_ID": "console",
    "TEAMS_APP_ID": "11111111-2222-3333-4444-555555555555",
    "TEAMS_TENANT_ID": "66666666-7777-8888-9999-000000000000",
    "LOG_LEVEL": "DEBUG",
    "WIKI_TOKEN": f"{MARK}WIKI",
    "GIT_TOKEN": f"{MARK}GIT",
}


@pytest.fixture
def planted(installation: FakeModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An installation in which every secret is set, the password of its database too."""
    file = tmp_path / "sources.toml"
    file.write_text(SOURCES)
    parts = urlsplit(os.environ["DATABASE_URL"])
    user = parts.username or "postgres"
    host = parts.hostname or ""
    address = urlunsplit(parts._replace(netloc=f"{user}:{PLANTED['DATABASE_URL']}@{host}"))
    values = UP | BESIDE | {"DATABASE_URL": address, "PORT": str(find_free_port())}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


def fetch(url: str, body: bytes | None = None, **headers: str) -> str:
    """Whatever is answered, with its headers."""
    request = urllib.request.Request(url, body, headers)
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    try:
        with opener.open(request, timeout=30) as response:
            return f"{response.headers}\n{response.read().decode()}"
    except urllib.error.HTTPError as error:
        return f"{error.headers}\n{error.read().decode()}"


def use(base: str) -> Iterator[str]:
    """What people, admins, platforms and strangers are told."""
    for path in (
        "/healthz",
        "/",
        "/sign-in",
        "/sign-in/back?code=x&state=y",
        "/console",
        "/nothing",
        "/metrics",
        "/api/conversations/conversation-1",
    ):
        yield fetch(base + path)
    token = PLANTED["ADMIN_TOKEN"]
    pages = [fetch(f"{base}{path}?token={token}") for path in ("/console", "/console/answers", "/console/nights")]
    # The link's own cookie may well say who one is; the page may not.
    yield from (page.partition("\n\n")[2] for page in pages)
    question = json.dumps({"text": QUESTION, "conversation": "conversation-1"}).encode()
    yield fetch(f"{base}/api/questions", question, **{"Content-Type": "application/json"})
    yield fetch(f"{base}/api/questions", b"{", **{"Content-Type": "application/json"})
    event = json.dumps(
        {"type": "event_callback", "team_id": "T1", "event": {"type": "app_home_opened", "user": "U1", "tab": "home"}}
    ).encode()
    yield fetch(f"{base}/slack/events", event, **sign(event, secret=PLANTED["SLACK_SIGNING_SECRET"]))
    yield fetch(f"{base}/slack/events", event, **sign(event, secret="another"))
    yield fetch(f"{base}/api/messages", b"{}", **{"Content-Type": "application/json", "Authorization": "Bearer a.b.c"})


def dump_tables() -> Iterator[str]:
    """Every row of every table, as text."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            for (row,) in connection.execute(f"SELECT row_to_json(t)::text FROM {table} t"):
                yield f"{table}: {row}"


def check_clean(where: str, text: str) -> None:
    """Fail with the place, and not with the text itself."""
    found = [
        name
        for name, value in {**PLANTED, **BESIDE}.items()
        if MARK in value and (value in text or quote(value) in text)
    ]
    assert not found and MARK not in text, f"{where} holds {found or 'part of a secret'}"


def test_nothing_says_a_secret_while_all_is_used(
    planted: dict[str, str], documents: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {"ADMIN_TOKEN", "DATABASE_URL", "TEAMS_APP_PASSWORD", "SLACK_SIGNING_SECRET"} <= set(PLANTED)
    monkeypatch.setenv("DOCUMENTS", str(documents))
    monkeypatch.setenv("SOURCES_FILE", str(home.parent / "sources.toml"))
    with running(home=home) as process:
        wait_for(home, "Ctrl-C stops it.", process)
        for number, told in enumerate(use(f"http://127.0.0.1:{planted['PORT']}")):
            check_clean(f"answer {number}", told)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    for command in (
        ("doctor", "--json"),
        ("doctor",),
        ("ask", QUESTION, "--json"),
        ("night", "--json", "--force"),
        ("report", "--json"),
        ("sources", "list", "--json"),
        ("slack", "manifest"),
    ):
        ran = run_nightbake(*command)
        check_clean(" ".join(command), ran.out + ran.err)
    for file in home.rglob("*"):
        if file.is_file() and file.suffix in (".log", ".json", ".jsonl", ".html", ".md", ""):
            check_clean(str(file), file.read_bytes().decode(errors="replace"))
    logged = (home / "logs" / "nightbake.log").read_text()
    assert "error" in logged, "the platforms were away, which must have been logged"
    for row in dump_tables():
        check_clean("the database", row)


WRONG = [
    {"DATABASE_URL": f"postgresql://ann:{MARK}@127.0.0.1:9/x"},
    {"DATABASE_URL": f"mysql://ann:{MARK}@db/x"},
    {"DATABASE_URL": f"postgresql://ann:{MARK}@[::1/x"},
    {"MODEL_URL": NOWHERE},
    {"PORT": "eighty", "SLACK_APP_TOKEN": f"{MARK}"},
    {"SLACK_BOT_TOKEN": "", "SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": f"{MARK}C", "SLACK_TOKEN_KEY": f"{MARK}K"},
    {"SLACK_BOT_TOKEN": f"{MARK} with a space"},
    {"TEAMS_TENANT_ID": ""},
]


@pytest.mark.parametrize("wrong", WRONG, ids=" ".join)
def test_a_wrong_value_is_named_and_not_said(planted: dict[str, str], wrong: dict[str, str]) -> None:
    def run(*command: str) -> Ran:
        return run_nightbake(*command, **wrong)

    for ran in (run("doctor", "--json"), run("doctor"), run("ask", QUESTION, "--json"), run("ask", QUESTION)):
        check_clean(" ".join(wrong), ran.out + ran.err)
