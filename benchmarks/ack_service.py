"""The processes that a benchmark of acks sends events to, and what they are made of where nothing is to take time.

Each prints the address of its endpoint when it takes events, and serves until it is told to end.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.instant_model_server import MODEL
from bot.answer import Answerer
from bot.compose import Composer, Limits
from bot.stops import Stops
from core.database import Database
from core.gaps import Gaps
from core.interactions import Interactions
from core.model_server import ModelServer
from core.records import Passage
from retrieval.query import Found

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

TEXT = "Employees have 23 days of annual leave a year, and unused days move to the next year until March."
PASSAGE = Passage(
    1, 7, 1, 1, "Leave policy", "Annual leave", "leave.md", 3, 0, len(TEXT), TEXT, "en", 0.9, 0.8, 4.0, ["everyone"]
)


class OnePassage:
    """A search that takes no time."""

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> Found:
        """The passage, for whoever may read it."""
        return Found([PASSAGE] if "everyone" in principals else [], question, [])


class Service:
    """A process under a name; killed as a machine dies, and started again.

    Args:
        file: the module that is run.
        arguments: what it is given.
    """

    def __init__(self, file: str, *arguments: str) -> None:
        self._command = (sys.executable, file, *arguments)
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Start, and wait until it takes events."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise SystemExit("the service did not start; its error stands above")

    def read_resident_mib(self) -> float | None:
        """Memory that it holds; None while it does not run."""
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) if self._process else 0
        except (OSError, IndexError):
            return None
        return pages * PAGE_BYTES / 2**20 or None

    def kill(self) -> None:
        """End without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End in good order."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.wait()
            assert self._process.stdout
            self._process.stdout.close()
            self._process = None


def connect_to_model(model_url: str) -> ModelServer:
    """The benchmark's own model server."""
    return ModelServer(model_url, MODEL)


def build_answerer(
    database: Database, model_server: ModelServer, interactions: Interactions, *, base_url: str
) -> Answerer:
    """As `nightbake up` builds it, but for the search."""
    return Answerer(
        interactions=interactions,
        search=OnePassage(),
        gaps=Gaps(database),
        stops=Stops(database),
        composer=Composer(model_server, Limits()),
        base_url=base_url,
    )


async def serve_until_told(url: str) -> None:
    """Say where events are taken, and wait for the end."""
    print(url, flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
