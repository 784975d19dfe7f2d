"""Where a night trains and how long it may: beside the server, on another GPU, or in its place. Pure.

The server and the training want the memory of the same GPU. In order of what people notice: nothing (`beside`, or
`second` GPU), a model that sleeps with its weights in main memory and wakes in seconds (`sleep`), a server that is
stopped and started again in a minute or more (`restart`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from core.errors import NightbakeError

Way = Literal["beside", "second", "sleep", "restart"]
WAYS: tuple[Way, ...] = ("beside", "second", "sleep", "restart")

FEWEST_SECONDS = 60.0
"""Less training than this is not worth a model that rests."""
AFTER_SECONDS = 600.0
"""Kept free before the deadline: to wake, prove, evaluate and report, where no earlier night says how long that is."""


class NoRoomError(NightbakeError):
    """No way to train fits this machine; the message says what each would need."""


class NoTimeError(NightbakeError):
    """The deadline is too near to train."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU; memory in GiB."""

    index: int
    total: float
    free: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How a night trains.

    Attributes:
        gpus: indexes of those that the training sees; none leaves it the CPU.
        need: GiB that must be free when it begins.
        max_seconds: of training.
    """

    way: Way
    gpus: tuple[int, ...]
    need: float
    max_seconds: float


def choose_way(
    wish: str, gpus: Sequence[Gpu], need: float, *, can_sleep: bool, can_restart: bool
) -> tuple[Way, tuple[int, ...]]:
    """What people notice least among what fits, and the GPUs' indexes; without a GPU the CPU is shared.

    Beside the first GPU, no more are taken than hold the training together.

    Args:
        wish: `auto`, or one of `WAYS`, which is then taken.
        need: GiB of GPU memory for the training.
        gpus: as they are while the server runs on the first.

    Raises:
        NoRoomError: nothing fits, or the wish cannot be.
    """
    if wish == "auto" and not gpus:
        return "beside", ()
    possible: dict[Way, tuple[int, ...]] = {}
    here = tuple(gpu.index for gpu in gpus[:1])
    if not gpus or gpus[0].free >= need:
        possible["beside"] = here
    if others := _gather(gpus[1:], need):
        possible["second"] = others
    if can_sleep:
        possible["sleep"] = here
    if can_restart:
        possible["restart"] = here
    for way in WAYS:
        if wish in ("auto", way) and way in possible:
            return way, possible[way]
    seen = ", ".join(f"GPU {gpu.index}: {gpu.free:.0f} of {gpu.total:.0f} GiB free" for gpu in gpus) or "no GPU"
    raise NoRoomError(
        f"expected room for {need:.0f} GiB of training, got {seen}; "
        "let the server sleep (--enable-sleep-mode and VLLM_SERVER_DEV_MODE=1), or set MODEL_STOP_COMMAND and "
        "MODEL_START_COMMAND; see docs/operations.md"
    )


def _gather(gpus: Sequence[Gpu], need: float) -> tuple[int, ...]:
    """The fewest that hold it together, the emptiest first; none where all of them do not."""
    free, taken = 0.0, []
    for gpu in sorted(gpus, key=lambda gpu: -gpu.free):
        free, taken = free + gpu.free, [*taken, gpu.index]
        if free >= need:
            return tuple(sorted(taken))
    return ()


def find_deadline(done_by: str | None, zone: str, now: datetime) -> datetime | None:
    """The next moment with this wall-clock time, `HH:MM`; None where no deadline is set."""
    if not done_by:
        return None
    local = now.astimezone(ZoneInfo(zone))
    due = datetime.combine(local.date(), time.fromisoformat(done_by), local.tzinfo)
    return due if due > local else datetime.combine(local.date() + timedelta(days=1), due.timetz())


def find_train_seconds(now: datetime, deadline: datetime | None, *, most: float, after: float) -> float:
    """How long training may take so that all that comes after it ends before the deadline.

    Args:
        most: NIGHT_MAX_TRAIN_SECONDS.
        after: seconds for what comes after training.

    Raises:
        NoTimeError: less than a minute is left.
    """
    if deadline is None:
        return most
    left = (deadline - now).total_seconds() - after
    if left < FEWEST_SECONDS:
        raise NoTimeError(
            f"{max(0.0, left):.0f} s are left for training until {deadline:%H:%M}; begin earlier (NIGHT_TIME) "
            "or move NIGHT_DONE_BY"
        )
    return min(most, left)


def estimate_need(weights_bytes: int, bits: int = 16) -> float:
    """GiB for LoRA training: the weights once, half of them again for activations of long prompts, and a floor.

    Args:
        weights_bytes: of the base model's files, in 16 bits.
        bits: of the weights in training.
    """
    return (bits / 16 + 0.5) * weights_bytes / 2**30 + 4
