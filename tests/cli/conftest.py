"""An installation of a test's own: its database, a fake model server in a thread, and the sample's leave policy."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer, run_model_server

QUESTION = "How many days of annual leave do employees have?"
ANSWER = "Employees have 23 days of annual leave. [1]"
LEAVE = "# Leave policy\n\n## Annual leave\n\nEmployees have 23 days of annual leave.\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder, which is the working folder too: no `.env` lies there."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("NIGHTBAKE_HOME", str(home))
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def model_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeModelServer]:
    """A fake model server, named by the environment; it answers while the test itself waits for a command."""
    fake, ready, loop = FakeModelServer(), threading.Event(), asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with run_model_server(fake):
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    monkeypatch.setenv("MODEL_URL", fake.url)
    monkeypatch.setenv("MODEL_NAME", fake.model)
    yield fake
    loop.call_soon_threadsafe(ended.set)
    thread.join()
    loop.close()


@pytest.fixture
def installation(database_url: str, model_server: FakeModelServer, monkeypatch: pytest.MonkeyPatch) -> FakeModelServer:
    """A database and a model server, both named by the environment."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return model_server


@pytest.fixture
def filled(installation: FakeModelServer, documents: Path) -> FakeModelServer:
    """An installation that knows the leave policy."""
    assert run_nightbake("ingest", str(documents)).code == 0
    return installation


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A folder with one document that everyone may read."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / ".access.json").write_text('{"allow": ["everyone"]}')
    (folder / "leave.md").write_text(LEAVE)
    return folder
