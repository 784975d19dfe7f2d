"""The conditions of a measurement: machine, commit, seed, date. A figure without them is not a figure."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a reader needs to repeat a run and to judge its noise.

    Attributes:
        commit: short hash, with `+` where tracked files differ from it.
        load: how many processes wanted a core in the last minute, before the run began.
    """

    date: str
    commit: str
    seed: int
    processor: str
    cores: int
    memory_gib: int
    load: float
    python: str

    def line(self) -> str:
        """One line for a report."""
        return (
            f"{self.date}, commit {self.commit}, seed {self.seed}, {self.processor}, {self.cores} cores, "
            f"{self.memory_gib} GiB, Python {self.python}, load {self.load:.1f} before the run"
        )


def read_conditions(seed: int) -> Conditions:
    """The conditions now; names neither the host nor a folder."""
    return Conditions(
        date=datetime.now(UTC).date().isoformat(),
        commit=_read_commit(),
        seed=seed,
        processor=_read_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        load=os.getloadavg()[0],
        python=platform.python_version(),
    )


def _read_commit() -> str:
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"  # an export without its history


def _git(*arguments: str) -> str:
    return subprocess.run(("git", *arguments), cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _read_processor() -> str:
    """Model name and whether it has AMX, the matrix unit that makes bfloat16 on a CPU quick."""
    fields: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    name = fields.get("model name", platform.machine())
    return f"{name}, {'AMX' if 'amx_tile' in fields.get('flags', '') else 'no AMX'}"
