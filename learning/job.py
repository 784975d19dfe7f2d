"""What the training process is told, by `job.json` in its folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

BATCH_PAIRS = 4


@dataclass(frozen=True, slots=True)
class Job:
    """What to train. The learning rate is the peak; `batch_pairs` are accumulated one by one for each step.

    Attributes:
        method: `dpo` on pairs, or `sft` on the rows of `supervised.jsonl`, in their order, each once.
        anchor: folder of a supervised adapter that DPO starts from and is held against, in place of the base model;
            its rank and alpha are the job's.
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
    method: Literal["dpo", "sft"] = "dpo"
    anchor: str | None = None
    live_adapter: str | None = None
    start_from: str | None = None
    rank: int = 16
    alpha: int = 32
    beta: float = 0.1
    learning_rate: float = 1e-4
    epochs: int = 2
    batch_pairs: int = BATCH_PAIRS
    loss: str = "ipo"
    sft_weight: float = 0.25
    seed: int = 0
    max_seconds: float = 14400
    dtype: str = "auto"
    bits: int = 16
    threads: int = 2
    reference_cache: str | None = None
    prices: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class BakeJob:
    """What to bake the standing prompt into. The learning rate is the peak.

    Attributes:
        start_from: folder of the adapter whose answers are kept, with the standing prompt; None is the bare base model.
        answers: of the teacher to each question: the likeliest, then drawn ones.
        answer_tokens: most of each.
        reference_cache, prices, threads, dtype, bits: as of `Job`.
    """

    base_model: str
    start_from: str | None = None
    rank: int = 16
    alpha: int = 32
    learning_rate: float = 7e-4
    epochs: int = 2
    batch_questions: int = 4
    answers: int = 2
    answer_tokens: int = 96
    seed: int = 0
    max_seconds: float = 14400
    dtype: str = "auto"
    bits: int = 16
    threads: int = 2
    reference_cache: str | None = None
    prices: Mapping[str, Any] = field(default_factory=dict[str, Any])
