"""A PostgreSQL for one run: durable by its settings, and crashed at the end to see what it kept."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from core.embedded_database import EmbeddedDatabase

# Anything else would count answers that a power cut takes back.
DURABLE_SETTINGS = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
RECOVERY_SECONDS = 60


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="nightbake-benchmark-"))
    folder.chmod(0o755)  # as root, the package runs PostgreSQL as another user
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def open_embedded() -> Iterator[str]:
    """The address of an embedded server in a folder of its own."""
    with open_folder() as folder:
        server = EmbeddedDatabase(folder / "data")
        try:
            server.start()
            yield server.url
        finally:
            server.stop()


def check_durability(url: str) -> None:
    """Refuse a server that acknowledges before the disk has it."""
    with psycopg.connect(url) as connection:
        for name, wanted in DURABLE_SETTINGS.items():
            row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
            if row != (wanted,):
                raise SystemExit(f"{name} must be {wanted} for a durable answer, got {row and row[0]}")


def crash(url: str) -> None:
    """Kill one backend of a server on this machine, and wait until the server has recovered from its log.

    PostgreSQL throws its whole shared memory away after such a death: what was not in the write-ahead log is gone.
    """
    # The second connection ends when the server has noticed; until then new ones would still be let in.
    with psycopg.connect(url) as victim, psycopg.connect(url, autocommit=True) as witness:
        os.kill(victim.info.backend_pid, signal.SIGKILL)
        with suppress(psycopg.OperationalError):
            witness.execute("SELECT pg_sleep(%s)", (RECOVERY_SECONDS,))
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
