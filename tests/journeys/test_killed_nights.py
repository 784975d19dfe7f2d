"""`nightbake night` killed with `kill -9` at every stage: the next start goes on, and one night comes of it all."""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from core.adapters import Adapters
from core.database import Database
from learning.runs import Runs
from learning.trainer import read_manifest
from tests.cli.running import start_nightbake
from tests.eventually import eventually
from tests.fakes.vllm import FakeVllm
from tests.learning.log import log_corrected_night

pytestmark = [pytest.mark.model, pytest.mark.timeout(900)]

# As in tests/learning/test_nightly.py: what makes a random model of two layers better, and says so.
SETTINGS = {
    "NIGHT_MIN_HELD_OUT": "5",
    "NIGHT_LEARNING_RATE": "0.01",
    "NIGHT_LORA_RANK": "4",
    "NIGHT_ANSWERS": "8",
    "NIGHT_REGENERATE": "0",
    "NIGHT_GROUNDEDNESS_MARGIN": "0.9",
}
ENDS = ("collect", "train", "serve", "evaluate", "gate", "switch", "report")
# While a test holds this lock, whatever a stage brought is not stored, and the process waits.
HOLD = b"""
CREATE TABLE held (stage text);
GRANT SELECT ON held TO nightbake_night;
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Not where the next start takes the night up. Switching stores nothing but its row in `switches`.
    IF EXISTS (SELECT FROM held WHERE stage = OLD.stage) AND NEW.attempts = OLD.attempts
       AND (NEW.stage = OLD.stage OR (OLD.stage, NEW.stage) = ('switch', 'report')) THEN
        PERFORM pg_advisory_xact_lock(4711);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER hold BEFORE UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION hold();
"""
TAKE = b"SELECT pg_advisory_lock(4711)"
FIND_WAITING = b"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"
END_WAITING = FIND_WAITING.replace(b"pid", b"pg_terminate_backend(pid)", 1)


@pytest.fixture
async def installation(
    database: Database, database_url: str, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeVllm]:
    """Votes for a night, and a server for what it trains."""
    await log_corrected_night(database, 28)
    fake = FakeVllm(base_model)
    async with fake.running() as url:
        own = {"DATABASE_URL": database_url, "MODEL_URL": url, "MODEL_NAME": "base", "MODEL_PATH": str(base_model)}
        for name, value in (own | SETTINGS).items():
            monkeypatch.setenv(name, value)
        yield fake


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def holder(database_url: str) -> Iterator["psycopg.Connection"]:
    """A connection that can hold a night at the end of a stage, when all is done and nothing of it stored."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(HOLD)
        connection.execute(TAKE)
        yield connection


@contextmanager
def running() -> Iterator["subprocess.Popen[str]"]:
    """The command, killed at the end of the block as a power cut would."""
    process = start_nightbake("night", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


async def kill_at_the_end_of(stage: str, holder: "psycopg.Connection") -> None:
    """Start the command, and kill it when it has done a stage and has not stored what came of it."""
    holder.execute("INSERT INTO held VALUES (%s)", [stage])
    with running() as process:

        async def find_waiting() -> bool:
            assert process.poll() is None, process.communicate()
            return bool(holder.execute(FIND_WAITING).fetchall())

        await eventually(find_waiting, seconds=240)
    # Its connection goes with the process; PostgreSQL would notice only at the end of the wait.
    holder.execute(END_WAITING)
    holder.execute("DELETE FROM held")


async def kill_while_it_trains(home: Path) -> None:
    """Start the command, and kill it as soon as the training process has computed something."""
    with running() as process:

        async def has_begun() -> bool:
            assert process.poll() is None, process.communicate()
            return any((home / "reference").glob("*.txt"))

        await eventually(has_begun, seconds=240)
        assert find_trainers(home)
    await eventually(lambda: asyncio.to_thread(lambda: not find_trainers(home)))


def find_trainers(home: Path) -> list[str]:
    """Training processes of this state folder."""
    found: list[str] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "learning.train" in words and any(word.startswith(str(home)) for word in words):
            found.append(folder.name)
    return found


async def test_a_night_that_is_killed_at_every_stage_is_one_night_with_one_adapter(
    installation: FakeVllm, database: Database, holder: "psycopg.Connection", home: Path
) -> None:
    await kill_at_the_end_of("collect", holder)
    await kill_while_it_trains(home)
    trained: list[str] = []
    for stage in ENDS[1:]:
        # More than three attempts in a row would be given up, which tests/learning/test_nightly.py has.
        await database.execute(b"UPDATE runs SET attempts = 1")
        await kill_at_the_end_of(stage, holder)
        trained += [path.name for path in (home / "adapters").iterdir()]
    await database.execute(b"UPDATE runs SET attempts = 1")
    process = start_nightbake("night", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = await asyncio.to_thread(process.communicate)
    night = json.loads(out)
    assert (process.returncode, night["state"], night["reason"]) == (0, "done", "better"), err
    assert night["switched"]

    # What was trained before the first kill that left an adapter, and what is served after the last one.
    assert set(trained) == {night["adapter"]} and len(trained) == len(ENDS) - 1
    manifest = read_manifest(home / "adapters" / night["adapter"])
    (registered,) = await Adapters(database).find_all()
    assert manifest and (registered.name, registered.sha256) == (night["adapter"], manifest["sha256"])
    assert [run.id for run in await Runs(database).find_latest()] == [night["run_id"]]
    assert await database.fetch_dicts(b"SELECT run_id, language FROM reports ORDER BY language") == [
        {"run_id": night["run_id"], "language": language} for language in ("en", "ko")
    ]
    assert len(await database.fetch_dicts(b"SELECT id FROM switches")) == 1
    assert list((home / "nights").iterdir()) == []
