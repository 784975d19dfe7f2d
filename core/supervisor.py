"""A child process kept alive: started, watched, restarted with growing pauses; what it started ends with it."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from core.background import was_cancelled
from core.errors import NightbakeError, ProcessError

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.5


class Supervisor:
    """Runs one command and restarts it when it ends.

    Args:
        healthy: asks the process whether it can work; called again and again, must not raise.
        on_ready: run each time the process has become healthy, e.g. to load adapters again.
        start_seconds: how long a start may take.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        healthy: Callable[[], Awaitable[bool]],
        log_file: Path,
        environment: Mapping[str, str] | None = None,
        on_ready: Callable[[], Awaitable[None]] | None = None,
        start_seconds: float = 300,
    ) -> None:
        self.name = name
        self.log_file = log_file
        self.restarts = 0
        self._command = list(command)
        self._healthy = healthy
        self._environment = {**os.environ, **(environment or {})}
        self._on_ready = on_ready
        self._start_seconds = start_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start and wait until healthy; from then on it is watched.

        Raises:
            ProcessError: it ended or did not become healthy in time; the last log lines are in the message.
        """
        try:
            await self._launch()
        except BaseException:
            await self._end_process()
            raise
        self._watch = asyncio.create_task(self.loop(), name=f"supervise {self.name}")

    async def stop(self) -> None:
        """End the watch and the process group: asked first, killed when it does not listen."""
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        await self._end_process()

    async def loop(self) -> None:
        """Restart the process whenever it ends, with pauses that double up to a minute."""
        pause = FIRST_PAUSE_SECONDS
        while not was_cancelled():
            assert self._process
            began = time.monotonic()
            code = await self._process.wait()
            # What it started may outlive it: vLLM's engine holds gigabytes, which the next one needs.
            _signal_group(self._process.pid, signal.SIGKILL)
            if time.monotonic() - began > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            log.error("process ended", extra={"child": self.name, "code": code, "restart_in_seconds": pause})
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            await self._restart()

    async def _restart(self) -> None:
        self.restarts += 1
        try:
            await self._launch()
        except NightbakeError as error:
            log.error("process did not start", extra={"child": self.name, "error": str(error)})
            await self._end_process()

    async def _launch(self) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdout=output,
                stderr=output,
                stdin=asyncio.subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
        await self._wait_until_healthy(self._process)
        if self._on_ready:
            await self._on_ready()

    async def _wait_until_healthy(self, process: asyncio.subprocess.Process) -> None:
        deadline = time.monotonic() + self._start_seconds
        while not await self._healthy():
            if process.returncode is not None:
                raise ProcessError(f"{self.name} ended with code {process.returncode}:\n{self._last_lines()}")
            if time.monotonic() > deadline:
                raise ProcessError(f"{self.name} was not ready after {self._start_seconds:.0f} s; see {self.log_file}")
            await asyncio.sleep(POLL_SECONDS)

    async def _end_process(self) -> None:
        process = self._process
        if process is None:
            return
        _signal_group(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            log.warning("process did not stop when asked", extra={"child": self.name})
        _signal_group(process.pid, signal.SIGKILL)
        await process.wait()

    def _last_lines(self, count: int = 15) -> str:
        lines = self.log_file.read_text(errors="replace").splitlines()[-count:]
        return "\n".join([*lines, f"(whole log: {self.log_file})"])


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
