"""Tells how a training goes, step by step, and ends it in time."""

import time
from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback

from learning.child_process import Emit

# Of pairs the share that is preferred rightly, of supervised rows that of tokens that are the likeliest.
CURVE = {
    "loss": ("loss",),
    "accuracy": ("rewards/accuracies", "mean_token_accuracy"),
    "margin": ("rewards/margins",),
}


class Watch(TrainerCallback):
    """Reports each step and stops training cleanly at the deadline (seconds of the monotonic clock)."""

    def __init__(self, emit: Emit, *, deadline: float) -> None:
        self._emit = emit
        self._deadline = deadline
        self._began = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock that the estimate of the remaining time is taken from."""
        self._began = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """End after the step in which the time ran out."""
        if time.monotonic() >= self._deadline:
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        """One line a step."""
        if logs and "loss" in logs:
            seconds_a_step = (time.monotonic() - self._began) / max(1, state.global_step)
            eta = seconds_a_step * (state.max_steps - state.global_step)
            point = read_point(logs | {"step": state.global_step})
            self._emit({"event": "step", "steps": state.max_steps, "eta_seconds": round(eta, 1), **point})


def read_point(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A point of the training curve."""
    found = {name: next((entry[key] for key in keys if key in entry), 0.0) for name, keys in CURVE.items()}
    return {"step": entry["step"]} | {name: round(float(value), 4) for name, value in found.items()}
