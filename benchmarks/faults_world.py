"""What the benchmark of faults breaks: a PostgreSQL, a way to it, and processes that die and are started again."""

import asyncio
import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from benchmarks.faults_processes import Place
from benchmarks.faults_proxy import Proxy
from core.embedded_database import EmbeddedDatabase

DISK_MIB = 900
START_SECONDS = 60.0
LOOK_SECONDS = 0.02

# The database's own clock, which a run may set wrong: what the code calls `now` is found here first.
CLOCK = """
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT pg_catalog.now() + coalesce(current_setting('faults.jump', true), '0')::interval $$;
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS
    $$ SELECT pg_catalog.clock_timestamp() + coalesce(current_setting('faults.jump', true), '0')::interval $$;
"""


@contextmanager
def open_disk() -> Iterator[tuple[Path, bool]]:
    """A folder on a small disk of its own, and whether it is one: only who may mount can make it full."""
    folder = Path(tempfile.mkdtemp(prefix="nightbake-faults-"))
    size = f"size={DISK_MIB}m"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, check=False)
    folder.chmod(0o755)  # as root, the package runs PostgreSQL as another user
    try:
        yield folder, mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)


class Postgres:
    """A server of this benchmark's own; `stop` and `start` block."""

    def __init__(self, folder: Path) -> None:
        self._embedded = EmbeddedDatabase(folder / "postgres")
        self._folder = folder
        self.url = ""

    def __enter__(self) -> "Postgres":
        self._embedded.start()
        self.url = self._embedded.url
        return self

    def __exit__(self, *_: object) -> None:
        self.start()
        self._embedded.stop()

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return Path(str(conninfo_to_dict(self.url)["host"])) / ".s.PGSQL.5432"

    def stop(self, how: str) -> None:
        """`fast` ends every session in good order, `immediate` is a crash."""
        server: Any = self._embedded._server
        command = [server.bin_path / "pg_ctl", "-D", server.pgdata, "-w", "-m", how, "stop"]
        subprocess.run(command, user=server.system_user, check=False, capture_output=True)

    def start(self) -> None:
        """Start again, which may take a recovery; nothing where it runs."""
        self._embedded._server.ensure_postgres_running()

    def execute(self, statement: str | sql.Composed, database: str = "postgres") -> None:
        """One statement, not through the proxy; a server that recovers is waited for."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with psycopg.connect(self.url, dbname=database, autocommit=True) as connection:
                    connection.execute(statement)  # type: ignore[arg-type]
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_SECONDS)

    def make_template(self, name: str, migrate: Callable[[str], None]) -> None:
        """An empty database whose clock can be set wrong, filled by `migrate`."""
        self.execute(f"CREATE DATABASE {name}")
        self.execute(CLOCK, name)
        self.execute(f"ALTER DATABASE {name} SET search_path = public, pg_catalog")
        migrate(self.find_url(name))

    def find_url(self, name: str) -> str:
        """The address of one database, on the server's socket."""
        return self.url.replace("/postgres?", f"/{name}?")


class Child:
    """A process under a name, which is killed and started again; a start is heard on its port, where it has one.

    Args:
        start_seconds: how long a start may take.
    """

    def __init__(self, target: Callable[[Place], None], place: Place, *, start_seconds: float = START_SECONDS) -> None:
        self._target = target
        self._start_seconds = start_seconds
        self.place = place
        self._process: BaseProcess | None = None
        self.lock = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Of the process that runs."""
        return self._process.pid if self._process and self._process.is_alive() else None

    async def start(self) -> None:
        """Start; returns at once."""
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(target=self._target, args=(self.place,), daemon=True)
        await asyncio.to_thread(self._process.start)

    async def wait_until_heard(self) -> None:
        """Until somebody listens on the port; a start that failed is repeated, as whoever runs services does."""
        deadline = time.monotonic() + self._start_seconds
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.place.port)
                writer.close()
                return
            if self.pid is None:
                await self.start()
            assert time.monotonic() < deadline, f"nobody listens on {self.place.port}; see {self.place.home}/logs"
            await asyncio.sleep(LOOK_SECONDS)

    async def end(self, number: signal.Signals) -> int | None:
        """Send a signal and wait for the end; the exit code."""
        if self._process is None:
            return None
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        await asyncio.to_thread(self._process.join, START_SECONDS)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
        if self._process.pid is not None:
            # As `core.supervisor` does: vLLM's engine outlives it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process = None
        return code

    async def freeze(self, seconds: float) -> None:
        """Let it stand still for a while, as a machine does that swaps or is moved."""
        if (pid := self.pid) is None:
            return
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    @property
    def is_over(self) -> bool:
        """Whether it ended by itself, and well."""
        return self._process is not None and self._process.exitcode == 0


@dataclass(slots=True)
class World:
    """Everything of one run.

    Attributes:
        database: its name.
        schedulers: of nights; none in a run without.
        is_own_disk: whether the disk may be filled.
        exit_codes: of replicas that were asked to end.
    """

    folder: Path
    is_own_disk: bool
    postgres: Postgres
    proxy: Proxy
    database: str
    replicas: list[Child]
    model: Child
    schedulers: list[Child]
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    exit_codes: list[int | None] = field(default_factory=list[int | None])

    @property
    def urls(self) -> list[str]:
        """Of the replicas."""
        return [f"http://127.0.0.1:{replica.place.port}" for replica in self.replicas]

    @property
    def is_slow(self) -> bool:
        """Whether a real model answers, which trains meanwhile or takes a minute to start again."""
        return bool(self.schedulers or self.model.place.vllm_model)

    @property
    def home(self) -> Path:
        """The state folder that all of them share."""
        return self.model.place.home

    def find_trainers(self) -> list[int]:
        """Process ids of trainings of this run."""
        found: list[int] = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().decode().split("\0")
                if "learning.train" in words and any(word.startswith(str(self.home)) for word in words):
                    found.append(int(folder.name))
        return found


@asynccontextmanager
async def open_world(world: World) -> AsyncGenerator[World]:
    """Start all of it; what still runs at the end is killed."""
    children = [world.model, *world.replicas, *world.schedulers]
    try:
        await asyncio.gather(*(child.start() for child in children))
        await asyncio.gather(*(child.wait_until_heard() for child in (world.model, *world.replicas)))
        yield world
    finally:
        await asyncio.gather(*(child.end(signal.SIGKILL) for child in children))


async def restart(child: Child, *, after: float, clock_seconds: float = 0.0) -> None:
    """Start it after a while, and wait until it is heard."""
    await asyncio.sleep(after)
    child.place = replace(child.place, clock_seconds=clock_seconds)
    await child.start()
    if child.place.port:
        await child.wait_until_heard()
