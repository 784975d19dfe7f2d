"""The embedded server stops with its last user, also where another one was killed."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.embedded_database import EmbeddedDatabase

JOIN_AND_WAIT = """
import sys
from pathlib import Path
from core.embedded_database import EmbeddedDatabase
EmbeddedDatabase(Path(sys.argv[1])).start()
print("joined", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not in pytest's own folder: that is closed to the user that PostgreSQL runs as when the tests run as root.
    with tempfile.TemporaryDirectory(prefix="nightbake-embedded-") as parent:
        Path(parent).chmod(0o755)
        yield Path(parent) / "data"


def test_a_killed_user_does_not_keep_the_server_running(folder: Path) -> None:
    server = EmbeddedDatabase(folder)
    server.start()
    command = [sys.executable, "-c", JOIN_AND_WAIT, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "joined\n"
        other.send_signal(signal.SIGKILL)
    assert (folder / "postmaster.pid").exists()
    server.stop()
    assert not (folder / "postmaster.pid").exists()
