"""A PostgreSQL of a test's own, to be stopped and started again under what is being tested."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from core.embedded_database import EmbeddedDatabase


@asynccontextmanager
async def run_own_postgres() -> AsyncGenerator[EmbeddedDatabase]:
    """A server that nothing else uses; `start` and `stop` it in a thread."""
    # Not in pytest's own folder: that is closed to the user that PostgreSQL runs as when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="nightbake-own-postgres-"))
    folder.chmod(0o755)
    server = EmbeddedDatabase(folder / "data")
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
