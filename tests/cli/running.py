"""The `nightbake` command as a script sees it: arguments in, output and exit code out."""

import json
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner

from nightbake import main


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


def run_nightbake(*arguments: str, **environment: str) -> Ran:
    """Run the command; an error that it does not turn into a message is the test's."""
    done = CliRunner().invoke(main, arguments, env=environment, prog_name="nightbake")
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ran(done.exit_code, done.stdout, done.stderr)
