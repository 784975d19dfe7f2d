"""Whether anybody notices a change of adapter: swaps and rollbacks against the real vLLM process under load.

Clients ask without a pause, as `bot/answer.py` does around the model: the question is begun in the database, which
names its adapter; the answer is streamed from the embedded model server under that name; then it is finished. Beside
them every swap registers a new adapter (name and folder of its own), loads it, switches one row, deletes the folders
of old ones and unloads what nobody needs. Every rollback is the whole command `nightbake adapters rollback`, started
as an administrator would, and counts until it has ended; the next question must then begin with what was served
before. A request fails where its stream ends with an error or without text.

    python -m benchmarks.swap                              # 1,000 requests, 20 swaps, 5 rollbacks
    python -m benchmarks.swap --requests 100 --swaps 4 --rollbacks 2 --json-only
"""

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import read_conditions
from benchmarks.scratch_database import open_embedded, open_folder
from core import embedded_model
from core.adapters import Adapters
from core.database import Database
from core.errors import ModelServerError
from core.interactions import Interactions
from core.migrate import migrate
from core.model_server import Generation, ModelServer, Sampling
from core.records import Outcome, Question
from core.serving import Serving
from core.weights import WEIGHTS, hash_file

ROOT = Path(__file__).resolve().parent.parent
KEEP = 3
CONFIG = "adapter_config.json"
QUESTION = "How many days of annual leave does an employee of the harbour have, and who grants them?"


@dataclass(slots=True)
class Tally:
    """What happened so far; seconds of each deed."""

    done: int = 0
    failed: list[str] = field(default_factory=list)
    across: int = 0
    switches: int = 0
    swap_seconds: list[float] = field(default_factory=list)
    rollback_seconds: list[float] = field(default_factory=list)
    by_adapter: dict[str, int] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def reach(self, done: float) -> None:
        """Wait until so many requests have ended."""
        while self.done < done:
            self.news.clear()
            await self.news.wait()


class Load:
    """Clients that ask until enough was asked.

    Args:
        tokens: of each answer, so that it takes long enough to be under way at a switch.
    """

    def __init__(self, database: Database, model_server: ModelServer, tally: Tally, *, requests: int, tokens: int):
        self._interactions = Interactions(database)
        self._model_server = model_server
        self._tally = tally
        self._left = requests
        self._sampling = Sampling(max_tokens=tokens, temperature=0.7)

    async def client(self, number: int) -> None:
        """One person, one question after the other."""
        while self._left > 0:
            self._left -= 1
            await self._ask(number)

    async def _ask(self, number: int) -> None:
        question = Question("cli", f"swap:{number}:{self._left}", "user:ann", ["everyone"], QUESTION, "en")
        begun = await self._interactions.begin(question)
        switches, generation = self._tally.switches, Generation()
        messages: list[Any] = [{"role": "user", "content": f"{QUESTION} ({self._left})"}]
        try:
            async for _ in self._model_server.stream(
                messages, generation=generation, adapter=begun.adapter, sampling=self._sampling
            ):
                pass
            if not generation.text:
                self._tally.failed.append("no text")
        except ModelServerError as error:
            self._tally.failed.append(str(error))
        self._tally.done += 1
        self._tally.news.set()
        self._tally.across += self._tally.switches != switches
        name = begun.adapter or "base"
        self._tally.by_adapter[name] = self._tally.by_adapter.get(name, 0) + 1
        await self._interactions.finish(Outcome(begun.id, generation.text, "generated", adapter=begun.adapter))


class Swaps:
    """Makes adapters, promotes them, and takes them back."""

    def __init__(self, database: Database, model_server: ModelServer, tally: Tally, *, folder: Path, command: Any):
        self._adapters = Adapters(database)
        self._interactions = Interactions(database)
        self._serving = Serving(adapters=self._adapters, model_server=model_server)
        self._tally = tally
        self._folder = folder
        self._command = command

    async def swap(self, number: int) -> None:
        """A new adapter from the next question on; old ones are let go of."""
        name = f"night-{number:03d}"
        folder = await asyncio.to_thread(make_variant, self._folder / name, number)
        sha256 = hash_file(folder / WEIGHTS)
        await self._adapters.register(
            name=name, folder=str(folder), base_model=embedded_model.MODEL_NAME, sha256=sha256, manifest={}
        )
        began = time.perf_counter()
        await self._serving.promote(name, by="benchmark", reason="swap")
        self._tally.swap_seconds.append(time.perf_counter() - began)
        self._tally.switches += 1
        await self._serving.delete_old(keep=KEEP)
        await self._serving.unload_old()

    async def roll_back(self) -> None:
        """The whole command; the next question begins with what was served before."""
        expected = await self._adapters.get_previous_name()
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(*self._command, stdout=asyncio.subprocess.DEVNULL, cwd=ROOT)
        code = await process.wait()
        self._tally.rollback_seconds.append(time.perf_counter() - began)
        self._tally.switches += 1
        begun = await self._interactions.begin(Question("cli", "look", "user:ann", ["everyone"], QUESTION, "en"))
        await self._interactions.finish(Outcome(begun.id, "", "stopped", adapter=begun.adapter))
        if code or begun.adapter != expected:
            self._tally.failed.append(f"rollback ended with {code} and serves {begun.adapter}, expected {expected}")


def make_variant(folder: Path, seed: int) -> Path:
    """An adapter in the starter's shape with weights of its own."""
    import torch  # noqa: PLC0415  seconds to import
    from safetensors.torch import load_file, save_file  # noqa: PLC0415

    starter = embedded_model.find_starter()
    assert starter, "the starter adapter comes with the project"
    folder.mkdir(parents=True)
    draw = torch.Generator().manual_seed(seed)
    weights = load_file(starter / WEIGHTS)
    made = {name: value * (1 + 0.1 * torch.randn(1, generator=draw).item()) for name, value in weights.items()}
    save_file(made, folder / WEIGHTS, metadata={"format": "pt"})
    shutil.copyfile(starter / CONFIG, folder / CONFIG)
    return folder


async def disturb(swaps: Swaps, tally: Tally, *, requests: int, count: int, rollbacks: int) -> None:
    """Swaps evenly over the requests, with the rollbacks evenly after some of them."""
    after = {round((at + 1) * count / rollbacks) for at in range(rollbacks)} if rollbacks else set[int]()
    for number in range(1, count + 1):
        await tally.reach(requests * (number - 1) / count)
        await swaps.swap(number)
        if number in after:
            await tally.reach(requests * (number - 0.5) / count)
            await swaps.roll_back()


@asynccontextmanager
async def run_model(home: Path, port: int) -> AsyncIterator[ModelServer]:
    """The embedded vLLM process on the embedded model."""
    model_server = ModelServer(f"http://127.0.0.1:{port}", embedded_model.MODEL_NAME, timeout_seconds=600)
    folder = home / "models" / embedded_model.MODEL_NAME
    await embedded_model.prepare(folder, log_file=home / "base-model.log")

    async def ready() -> None:
        """No adapter is served yet."""

    supervisor = embedded_model.build_supervisor(
        folder, model_server, port=port, context_tokens=1024, log_file=home / "model-server.log", on_ready=ready
    )
    supervisor_started = False
    try:
        await supervisor.start()
        supervisor_started = True
        yield model_server
        if supervisor.restarts:
            raise SystemExit(f"the model server died {supervisor.restarts} times; see the log in {home}")
    finally:
        if supervisor_started:
            await supervisor.stop()
        await model_server.close()


async def run(url: str, home: Path, *, port: int, requests: int, clients: int, tokens: int, **counts: int) -> Tally:
    """Load and swaps side by side."""
    tally = Tally()
    # The address has no password: it is an embedded server's.
    os.environ |= {
        "DATABASE_URL": url,
        "MODEL_URL": f"http://127.0.0.1:{port}",
        "MODEL_NAME": embedded_model.MODEL_NAME,
    }
    os.environ["NIGHTBAKE_HOME"] = str(home)
    command = [sys.executable, "-m", "nightbake", "adapters", "rollback", "--json"]
    async with run_model(home, port) as model_server, Database(url) as database:
        await migrate(database)
        load = Load(database, model_server, tally, requests=requests, tokens=tokens)
        swaps = Swaps(database, model_server, tally, folder=home / "adapters", command=command)
        work = [load.client(number) for number in range(clients)]
        await asyncio.gather(*work, disturb(swaps, tally, requests=requests, **counts))
    return tally


def build_figures(tally: Tally, seconds: float) -> dict[str, Any]:
    """The JSON object; `across` counts the requests that a switch found under way."""
    return {
        "failed": len(tally.failed),
        "rollback_seconds_max": round(max(tally.rollback_seconds, default=0.0), 2),
        "requests": tally.done,
        "across": tally.across,
        "swaps": len(tally.swap_seconds),
        "rollbacks": len(tally.rollback_seconds),
        "swap_seconds_max": round(max(tally.swap_seconds, default=0.0), 3),
        "adapters_that_answered": len(tally.by_adapter),
        "seconds": round(seconds, 1),
    }


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--requests", default=1000, show_default=True, help="Streamed answers in all.")
@click.option("--swaps", default=20, show_default=True, help="New adapters, one after the other.")
@click.option("--rollbacks", default=5, show_default=True, help="Spread over the swaps.")
@click.option("--clients", default=4, show_default=True, help="Answers under way at once.")
@click.option("--tokens", default=12, show_default=True, help="Length of an answer.")
@click.option("--port", default=8389, show_default=True, help="A free port for the model server.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(requests: int, swaps: int, rollbacks: int, clients: int, tokens: int, port: int, json_only: bool) -> None:
    """Measure, print, and end with 1 where anything failed."""
    console = Console(quiet=json_only, width=120)
    conditions = read_conditions(0)
    console.print(conditions.line())
    began = time.monotonic()
    load = {"requests": requests, "clients": clients, "tokens": tokens}
    with open_folder() as home, open_embedded() as url:
        tally = asyncio.run(run(url, home, port=port, count=swaps, rollbacks=rollbacks, **load))
    for reason in tally.failed[:10]:
        console.print(f"failed: {reason}", markup=False)
    console.print(f"by adapter: {tally.by_adapter}")
    print(json.dumps(build_figures(tally, time.monotonic() - began) | asdict(conditions)))
    raise SystemExit(bool(tally.failed))


if __name__ == "__main__":
    main()
