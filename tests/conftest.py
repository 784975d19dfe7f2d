"""One real PostgreSQL a test process, one migrated database a test."""

import asyncio
import itertools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from core.database import Database
from core.embedded_database import EmbeddedDatabase
from core.migrate import migrate

_numbers = itertools.count()

MEMORY = Path("/dev/shm")
ENOUGH_MEMORY = 4 << 30


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--thorough`: as many random cases as docs/reliability.md tells of; one in fifty without it."""
    parser.addoption("--thorough", action="store_true", help="every random case, which takes many minutes")


@pytest.fixture(scope="session")
def thoroughness(request: pytest.FixtureRequest) -> float:
    """Share of the random cases that a test tries, in (0, 1]."""
    return 1.0 if request.config.getoption("--thorough") else 0.02


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a server that holds the migrated database `template`."""

    async def make_template(url: str) -> None:
        async with Database(url.replace("/postgres?", "/template?")) as database:
            await migrate(database)

    # Not in pytest's own folder: that is closed to the user that PostgreSQL runs as when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="nightbake-test-postgres-", dir=_find_quick_folder()))
    folder.chmod(0o755)
    server = EmbeddedDatabase(folder / "data")
    server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:
        # Nobody pulls the plug of a test.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE template")
    asyncio.run(make_template(server.url))
    yield server.url
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _find_quick_folder() -> Path | None:
    """Where a database is cloned in 0.03 s, for a disk takes up to 0.8 s; None for the usual temporary folder."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ENOUGH_MEMORY
    return MEMORY if has_room else None


@contextmanager
def make_database(postgres: str) -> Generator[str]:
    """Address of a migrated database that is dropped at the end."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy")
        yield postgres.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(postgres: str) -> Iterator[str]:
    """Address of a fresh database of this test's own."""
    with make_database(postgres) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open pool on this test's database."""
    async with Database(database_url, patience_seconds=5) as database:
        yield database


@pytest.fixture(scope="session")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny random Llama that TRL trains in a second, made once a test process."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    subprocess.run([sys.executable, "-m", "tests.learning.tiny_model", str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the developer's `.env` or leaves state in the checkout."""
    monkeypatch.setenv("NIGHTBAKE_HOME", str(tmp_path / "home"))
    # Processes of several tests would want the same port.
    monkeypatch.setenv("METRICS_PORT", "0")
    for name in ("DATABASE_URL", "MODEL_URL", "MODEL_NAME", "EMBEDDING_MODEL", "SLACK_BOT_TOKEN", "TEAMS_APP_ID"):
        monkeypatch.delenv(name, raising=False)
