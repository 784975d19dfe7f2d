"""`nightbake up`: starts everything, says where it is, and ends cleanly when it is asked to."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import QUESTION
from tests.cli.running import run_nightbake, start_nightbake
from tests.fakes.model_server import FakeModelServer
from tests.ports import find_free_port
from tests.retrieval.small_models import save_model

ACTIVE = "SELECT name FROM active_embedding_model JOIN embedding_models ON embedding_models.id = model_id"

pytestmark = pytest.mark.timeout(300)  # each start imports torch, which takes a busy machine a minute


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """The port that `up` is told to listen on."""
    port = find_free_port()
    monkeypatch.setenv("PORT", str(port))
    return port


@contextmanager
def running(*arguments: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """`nightbake up`, with what it says kept in `home/said`; killed when a test fails before it ends."""
    with (home / "said").open("w") as said:
        process = start_nightbake("up", *arguments, stdout=subprocess.PIPE, stderr=said)
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def wait_for(home: Path, text: str, process: subprocess.Popen[str], *, seconds: float = 200) -> str:
    """What it has said, once that holds a text."""
    deadline = time.monotonic() + seconds
    while text not in (said := (home / "said").read_text()):
        assert process.poll() is None and time.monotonic() < deadline, said
        time.sleep(0.05)
    return said


def fetch(url: str) -> str:
    """A page as a browser sees it, which keeps the cookie that a link with a token sets."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(url, timeout=30) as response:
        return response.read().decode()


def test_it_says_where_it_is_answers_there_and_ends_on_control_c(
    installation: FakeModelServer, port: int, documents: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCUMENTS", str(documents))
    with running(home=home) as process:
        said = wait_for(home, "Ctrl-C stops it.", process)
        assert f"chat page      http://127.0.0.1:{port}\n" in said
        assert f"model server at {installation.url}: ready" in said and "documents: 1 added" in said
        assert "<html" in fetch(f"http://127.0.0.1:{port}/")
        (console,) = [line.split()[-1] for line in said.splitlines() if "admin console" in line]
        assert "<html" in fetch(console)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    said = (home / "said").read_text()
    assert (said.rstrip().endswith("stopping…"), "Traceback" in said) == (True, False)
    with pytest.raises(urllib.error.URLError):
        fetch(f"http://127.0.0.1:{port}/")


def test_another_embedding_model_is_filled_in_while_it_answers(
    installation: FakeModelServer, port: int, documents: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (save_model(home / name, {"leave": [1, 0], "coffee": [0, 1]}) for name in ("old", "new"))
    assert run_nightbake("ingest", str(documents), EMBEDDING_MODEL=old).code == 0
    monkeypatch.setenv("EMBEDDING_MODEL", new)
    with running(home=home) as process:
        said = wait_for(home, "Ctrl-C stops it.", process)
        assert f"questions are asked with {old} until {new} is filled in (0 of 1 chunks)" in said
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            deadline = time.monotonic() + 60
            while connection.execute(ACTIVE).fetchone() != (new,):
                assert time.monotonic() < deadline
                time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert '"message": "embedding model is active"' in (home / "logs" / "nightbake.log").read_text()


def test_the_search_learns_from_votes_while_it_serves(
    installation: FakeModelServer, port: int, documents: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCUMENTS", str(documents))
    with running(home=home) as process:
        wait_for(home, "Ctrl-C stops it.", process)
        number = run_nightbake("ask", QUESTION, "--json").json["interaction_id"]
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(
                "INSERT INTO feedback (interaction_id, person, value, source) VALUES (%s, 'user:ann', 1, 'web')",
                [number],
            )
            deadline = time.monotonic() + 60
            while not connection.execute("SELECT term FROM taught_terms").fetchone():
                assert time.monotonic() < deadline
                time.sleep(0.05)


def test_people_and_nights_may_have_processes_of_their_own(
    installation: FakeModelServer, port: int, home: Path, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As JSON each says one object, and nothing else."""
    monkeypatch.setenv("DOCUMENTS", str(documents))
    with running("--only", "night", "--json", home=home) as nights:
        assert nights.stdout
        told = json.loads(nights.stdout.readline())
        assert (set(told), told["next_night"] is None) == ({"next_night", "seconds"}, False)
        with running("--only", "bot", "--json", home=home) as bot:
            assert bot.stdout
            up = json.loads(bot.stdout.readline())
            assert (up["chat"], up["console"].split("?")[0]) == (f"http://127.0.0.1:{port}", f"{up['chat']}/console")
            assert up["next_night"] is None and "<html" in fetch(up["chat"])
            for process in (bot, nights):
                process.send_signal(signal.SIGTERM)
                assert (process.wait(60), process.stdout.read()) == (0, "")
    assert (home / "said").read_text() == ""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM documents").fetchone() == (1,)


def test_a_start_that_waits_for_its_database_ends_at_once(
    installation: FakeModelServer, port: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nobody@127.0.0.1:{find_free_port()}/none")
    with running(home=home) as process:
        wait_for(home, "state in", process)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert (process.wait(60), time.monotonic() - began < 30) == (130, True)
    assert (home / "said").read_text().rstrip().endswith("stopped")


def test_a_port_that_is_taken_is_said(installation: FakeModelServer) -> None:
    taken = installation.url.rsplit(":", 1)[-1]
    ran = run_nightbake("up", PORT=taken)
    assert (ran.code, taken in ran.err, "Traceback" in ran.err) == (3, True, False)
