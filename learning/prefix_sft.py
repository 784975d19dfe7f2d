"""Supervised training by TRL's own trainer, only the answers learnt, with the LM head for the answers' positions alone.

TRL 1.16 projects every prompt position onto the vocabulary on a CPU; here the answers only, and what rows of a batch
share is encoded once. All else is TRL's code: tokenising, loss, metrics; as for DPO we stand in for the model at the
one call that asks for token log-probabilities (`learning/prefix_dpo.py`).
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import PrinterCallback
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from learning.job import Job
from learning.losses import find_causal_lm
from learning.prefix_dpo import forward_trees
from learning.prefix_tree import find_obstacles
from learning.recipe import WARMUP_SHARE, build_lora, build_options


class OwnSFTTrainer(SFTTrainer):
    """`SFTTrainer` that tells nobody that it ran."""

    def _send_telemetry(self) -> None:
        """Nothing."""


class PrefixSharedSFTTrainer(OwnSFTTrainer):
    """`SFTTrainer` for one process, with or without PEFT.

    Raises:
        ValueError: the model's attention or logits are of a kind that this is not exact for.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if obstacles := find_obstacles(find_causal_lm(self.model)):
            raise ValueError(f"expected plain causal attention and logits, got {obstacles}; use TRL's SFTTrainer")
        if self.aux_loss_enabled:
            raise ValueError("expected no router loss, got one; use TRL's SFTTrainer")

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """TRL's loss, on trees."""
        standing_in: Any = partial(forward_trees, self.accelerator, model)
        return super().compute_loss(standing_in, inputs, return_outputs, num_items_in_batch)


def build_sft_trainer(
    job: Job, model: Any, tokenizer: Any, *, rows: Sequence[Mapping[str, Any]], dtype: str, scratch: Path
) -> Any:
    """A supervised trainer for a fresh LoRA adapter that reads rows in their order, each once.

    Args:
        rows: `prompt` and `completion` as messages.
    """
    batch_rows = min(job.batch_pairs, len(rows))
    config = SFTConfig(
        **build_options(job, batch_rows=batch_rows, dtype=dtype, scratch=scratch),
        num_train_epochs=1,
        warmup_steps=int(WARMUP_SHARE * len(rows) / batch_rows),
        completion_only_loss=True,
        # The order is the mix's (`learning/mix.py`).
        train_sampling_strategy="sequential",
    )
    dataset = Dataset.from_list([{side: list(row[side]) for side in ("prompt", "completion")} for row in rows])
    kind = OwnSFTTrainer if find_obstacles(model) else PrefixSharedSFTTrainer
    trainer = kind(
        model=model, args=config, train_dataset=dataset, processing_class=tokenizer, peft_config=build_lora(job)
    )
    trainer.remove_callback(PrinterCallback)
    return trainer
