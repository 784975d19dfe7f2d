"""The watch on the memory of real processes, and limits worked out by hand from what a system says."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.model_server import ModelServer
from learning.memory import end_where_too_large, find_limit, find_taken
from learning.night import NightSettings
from learning.nightly import run_night
from learning.runs import Runs
from tests.learning.log import log_corrected_night

MIB = 1024 * 1024
GROWS = "import sys\nheld = []\nwhile True: held.append(bytearray(8 << 20))"
# A gigabyte that is mapped and never written, as libraries do.
MAPS = "import mmap, sys\nheld = mmap.mmap(-1, 1 << 30, mmap.MAP_PRIVATE)\nprint(flush=True)\nsys.stdin.read()"


@asynccontextmanager
async def running(code: str) -> AsyncIterator[asyncio.subprocess.Process]:
    pipes: dict[str, Any] = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, **pipes, start_new_session=True)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_process_that_outgrows_its_limit_is_ended_and_nobody_else() -> None:
    async with running(GROWS) as process:
        async with asyncio.timeout(60):
            taken = await end_where_too_large(process.pid, 200)
            assert (await process.wait(), taken > 200) == (-signal.SIGKILL, True)
    # What lies between two looks is no part of the promise, but it is no multiple either.
    assert taken < 200 + 4096


async def test_what_is_mapped_and_never_written_is_not_counted() -> None:
    async with running(MAPS) as process:
        assert process.stdout
        await process.stdout.readline()
        assert (find_taken(process.pid) or 0) < 200
        watching = asyncio.create_task(end_where_too_large(process.pid, 200))
        assert process.stdin
        process.stdin.close()
        assert await process.wait() == 0
        watching.cancel()


async def test_the_kernel_would_take_a_watched_process_first() -> None:
    async with running(MAPS) as process:
        assert process.stdout
        await process.stdout.readline()
        watching = asyncio.create_task(end_where_too_large(process.pid, None))
        await asyncio.sleep(0)
        assert Path(f"/proc/{process.pid}/oom_score_adj").read_text().strip() == "1000"
        watching.cancel()
    assert find_taken(process.pid) is None


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("available", "limit"),
    [
        # A tenth is reserved,
        (20_000, 18_000),
        # and where that is little, half a gigabyte.
        (2_048, 1_536),
        (400, 0),
    ],
)
def test_a_machine_gives_what_is_free_less_a_reserve(tmp_path: Path, available: int, limit: int) -> None:
    write(tmp_path / "meminfo", f"MemTotal: 99999999 kB\nMemAvailable: {available * 1024} kB\n")
    assert find_limit(proc=tmp_path, cgroups=tmp_path / "none") == limit


def test_the_tightest_group_decides_and_its_cache_is_free(tmp_path: Path) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    write(proc / "meminfo", f"MemAvailable: {50_000 * 1024} kB\n")
    write(proc / "self" / "cgroup", "0::/pod/container\n")
    write(groups / "pod" / "container" / "memory.max", "max\n")
    write(groups / "pod" / "container" / "memory.current", "1\n")
    write(groups / "pod" / "memory.max", f"{8_000 * MIB}\n")
    write(groups / "pod" / "memory.current", f"{4_000 * MIB}\n")
    write(groups / "pod" / "memory.stat", f"anon 5\ninactive_file {1_000 * MIB}\n")
    # 8,000 - 4,000 + 1,000, less a tenth, which is less than half a gigabyte.
    assert find_limit(proc=proc, cgroups=groups) == 5_000 - 512


def test_a_group_of_the_first_version_counts_too(tmp_path: Path) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    write(proc / "self" / "cgroup", "5:cpu:/x\n4:memory:/x\n0::/\n")
    write(groups / "memory" / "x" / "memory.limit_in_bytes", f"{3_000 * MIB}\n")
    write(groups / "memory" / "x" / "memory.usage_in_bytes", f"{1_000 * MIB}\n")
    assert find_limit(proc=proc, cgroups=groups) == 2_000 - 512


def test_a_system_that_says_nothing_sets_no_limit(tmp_path: Path) -> None:
    assert find_limit(proc=tmp_path, cgroups=tmp_path) is None


@pytest.mark.timeout(300)
async def test_a_training_that_outgrows_its_limit_ends_alone_and_the_report_says_what_to_do(
    database: Database, base_model: Path, tmp_path: Path
) -> None:
    await log_corrected_night(database, 8)
    away = ModelServer("http://127.0.0.1:9", "base")
    settings = NightSettings(str(base_model), min_pairs=2, regenerate=0, threads=1, max_memory=60)
    night = await run_night(database=database, model_server=away, home=tmp_path, settings=settings)
    await away.close()
    run = await Runs(database).get(night.run_id)
    assert (night.state, night.adapter) == ("failed", None)
    words = "expected the training to take at most 60 MiB of memory, it took "
    assert run.error and run.error.startswith(words) and "raise NIGHT_MAX_MEMORY" in run.error
    assert words in (await Runs(database).get_report(night.run_id)).markdown
    # Nothing of it is left, and the tables' server answers as before.
    assert not (tmp_path / "nights" / str(night.run_id)).exists()
    assert await database.fetch_dicts(b"SELECT 1 AS alive") == [{"alive": 1}]
