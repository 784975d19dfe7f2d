"""The `nightbake` command as a script runs it: environment in, output and exit code out."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on standard output."""
        return json.loads(self.out)


def run_nightbake(*arguments: str, timeout_seconds: float = 100, **environment: str) -> Ran:
    """Run in a process of its own, in a folder without `.env`; variables of the caller's environment count too."""
    done = subprocess.run(
        [sys.executable, "-m", "nightbake", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        cwd=os.environ["NIGHTBAKE_HOME"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "LANG": "C.UTF-8", **environment},
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
