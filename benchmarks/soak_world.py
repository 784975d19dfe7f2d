"""The world of soaks and overloads: PostgreSQL, a model server of realistic pace, a Slack, two replicas, and faults.

Slack's side knows both replicas, as a load balancer does: what one does not take in time goes to the other.
"""

import asyncio
import random
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from psycopg.rows import dict_row

from benchmarks import instant_model_server, slack_service
from benchmarks.ack_service import Service
from benchmarks.scratch_database import open_embedded
from benchmarks.slack_stand_in import StandIn, run_stand_in
from benchmarks.slack_workload import make_question, sign
from benchmarks.soak_figures import Samples
from core.database import Database
from core.migrate import migrate
from tests.ports import find_free_port

# A model that gives an answer in a second and eight at once bears eight a second.
ANSWER_SECONDS, SLOTS = 1.0, 8
ACK_SECONDS = 3.0
# Of the company; what is remembered of each of them is there after a few minutes.
PEOPLE = 1_000
SAMPLE_SECONDS = 2.0
# A platform sends again what was not acknowledged, so often.
DELIVERIES = 10
# Without one more answer; longer than a dead worker's lease.
STALL_SECONDS = 60.0

_COUNTS = b"""
SELECT count(*) FILTER (WHERE kind = 'question' AND done_at IS NULL AND buried_at IS NULL) AS open,
       count(*) FILTER (WHERE kind = 'question' AND done_at IS NOT NULL) AS answered,
       count(*) FILTER (WHERE kind = 'question' AND done_at IS NULL AND buried_at IS NULL
                          AND (lease_expires_at IS NULL OR lease_expires_at < now())) AS waiting,
       count(*) FILTER (WHERE notice_place IS NOT NULL) AS told,
       count(*) FILTER (WHERE buried_at IS NOT NULL) AS buried,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections
FROM inbox
"""


@dataclass(slots=True)
class Load:
    """What was sent, and what came back.

    Attributes:
        acks: seconds of each delivery that was acknowledged.
        acknowledged: keys of threads whose question was.
        late: deliveries without an answer within Slack's three seconds, which Slack would send again.
        unreached: deliveries to a replica that was not there.
        given_up: questions that no replica took in all deliveries.
    """

    acks: list[float] = field(default_factory=list[float])
    acknowledged: set[str] = field(default_factory=set[str])
    late: int = 0
    unreached: int = 0
    given_up: int = 0


class ModelProcess:
    """The model server, on one port through all its lives."""

    def __init__(self) -> None:
        self._port = find_free_port()
        self._process: subprocess.Popen[str] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start, and wait until it listens."""
        command = (sys.executable, instant_model_server.__file__, str(ANSWER_SECONDS), str(SLOTS), str(self._port))
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout and self._process.stdout.readline()

    def kill(self) -> None:
        """End it with all that it was saying."""
        if self._process:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout
            self._process.stdout.close()
            self._process = None


class World:
    """Everything that runs; two replicas, of which the second one is what dies.

    Attributes:
        replicas: the processes by name.
    """

    def __init__(self, database_url: str, model: ModelProcess, slack: StandIn, *, seed: int) -> None:
        self.database_url = database_url
        self.model = model
        self.slack = slack
        self.random = random.Random(seed)
        self.samples = Samples()
        self.began = time.perf_counter()
        self.replicas = {name: self._build_replica() for name in ("first", "second")}
        self._lives = dict.fromkeys(self.replicas, 1)
        self._run = secrets.token_hex(2).upper()
        self._count = 0

    @property
    def now(self) -> float:
        """Seconds since the measurement began."""
        return time.perf_counter() - self.began

    def begin(self) -> None:
        """Forget what was sampled until now."""
        self.samples, self.began = Samples(), time.perf_counter()

    def _build_replica(self) -> Service:
        return Service(slack_service.__file__, "nightbake", self.database_url, self.slack.api_url, self.model.url)

    async def read_counts(self) -> dict[str, Any]:
        """Counts of the inbox, and connections of PostgreSQL but our own."""

        def read() -> dict[str, Any]:
            with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
                return connection.execute(_COUNTS).fetchone() or {}

        counts = await asyncio.to_thread(read)
        return {**counts, "connections": counts["connections"] - 1}

    async def sample(self) -> None:
        """Look at memory, the line and connections until cancelled."""
        while True:
            try:
                counts = await self.read_counts()
                self.samples.waiting.append((self.now, counts["waiting"]))
                self.samples.answered.append((self.now, counts["answered"]))
                self.samples.connections.append((self.now, counts["connections"]))
            except psycopg.OperationalError:
                pass  # cut by a fault
            for name, replica in self.replicas.items():
                if resident := replica.read_resident_mib():
                    life = f"{name} {self._lives[name]}"
                    self.samples.resident_mib.setdefault(life, []).append((self.now, resident))
            await asyncio.sleep(SAMPLE_SECONDS)

    async def send(self, rate: float, seconds: float) -> Load:
        """Questions at a rate, of one person after the other; returns when each was acknowledged or given up."""
        load = Load()
        timeout, connector = ClientTimeout(total=ACK_SECONDS), TCPConnector(limit=0, force_close=True)
        async with ClientSession(timeout=timeout, connector=connector) as session, asyncio.TaskGroup() as deliveries:
            began = time.perf_counter()
            for number in range(int(rate * seconds)):
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
                deliveries.create_task(self._deliver(session, load))
        return load

    async def _deliver(self, session: ClientSession, load: Load) -> None:
        self._count += 1
        key, body = make_question(self._count % PEOPLE, f"Ev{self._run}{self._count:07}")
        for attempt in range(DELIVERIES):
            began = time.perf_counter()
            try:
                url = self.replicas[self.random.choice(list(self.replicas))].url
                async with session.post(url, data=body, headers=sign(body, attempt > 0)) as response:
                    await response.read()
                    if response.status == 200:
                        load.acks.append(time.perf_counter() - began)
                        load.acknowledged.add(key)
                        return
                load.unreached += 1
            except TimeoutError:
                load.late += 1
            except (ClientError, OSError):
                load.unreached += 1
            await asyncio.sleep(0.5 * (attempt + 1))
        load.given_up += 1

    async def drain(self) -> float:
        """Wait until nothing is open, or nothing happens any more; how long it took."""
        began = progressed = time.perf_counter()
        left = None
        while time.perf_counter() - progressed < STALL_SECONDS:
            counts = await self.read_counts()
            if counts["open"] == 0:
                break
            if counts["open"] != left:
                left, progressed = counts["open"], time.perf_counter()
            await asyncio.sleep(0.3)
        return time.perf_counter() - began

    async def measure_limit(self, seconds: float) -> float:
        """Answers a second while more is asked than the model server bears; the line is empty afterwards."""
        sending = asyncio.create_task(self.send(1.5 * SLOTS / ANSWER_SECONDS, seconds))
        await asyncio.sleep(seconds / 3)
        before, at = (await self.read_counts())["answered"], time.perf_counter()
        await sending
        limit = ((await self.read_counts())["answered"] - before) / (time.perf_counter() - at)
        await self.drain()
        return limit

    def find_answers(self) -> dict[str, int]:
        """The number of finished answers in each thread, as Slack holds them."""
        return self.slack.report()["finished"]

    async def befall(self, pause_seconds: float) -> None:
        """One fault after the other, in a new random order each round, until cancelled."""
        faults: dict[str, Callable[[], Awaitable[None]]] = {
            "replica killed": self.kill_replica,
            "replica restarted": self.restart_replica,
            "model server restarted": self.restart_model,
            "connections cut": self.cut_connections,
        }
        while True:
            for name in self.random.sample(list(faults), len(faults)):
                await asyncio.sleep(pause_seconds * self.random.uniform(0.7, 1.3))
                self.samples.faults.append((self.now, name))
                # To its end, also where the time is up: what was stopped must run again.
                await asyncio.shield(faults[name]())

    async def kill_replica(self) -> None:
        """The second one dies without a word and comes back."""
        await self._end_replica(Service.kill)

    async def restart_replica(self) -> None:
        """The second one is stopped in good order, and started, as at an upgrade."""
        await self._end_replica(Service.stop)

    async def _end_replica(self, end: Callable[[Service], None]) -> None:
        replica = self.replicas["second"]
        await asyncio.to_thread(end, replica)
        self._lives["second"] += 1
        await asyncio.to_thread(replica.start)

    async def restart_model(self) -> None:
        """The model server dies and is back after three seconds."""
        await asyncio.to_thread(self.model.kill)
        await asyncio.sleep(3)
        await asyncio.to_thread(self.model.start)

    async def cut_connections(self) -> None:
        """PostgreSQL ends every connection at once."""

        def cut() -> None:
            with psycopg.connect(self.database_url) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )

        await asyncio.to_thread(cut)


@asynccontextmanager
async def open_world(*, seed: int) -> AsyncGenerator[World]:
    """Start everything; end it in good order."""
    async with AsyncExitStack() as stack:
        url = stack.enter_context(open_embedded())
        async with Database(url) as database:
            await migrate(database)
        slack = stack.enter_context(run_stand_in())
        model = ModelProcess()
        stack.callback(model.kill)
        model.start()
        world = World(url, model, slack, seed=seed)
        for replica in world.replicas.values():
            stack.callback(replica.stop)
            await asyncio.to_thread(replica.start)
        yield world


def write_picture(file: str | None, picture: str) -> None:
    """Where one is wanted."""
    if file:
        Path(file).write_text(picture, encoding="utf-8")
