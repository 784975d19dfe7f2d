"""What a manifest says of a training beside its weights: which code, how long, how much energy and money."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from core.revision import find_commit, find_version

LIBRARIES = ("torch", "transformers", "trl", "peft", "safetensors", "tokenizers")
# A card at full load with its share of the host; a busy core with its share of memory, fans and power supply.
GPU_WATTS, WATTS_A_THREAD = 500.0, 10.0


def describe_code() -> dict[str, Any]:
    """Versions of what computed, and the commit; the package's version where no commit is known."""
    own = find_version()
    versions = {name: version(name) for name in LIBRARIES}
    return {
        "versions": {**versions, "python": platform.python_version(), "nightbake": own},
        "commit": find_commit() or own,
    }


def price(
    seconds: float,
    device: str,
    *,
    threads: int,
    currency: str = "USD",
    hour: float | None = None,
    watts: float | None = None,
) -> dict[str, Any]:
    """Energy and money of so many seconds of a machine.

    The energy is an estimate, watts times hours: no meter is read. Where nobody said what the machine draws, the watts
    are a default of this module, and `watts_by` says so.

    Args:
        device: as torch names it, `cpu` or `cuda`.
        threads: that computed, for the default on a CPU.
        hour: what an hour costs, in `currency`; None prices nothing.
        watts: that the machine draws.
    """
    is_gpu = device == "cuda"
    usual = GPU_WATTS if is_gpu else WATTS_A_THREAD * threads
    drawn = usual if watts is None else watts
    return {
        "device": device,
        "device_seconds": round(seconds, 2),
        "gpu_seconds": round(seconds, 2) if is_gpu else 0,
        "energy": {
            "kwh": round(drawn * seconds / 3.6e6, 6),
            "is_estimate": True,
            "watts": drawn,
            "watts_by": "default" if watts is None else "setting",
        },
        "cost": None if hour is None else {"amount": round(hour * seconds / 3600, 4), "currency": currency},
    }


def hash_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """One hash over the pairs' own hashes, in order."""
    return hashlib.sha256("\n".join(row["sha256"] for row in rows).encode()).hexdigest()
