"""What the training process is told, by `job.json` in its folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Job:
    """What to train. The learning rate is the peak; `batch_pairs` are accumulated one by one for each step.

    Attributes:
        live_adapter: folder of the adapter in service, for comparison only.
        start_from: folder of an adapter of the same rank whose weights training goes on from; None starts afresh.
        loss: one of `learning.train.LOSSES`; `benchmarks/dpo_noise.py` compares them.
        seed: of the split, of the adapter's first weights and of the order of the pairs.
        dtype: `float32`, `bfloat16`, or `auto` for what is faster here.
        bits: of the base's weights while it trains, 16 or 4.
        threads: CPU threads; part of the job because sums depend on it.
        reference_cache: folder that keeps scores under the base model from night to night.
        prices: of `learning.manifest.price`, by name; they change the manifest and no weight.
    """

    base_model: str
    live_adapter: str | None = None
    start_from: str | None = None
    rank: int = 16
    alpha: int = 32
    beta: float = 0.1
    learning_rate: float = 1e-4
    epochs: int = 2
    batch_pairs: int = 4
    loss: str = "ipo"
    sft_weight: float = 0.25
    seed: int = 0
    max_seconds: float = 14400
    dtype: str = "auto"
    bits: int = 16
    threads: int = 2
    reference_cache: str | None = None
    prices: Mapping[str, Any] = field(default_factory=dict[str, Any])
