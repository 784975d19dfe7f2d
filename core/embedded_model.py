"""The embedded model server: the base model made once, then vLLM as a supervised process on the CPU."""

import asyncio
import contextlib
import logging
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from core.base_model import cpu_dtype, is_prepared
from core.errors import ModelServerError, ProcessError
from core.model_server import ModelServer, Sampling
from core.quantised_model import is_quantised
from core.supervisor import Supervisor
from core.weights import WEIGHTS

log = logging.getLogger(__name__)

MODEL_NAME = "smollm2-135m-instruct"
STARTER = Path(__file__).parent.parent / "learning" / "starter"
MOST_LORA_RANK = 16
KV_CACHE_GIB = 1
END_SECONDS = 10
FULL_BITS = 16
# Settings that vLLM reads; nothing of it may ask the network.
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": str(KV_CACHE_GIB),
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_COLOR": "0",
    "VLLM_WORKER_MULTIPROC_METHOD": "fork",
    "TORCHDYNAMO_DISABLE": "1",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}


def find_starter() -> Path | None:
    """Folder of the shipped starter adapter, where there is one."""
    return STARTER if (STARTER / WEIGHTS).exists() else None


def find_served(folder: Path, *, bits: int) -> Path:
    """The folder that is served where the base model lies in `folder`."""
    return folder if bits == FULL_BITS else folder.with_name(f"{folder.name}-{bits}-bits")


async def prepare(folder: Path, *, log_file: Path, bits: int = FULL_BITS) -> bool:
    """Make the base model in `folder`, unless it is there; True when it was made now (about 20 s).

    Args:
        bits: that it is served in; fewer than 16 make another folder beside it (about 10 s), see `find_served`.

    Raises:
        ProcessError: the package with the model is not installed, or the child process failed; its log says why.
    """
    starter, dtype = find_starter(), cpu_dtype()
    is_there = await asyncio.to_thread(is_prepared, folder, starter, dtype)
    if not is_there:
        options = ["--starter", str(starter)] if starter else []
        await _make(["core.base_model", str(folder), "--dtype", dtype, *options], folder, log_file)
    served = find_served(folder, bits=bits)
    if served != folder and not await asyncio.to_thread(is_quantised, folder, served, bits=bits):
        await _make(["core.quantised_model", str(folder), str(served), "--bits", str(bits)], served, log_file)
        return True
    return not is_there


async def _make(words: Sequence[str], folder: Path, log_file: Path) -> None:
    """Run a module that writes `folder`; what it leaves half written goes where this is cancelled."""
    command = [sys.executable, "-m", *words]
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as output:
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            for half in folder.parent.glob(f".{folder.name}-*"):
                shutil.rmtree(half, ignore_errors=True)
            raise
    if code != 0:
        raise ProcessError(f"the embedded model could not be made (code {code}); see {log_file}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Asked first; killed where it does not listen, as while a busy machine imports torch."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def build_supervisor(
    folder: Path,
    model_server: ModelServer,
    *,
    port: int,
    context_tokens: int,
    log_file: Path,
    on_ready: Callable[[], Awaitable[None]],
) -> Supervisor:
    """vLLM with LoRA on `127.0.0.1:port`; warmed up before `on_ready` each time it starts.

    Source of the options: docs/operations.md.
    """

    async def warm_up_then_ready() -> None:
        await model_server.complete([{"role": "user", "content": "Hello"}], sampling=Sampling(max_tokens=2))
        try:
            await on_ready()
        except ModelServerError as error:
            log.error("the active adapter could not be loaded; the base model answers", extra={"error": str(error)})

    return Supervisor(
        "model server",
        build_command(folder, port, context_tokens),
        healthy=model_server.is_healthy,
        on_ready=warm_up_then_ready,
        log_file=log_file,
        environment=ENVIRONMENT,
    )


def build_command(folder: Path, port: int, context_tokens: int) -> list[str]:
    """vLLM with LoRA, which serves the model of `folder` on `127.0.0.1:port`; it wants `ENVIRONMENT`."""
    options = {
        "--model": str(folder),
        "--served-model-name": MODEL_NAME,
        "--max-lora-rank": str(MOST_LORA_RANK),
        "--max-loras": "2",
        "--max-cpu-loras": "4",
        "--max-model-len": str(context_tokens),
        "--dtype": cpu_dtype(),
        "--load-format": "safetensors",
        # One process fewer that imports torch again: with fork, ready in 53 s where the defaults took 82 s.
        "--distributed-executor-backend": "uni",
        "--worker-cls": "core.cpu_seeds.SeededWorker",
        "--host": "127.0.0.1",
        "--port": str(port),
    }
    pairs = [word for option in options.items() for word in option]
    module = "vllm.entrypoints.openai.api_server"
    flags = ["--enable-lora", "--enforce-eager", "--disable-uvicorn-access-log"]
    return [sys.executable, "-m", module, *pairs, *flags]
