"""Runs the training process: writes its job, reads its progress, and leaves nothing behind when it fails."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from core.errors import ProcessError
from core.weights import check_adapter
from learning.memory import end_where_too_large, find_limit
from learning.runs import RunPair

PROJECT = Path(__file__).parent.parent
LOG_LINES = 12
ADVICE = "raise NIGHT_MAX_MEMORY where there is more, free memory on this machine, or train a smaller base model"

Progress = Callable[[dict[str, Any]], Awaitable[None]]


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a finished adapter; None where the folder holds none, or half of one."""
    path = folder / "manifest.json"
    return json.loads(path.read_text()) if path.exists() else None


def check_finished(folder: Path) -> str:
    """The hash of a finished adapter's weights, which are those that its manifest vouches for.

    Raises:
        UnsafeWeightsError: it is not finished, or holds others.
    """
    sha256 = (read_manifest(folder) or {}).get("sha256", "")
    check_adapter(folder, sha256)
    return sha256


def read_evaluation(folder: Path) -> dict[str, Any]:
    """The log-probabilities that the training process took, and token ids for the served proof."""
    return json.loads((folder / "evaluation.json").read_text())


def write_job(
    folder: Path,
    job: Mapping[str, Any],
    *,
    train: Sequence[Mapping[str, Any]],
    held_out: Sequence[Mapping[str, Any]],
    singles: Sequence[Mapping[str, Any]] = (),
    supervised: Sequence[Mapping[str, Any]] = (),
) -> None:
    """A fresh folder with the job, both lists of pairs in TRL's conversational preference format, single votes in
    KTO's, and rows for supervised training in its prompt-completion format."""
    write_rows(folder, job, pairs=train, held_out=held_out, singles=singles, supervised=supervised)


def write_rows(folder: Path, job: Mapping[str, Any], **lists: Sequence[Mapping[str, Any]]) -> None:
    """A fresh folder with a job, and each list of rows as JSON Lines under its name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scratch").mkdir(exist_ok=True)
    (folder / "job.json").write_text(json.dumps(job))
    for name, rows in lists.items():
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        (folder / f"{name}.jsonl").write_text("\n".join(lines))


def list_rows(pairs: Sequence[RunPair], state: Literal["trained", "held_out"]) -> list[dict[str, Any]]:
    """The pairs of one state as the training process reads them, in the order it trains them in."""
    return [to_row(pair) for pair in pairs if pair.state == state]


def to_row(pair: RunPair) -> dict[str, Any]:
    """A pair in TRL's conversational preference format, with its hash and language beside it."""
    return {
        "prompt": pair.prompt,
        "chosen": [{"role": "assistant", "content": pair.chosen}],
        "rejected": [{"role": "assistant", "content": pair.rejected}],
        "sha256": pair.sha256,
        "language": pair.language,
    }


async def run_trainer(
    folder: Path, *, progress: Progress, gpus: Sequence[int] = (), max_memory: int | None = None
) -> None:
    """A night's training; see `run_child`."""
    await run_child(folder, "learning.train", progress=progress, gpus=gpus, max_memory=max_memory)


async def run_child(
    folder: Path, module: str, *, progress: Progress, gpus: Sequence[int] = (), max_memory: int | None = None
) -> None:
    """Train in a child process; when this is cancelled the child's whole group is killed.

    Args:
        module: that is run on the folder.
        gpus: indexes of those that the child sees; none leaves it what this process sees.
        max_memory: MiB that it may take; None for what is free now, less a reserve.

    Raises:
        ProcessError: it failed; the message says why, or ends with its last log lines.
    """
    log_file = folder / "train.log"
    most = max_memory or await asyncio.to_thread(find_limit)
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            str(folder),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env=_environment(folder, gpus),
            start_new_session=True,
        )
    watching = asyncio.create_task(end_where_too_large(process.pid, most))
    try:
        message = await _follow(process, progress)
        code = await process.wait()
    finally:
        taken = watching.result() if watching.done() else None
        watching.cancel()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if code != 0:
        raise ProcessError(_explain(code, taken, most) or message or _quote_log(code, log_file))


async def _follow(process: asyncio.subprocess.Process, progress: Progress) -> str | None:
    """Pass events on; the text of an error event, if one came."""
    assert process.stdout
    message: str | None = None
    async for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "error":
            message = event["message"]
        await progress(event)
    return message


def _environment(folder: Path, gpus: Sequence[int]) -> dict[str, str]:
    scratch = str(folder / "scratch")
    return {
        **os.environ,
        **({"CUDA_VISIBLE_DEVICES": ",".join(map(str, gpus))} if gpus else {}),
        "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
        "PYTHONHASHSEED": "0",
        "TOKENIZERS_PARALLELISM": "false",
        # Everything that libraries keep beside the job goes with the job's folder.
        "TMPDIR": scratch,
        "HF_DATASETS_CACHE": scratch,
        # cuBLAS is reproducible only with a fixed workspace.
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }


def _explain(code: int, taken: int | None, most: int | None) -> str | None:
    """What to do where memory was the reason, or may have been."""
    if taken is not None:
        return f"expected the training to take at most {most:,} MiB of memory, it took {taken:,}; {ADVICE}"
    if code == -signal.SIGKILL:
        return f"the training process was killed from outside, as a machine does that runs out of memory; {ADVICE}"
    return None


def _quote_log(code: int, path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join([f"the training process ended with code {code}:", *lines])
