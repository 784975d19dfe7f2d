"""A real child process: waited for, started again after a crash, and stopped with everything that it started."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from core.errors import ModelServerError, ProcessError
from core.supervisor import Supervisor
from tests.eventually import eventually

# A server that starts a helper of its own, as vLLM starts its engine, and then says that it is ready.
SERVER = """
import pathlib, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(folder / "helper").write_text(str(helper.pid))
(folder / "ready").write_text("yes")
print("serving", flush=True)
time.sleep(600)
"""
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER
BROKEN = "import sys\nprint('loading weights', flush=True)\nsys.exit('expected a CPU with AVX-512')"

Make = Callable[..., Supervisor]


class Readiness:
    """Counts how often the process became ready; fails at the calls that `fail_at` names."""

    def __init__(self) -> None:
        self.calls = 0
        self.fail_at: set[int] = set()

    async def __call__(self) -> None:
        self.calls += 1
        if self.calls in self.fail_at:
            raise ModelServerError("the adapter could not be loaded")


@pytest.fixture
def ready() -> Readiness:
    return Readiness()


@pytest.fixture
async def make(tmp_path: Path, ready: Readiness, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Make supervisors with short pauses; they are stopped in the end."""
    for name, seconds in (("FIRST_PAUSE_SECONDS", 0.05), ("POLL_SECONDS", 0.02), ("STOP_SECONDS", 1.0)):
        monkeypatch.setattr(f"core.supervisor.{name}", seconds)
    made: list[Supervisor] = []

    async def is_healthy() -> bool:
        return (tmp_path / "ready").exists()

    def make(program: str, **options: float) -> Supervisor:
        command = [sys.executable, "-c", program, str(tmp_path)]
        log_file = tmp_path / "logs" / "server.log"
        made.append(
            Supervisor("server", command, healthy=is_healthy, log_file=log_file, on_ready=ready, **options)  # type: ignore[arg-type]
        )
        return made[-1]

    yield make
    for supervisor in made:
        await supervisor.stop()


async def is_gone(pid: int) -> bool:
    """Whether a process has ended; a dead child that nobody has waited for counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def gone(pid: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await is_gone(pid)

    return look


async def test_a_start_waits_until_the_process_is_healthy(make: Make, ready: Readiness, tmp_path: Path) -> None:
    supervisor = make(SERVER)
    await supervisor.start()
    assert (tmp_path / "ready").exists()
    assert (supervisor.pid is not None, ready.calls, supervisor.restarts) == (True, 1, 0)


async def test_a_killed_process_is_started_again_without_what_the_first_one_started(
    make: Make, ready: Readiness, tmp_path: Path
) -> None:
    supervisor = make(SERVER)
    await supervisor.start()
    first, helper = supervisor.pid, int((tmp_path / "helper").read_text())
    assert first
    os.kill(first, signal.SIGKILL)

    async def is_ready_again() -> bool:
        return ready.calls == 2

    await eventually(is_ready_again)
    assert supervisor.pid not in (None, first)
    await eventually(gone(helper))


async def test_a_process_is_watched_on_when_making_it_ready_fails(make: Make, ready: Readiness) -> None:
    supervisor = make(SERVER)
    await supervisor.start()
    ready.fail_at = {2}
    assert supervisor.pid
    os.kill(supervisor.pid, signal.SIGKILL)

    async def is_ready_in_the_end() -> bool:
        return ready.calls == 3

    await eventually(is_ready_in_the_end)
    assert supervisor.restarts == 2


@pytest.mark.parametrize("program", [SERVER, DEAF])
async def test_stopping_ends_the_process_and_what_it_started(make: Make, tmp_path: Path, program: str) -> None:
    supervisor = make(program)
    await supervisor.start()
    helper, pid = int((tmp_path / "helper").read_text()), supervisor.pid
    assert pid
    await supervisor.stop()
    await eventually(gone(pid))
    await eventually(gone(helper))
    assert supervisor.pid is None


async def test_what_was_stopped_is_not_started_again(make: Make, ready: Readiness) -> None:
    supervisor = make(SERVER)
    await supervisor.start()
    await supervisor.stop()
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("supervise")] == []
    assert (ready.calls, supervisor.restarts) == (1, 0)


async def test_stopping_twice_or_before_a_start_does_nothing(make: Make) -> None:
    supervisor = make(SERVER)
    await supervisor.stop()
    await supervisor.start()
    await supervisor.stop()
    await supervisor.stop()


async def test_a_process_that_cannot_start_shows_its_last_lines(make: Make, tmp_path: Path) -> None:
    supervisor = make(BROKEN)
    with pytest.raises(ProcessError) as caught:
        await supervisor.start()
    assert str(caught.value) == (
        "server ended with code 1:\nloading weights\nexpected a CPU with AVX-512\n"
        f"(whole log: {tmp_path / 'logs' / 'server.log'})"
    )


async def test_a_process_that_never_becomes_healthy_is_ended(make: Make, tmp_path: Path) -> None:
    supervisor = make("import time\ntime.sleep(600)", start_seconds=0.3)
    with pytest.raises(ProcessError, match=r"server was not ready after 0 s; see .*server\.log"):
        await supervisor.start()
    assert supervisor.pid is None
