"""A company around the real service: its database, its model, a document, and the service in a process of its own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession

from core.database import Database
from tests.fakes.model_server import FakeModelServer, run_model_server
from tests.ports import find_free_port

# A start imports torch, which takes a busy machine a minute.
START_SECONDS = 200
WORDS_BEFORE_THE_GATE = 4

ROOT = Path(__file__).parent.parent.parent
LEAVE = "# Leave policy\n\n## Annual leave\n\nEmployees have 23 days of annual leave.\n"
QUESTION = "How many days of annual leave do employees have?"


@dataclass
class Office:
    """A service and what it works with.

    Attributes:
        settings: the service's environment.
        url: of the service.
        session: for who speaks to it.
        program: what the process runs.
    """

    model: FakeModelServer
    database: Database
    settings: dict[str, str]
    url: str
    home: Path
    session: ClientSession
    program: Sequence[str] = ("-m", "nightbake")
    process: asyncio.subprocess.Process | None = None

    async def start(self, further: Mapping[str, str] | None = None) -> None:
        """Start the service, with further settings, and wait until it serves."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self.program,
            "up",
            "--json",
            env=os.environ | self.settings | dict(further or {}),
            cwd=self.home,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self.process.stdout
        announced = await asyncio.wait_for(self.process.stdout.readline(), START_SECONDS)
        assert json.loads(announced)["chat"] == self.url

    async def end(self, number: signal.Signals) -> int:
        """Send the service a signal and wait for its end."""
        assert self.process
        self.process.send_signal(number)
        await asyncio.wait_for(self.process.communicate(), 60)
        return self.process.returncode or 0

    async def end_leases(self) -> None:
        """Let nobody wait for the leases of the dead to end."""
        await self.database.execute(b"UPDATE inbox SET lease_expires_at = now()")

    async def find_modes(self) -> list[tuple[str, str]]:
        rows = await self.database.fetch_dicts(b"SELECT question, mode FROM interactions ORDER BY id")
        return [(row["question"], row["mode"]) for row in rows]

    @asynccontextmanager
    async def held(self, words: int = WORDS_BEFORE_THE_GATE) -> AsyncGenerator[asyncio.Semaphore]:
        """Answers stop after some words until this ends; each release is a word more."""
        gate = self.model.gate = asyncio.Semaphore(words)
        try:
            yield gate
        finally:
            self.model.gate = None
            for _ in range(1_000):
                gate.release()


@asynccontextmanager
async def open_office(database: Database, folder: Path) -> AsyncIterator[Office]:
    """A company with one document, which everybody may read; its service is started by `start`, killed at the end."""
    home, documents, port = folder / "home", folder / "documents", find_free_port()
    home.mkdir()
    documents.mkdir()
    (documents / ".access.json").write_text('{"allow": ["everyone"]}')
    (documents / "leave.md").write_text(LEAVE)
    async with run_model_server() as model, ClientSession() as session:
        settings = {
            "PYTHONPATH": str(ROOT),
            "NIGHTBAKE_HOME": str(home),
            "DATABASE_URL": database.url,
            "MODEL_URL": model.url,
            "MODEL_NAME": model.model,
            "DOCUMENTS": str(documents),
            "PORT": str(port),
        }
        office = Office(model, database, settings, f"http://127.0.0.1:{port}", home, session)
        try:
            yield office
        finally:
            if office.process and office.process.returncode is None:
                await office.end(signal.SIGKILL)
