"""What every training process does alike: its door to the parent, fixed seeds, the base model, files that last.

torch is imported here, so this module belongs to child processes.
"""

import contextlib
import ctypes
import errno
import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.utils.deterministic
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import save
from transformers import set_seed

from core.weights import WEIGHTS
from learning.base_weights import load_base
from learning.job import BakeJob, Job
from learning.reference_cache import Reference, ReferenceCache, describe_base

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PR_SET_PDEATHSIG = 1  # linux/prctl.h

Emit = Callable[[dict[str, Any]], None]


def run(folder: Path, work: Callable[[Path, Emit], None]) -> int:
    """Work in a job's folder, with progress on standard output; 0, or 3 when the disk is full."""
    emit = _take_standard_output()
    _die_with_parent()
    try:
        work(folder, emit)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        shutil.rmtree(folder / "adapter", ignore_errors=True)
        emit({"event": "error", "message": f"no space left to write the adapter: {os.strerror(error.errno or 0)}"})
        return 3
    return 0


def make_deterministic(*, seed: int, threads: int) -> None:
    """Fixed seeds, threads and algorithms."""
    torch.set_num_threads(threads)
    set_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    # It also fills every new tensor, in case someone reads what nobody wrote; that costs a write of all memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Base:
    """The base model without an adapter, its number format, what keeps its scores and all that these depend on."""

    model: Any
    dtype: str
    reference: Reference
    context: dict[str, Any]
    cache: Path | None

    @property
    def weights(self) -> str:
        """The hash of its weights."""
        return self.context["weights"]

    def refer_to(self, model: Any, sha256: str) -> Reference:
        """The same with an adapter of these weights, which is switched on in `model`."""
        return Reference(model, ReferenceCache(self.cache, {**self.context, "adapter": sha256}))


def open_base(job: Job | BakeJob, *, bits: int, may_spill: bool = False) -> Base:
    """The base model as a job wants it; the options are those of `load_base`."""
    model, name = load_base(job.base_model, dtype=job.dtype, bits=bits, may_spill=may_spill)
    described = describe_base(model, dtype=name, threads=job.threads)
    cache = Path(job.reference_cache) if job.reference_cache else None
    return Base(model, name, Reference(model, ReferenceCache(cache, described)), described, cache)


def write_adapter(model: PeftModel, folder: Path) -> str:
    """Weights and configuration as PEFT and vLLM read them; the SHA-256 of the weights."""
    folder.mkdir()
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in get_peft_model_state_dict(model).items()}
    content = save(weights, metadata={"format": "pt"})
    write_synced(folder / WEIGHTS, content)
    settings = model.peft_config["default"].to_dict()
    settings["target_modules"] = sorted(settings["target_modules"])
    settings["inference_mode"] = True
    write_synced(folder / "adapter_config.json", json.dumps(settings, indent=1, default=str).encode())
    return hashlib.sha256(content).hexdigest()


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and have it on the disk before going on: the manifest vouches for what was written before it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def _die_with_parent() -> None:
    """Have the kernel end this process when the night's is killed: the next start trains in the same folder.

    Only Linux has this. One that was left alone before this, or elsewhere, ends at its next line of progress, which
    nobody reads; the first comes before anything is written.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _take_standard_output() -> Emit:
    """Keep standard output for progress; whatever libraries print goes to standard error."""
    own = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return lambda event: print(json.dumps(event), file=own, flush=True)
