"""The `nightbake` command as a script sees it: arguments in, output and exit code out."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from core.garbage import keep_what_is_built
from nightbake import main

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

    @property
    def json_lines(self) -> list[Any]:
        """The JSON objects on standard output, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def run_nightbake(*arguments: str, typed: str = "", **environment: str) -> Ran:
    """Run the command on what is `typed`; an error that it does not turn into a message is the test's."""
    done = CliRunner().invoke(main, arguments, input=typed, env=environment, prog_name="nightbake")
    # A command's models, 200 MiB, lie in cycles, which elsewhere end with its process.
    keep_what_is_built()
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ran(done.exit_code, done.stdout, done.stderr)


def start_nightbake(*arguments: str, **streams: Any) -> subprocess.Popen[str]:
    """The command as a process of its own, for what runs until it is stopped; `streams` as Popen takes them."""
    command = [sys.executable, "-m", "nightbake", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, text=True, **streams)
