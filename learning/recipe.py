"""What every training process tells PEFT and TRL alike.

torch is imported by these libraries, so this module belongs to child processes.
"""

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig

from learning.job import BakeJob, Job

WARMUP_SHARE = 0.1


def build_lora(job: Job | BakeJob) -> LoraConfig:
    """A fresh adapter on all linear layers."""
    return LoraConfig(
        task_type="CAUSAL_LM", r=job.rank, lora_alpha=job.alpha, lora_dropout=0.0, target_modules="all-linear"
    )


def build_options(job: Job, *, batch_rows: int, dtype: str, scratch: Path) -> dict[str, Any]:
    """Options of TRL's trainers: one row at a time, added up to a step, on one device, nothing saved or told.

    Args:
        batch_rows: of a step.
    """
    return {
        "output_dir": str(scratch),
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": batch_rows,
        "learning_rate": job.learning_rate,
        "lr_scheduler_type": "cosine",
        # Longer prompts would be dropped or cut in silence.
        "max_length": None,
        "gradient_checkpointing": torch.cuda.is_available(),
        "bf16": dtype == "bfloat16",
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_pin_memory": False,
        "logging_steps": 1,
        "logging_first_step": True,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "seed": job.seed,
        "data_seed": job.seed,
    }
