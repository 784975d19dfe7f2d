"""How much memory a training may take, and the watch that ends it alone where it takes more.

Counted is what nobody can take back from a process: pages that it wrote and shared ones, also those that were swapped
out. Not its mappings, which RLIMIT_DATA and RLIMIT_AS count: SmolLM2-135M trained on a CPU (torch 2.13, one thread,
prompts of 600 tokens) with 2,373 MiB of pages, 4,123 MiB of writable mappings and 5,240 MiB of address space. With
RLIMIT_DATA at 3,000 MiB it died when it held 1,250, in torch's words. CUDA maps far more; that was not measured. Nor
are files counted that a process has mapped, such as weights (756 MiB there): that memory comes back by itself.

A process may write a gigabyte or so between two looks, which the reserve of `find_limit` is for. Should the machine run
out all the same, the kernel takes the training first (`oom_score_adj`).
"""

import asyncio
import contextlib
import math
import os
import signal
from collections.abc import Iterator
from pathlib import Path

LOOK_SECONDS = 0.1
# Left to the services that run beside it: they grow too.
RESERVED_SHARE, LEAST_RESERVED_MIB = 0.1, 512
COUNTED = ("RssAnon", "RssShmem", "VmSwap")
KERNEL_TAKES_FIRST = 1000
PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
# Limit, use and statistics of a group; version 2, then 1.
_FILES = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))
_MIB = 1024 * 1024


def find_limit(*, proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """MiB that a process may take besides what is held now, in this machine and in each cgroup around us.

    A tenth of what is free stays reserved, 512 MiB at least. None where the system does not say.
    """
    free = [*_read_machine(proc), *_read_groups(proc, cgroups)]
    if not free:
        return None
    least = min(free)
    return max(0, int(least - max(LEAST_RESERVED_MIB, RESERVED_SHARE * least)))


def find_taken(pid: int, *, proc: Path = PROC) -> int | None:
    """MiB that a process holds and that nobody can take back; None where it is gone or the system does not say."""
    found = _read_table(proc / str(pid) / "status")
    return sum(found.get(name, 0) for name in COUNTED) // 1024 if "RssAnon" in found else None


async def end_where_too_large(pid: int, most: int | None) -> int:
    """Kill the process group that `pid` leads as soon as it has taken more than `most` MiB; what it had taken then.

    Returns only then: cancel it when the process has ended. With None as the most it only looks.

    Side effect: the kernel takes this process first where memory runs out.
    """
    allowed = math.inf if most is None else most
    with contextlib.suppress(OSError):
        (PROC / str(pid) / "oom_score_adj").write_text(str(KERNEL_TAKES_FIRST))
    while (taken := find_taken(pid) or 0) <= allowed:  # noqa: ASYNC110  a process tells nobody when it grows
        await asyncio.sleep(LOOK_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    return taken


def _read_machine(proc: Path) -> Iterator[float]:
    available = _read_table(proc / "meminfo").get("MemAvailable")
    if available is not None:
        yield available / 1024


def _read_groups(proc: Path, cgroups: Path) -> Iterator[float]:
    """Free MiB of each group that has a limit, from ours to the outermost; what a group only caches is free."""
    for line in _read_text(proc / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root = cgroups / controllers
        own = root / path.lstrip("/")
        # In a container the path may be the host's, which is not to be seen from inside: then the root is our own.
        for folder in [own, *own.parents]:
            if folder.is_relative_to(root):
                yield from _read_group(folder)


def _read_group(folder: Path) -> Iterator[float]:
    for limit, usage in _FILES:
        most, used = _read_text(folder / limit).strip(), _read_text(folder / usage).strip()
        if most.isdigit() and used.isdigit():
            cached = _read_table(folder / "memory.stat", separator=" ").get("inactive_file", 0)
            yield (int(most) - int(used) + cached) / _MIB


def _read_table(path: Path, separator: str = ":") -> dict[str, int]:
    """Names with their numbers, in the file's own unit: kB where it says one."""
    rows = (line.partition(separator) for line in _read_text(path).splitlines())
    cells = ((name, value.split()) for name, _, value in rows)
    return {name: int(words[0]) for name, words in cells if words and words[0].isdigit()}


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""
