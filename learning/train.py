"""The child process that trains: `python -m learning.train FOLDER` turns a job into an adapter, manifest last.

The folder holds `job.json`, `pairs.jsonl` and `held_out.jsonl` (TRL's conversational preference format with
`sha256` and `language` beside it), `singles.jsonl` (its KTO format with `sha256`) and `supervised.jsonl` (its
prompt-completion format with `sha256`). Progress goes to standard output
as JSON lines; what libraries print goes to standard error. The finished adapter is `adapter/`: without its
`manifest.json` it does not exist.

Reproducible: on one machine and library set, the same job gives the same bytes on a CPU.
"""

import gc
import json
import math
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import AutoTokenizer, PrinterCallback
from trl.trainer.dpo_config import DPOConfig

from learning import child_process
from learning.base_weights import take_start
from learning.child_process import Base, Emit, make_deterministic, open_base, read_rows, write_adapter, write_synced
from learning.held_out import score_held_out
from learning.job import Job
from learning.kto import lay_out
from learning.losses import SIDES, Scores, Tokens, check_turn_ends, find_causal_lm, tokenize_pair
from learning.manifest import describe_code, hash_rows, price
from learning.prefix_dpo import VOTE, PrefixSharedDPOTrainer, PreparedDPOTrainer
from learning.prefix_sft import PrefixSharedSFTTrainer, build_sft_trainer
from learning.prefix_tree import find_obstacles
from learning.recipe import WARMUP_SHARE, build_lora, build_options
from learning.reference_cache import Reference
from learning.trainer import check_finished
from learning.watch import Watch, read_point

LOSSES = ("sigmoid", "sigmoid_norm", "ipo", "robust")
EXPECTED_NOISE = 0.2
"""Share of votes that are taken for flipped; used by the loss `robust`."""


def work(folder: Path, emit: Emit) -> None:
    """The whole job as a list of steps."""
    began = time.monotonic()
    job = Job(**json.loads((folder / "job.json").read_text()))
    make_deterministic(seed=job.seed, threads=job.threads)
    train_rows, held_out_rows = read_rows(folder / "pairs.jsonl"), read_rows(folder / "held_out.jsonl")
    tokenizer = AutoTokenizer.from_pretrained(job.base_model)
    base = open_base(job, bits=job.bits)
    device = base.model.device.type
    loaded = time.monotonic()
    emit({"event": "loaded", "seconds": round(loaded - began, 1), "dtype": base.dtype})
    singles, supervised = lay_out(read_rows(folder / "singles.jsonl")), read_rows(folder / "supervised.jsonl")
    pairs = {row["sha256"]: tokenize_pair(tokenizer, row) for row in [*train_rows, *held_out_rows, *singles]}
    check_turn_ends(tokenizer, pairs.values())
    if job.method == "sft":
        trainer = build_sft_trainer(
            job, base.model, tokenizer, rows=supervised, dtype=base.dtype, scratch=folder / "scratch"
        )
        referred = loaded
    else:
        rows = [*train_rows, *singles]
        model, reference = open_anchor(job, base)
        scores = reference.score_all([pairs[row["sha256"]] for row in rows], emit)
        referred = time.monotonic()
        trainer = build_trainer(
            job,
            model,
            tokenizer,
            pairs=[pairs[row["sha256"]] for row in rows],
            scores=scores,
            votes=[row.get(VOTE, 0.0) for row in rows],
            dtype=base.dtype,
            scratch=folder / "scratch",
        )
    started_from = take_start(trainer.model, job.start_from, base.weights) if job.start_from else None
    trainer.add_callback(Watch(emit, deadline=began + job.max_seconds))
    trainer.train()
    trained = time.monotonic()
    emit({"event": "evaluating", "pairs": len(held_out_rows)})
    target = folder / "adapter"
    sha256 = write_adapter(trainer.model, target)
    state, shared = trainer.state, isinstance(trainer, PrefixSharedDPOTrainer | PrefixSharedSFTTrainer)
    adapted = trainer.model
    if job.bits != 16:
        # Scores are taken with the weights that are served; those of the training must go first.
        del trainer, adapted, base
        gc.collect()
        torch.cuda.empty_cache()
        base = open_base(job, bits=16, may_spill=True)
        adapted = PeftModel.from_pretrained(base.model, target)
    evaluation = score_held_out(
        adapted, held_out_rows, pairs, emit, reference=base.reference, live_adapter=job.live_adapter
    )
    write_synced(target / "evaluation.json", json.dumps(evaluation, ensure_ascii=False).encode())
    evaluated = time.monotonic()
    manifest = {
        "base_model": job.base_model,
        "base_hash": base.weights,
        "sha256": sha256,
        "trained": job.method,
        "anchor": Path(job.anchor).name if job.anchor else None,
        "job": asdict(job),
        "dtype": base.dtype,
        "pairs": len(train_rows),
        "pairs_sha256": hash_rows(train_rows),
        "supervised": len(supervised),
        "supervised_sha256": hash_rows(supervised),
        "singles": len(singles),
        "singles_sha256": hash_rows(singles),
        "held_out": len(held_out_rows),
        "held_out_sha256": hash_rows(held_out_rows),
        "seeds": {"split": job.seed, "weights": job.seed, "order": job.seed},
        "started_from": started_from,
        "steps": state.global_step,
        "planned_steps": state.max_steps,
        "stopped_early": state.global_step < state.max_steps,
        "prefix_shared": shared,
        "tokens": int(state.log_history[-2].get("num_tokens", 0)) if len(state.log_history) > 1 else 0,
        "curve": [read_point(entry) for entry in state.log_history if "loss" in entry],
        "seconds": {
            "load": round(loaded - began, 2),
            "reference": round(referred - loaded, 2),
            "train": round(trained - referred, 2),
            "evaluate": round(evaluated - trained, 2),
        },
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **price(evaluated - began, device, threads=job.threads, **job.prices),
        **describe_code(),
    }
    write_synced(target / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1).encode())
    emit({"event": "finished", "sha256": sha256, "seconds": round(time.monotonic() - began, 1)})


def open_anchor(job: Job, base: Base) -> tuple[Any, Reference]:
    """What DPO trains and what it is held against: the base model, or a supervised adapter."""
    if not job.anchor:
        return base.model, base.reference
    sha256 = check_finished(Path(job.anchor))
    model = PeftModel.from_pretrained(base.model, job.anchor, is_trainable=True).eval()
    return model, base.refer_to(model, sha256)


def build_trainer(
    job: Job,
    model: Any,
    tokenizer: Any,
    *,
    pairs: Sequence[Mapping[str, Tokens]],
    scores: Sequence[Scores],
    dtype: str,
    scratch: Path,
    votes: Sequence[float] | None = None,
) -> Any:
    """A DPO trainer for a fresh LoRA adapter on pairs whose scores under the base model are known.

    Prefix-shared where that is exact for this model, else TRL's own.

    Args:
        votes: of each pair, not 0 where it is a single vote laid out as one.
    """
    batch_pairs = min(job.batch_pairs, len(pairs))
    steps = math.ceil(len(pairs) / batch_pairs) * job.epochs
    config = DPOConfig(
        **build_options(job, batch_rows=batch_pairs, dtype=dtype, scratch=scratch),
        num_train_epochs=job.epochs,
        # A first step at rate 0 is a waste where there are few.
        warmup_steps=int(WARMUP_SHARE * steps),
        beta=job.beta,
        **build_loss(job.loss, job.sft_weight),
    )
    rows = [_to_columns(*both) for both in zip(pairs, scores, strict=True)]
    if any(votes or ()):
        rows = [row | {VOTE: vote} for row, vote in zip(rows, votes or (), strict=True)]
    dataset = Dataset.from_list(rows)
    options = {} if isinstance(model, PeftModel) else {"peft_config": build_lora(job)}
    kind = PreparedDPOTrainer if find_obstacles(find_causal_lm(model)) else PrefixSharedDPOTrainer
    trainer = kind(model=model, args=config, train_dataset=dataset, processing_class=tokenizer, **options)
    trainer.remove_callback(PrinterCallback)
    return trainer


def build_loss(loss: str, sft_weight: float) -> dict[str, Any]:
    """TRL's options for one of `LOSSES`, with the chosen answer's own likelihood beside it where it has a weight.

    TRL 1.16 takes the share of flipped votes for `robust` only; elsewhere it is ignored in silence.
    """
    options: dict[str, Any] = {"loss_type": [loss], "loss_weights": [1.0]}
    if sft_weight:
        options = {"loss_type": [loss, "sft"], "loss_weights": [1.0, sft_weight]}
    return options | ({"label_smoothing": EXPECTED_NOISE} if loss == "robust" else {})


def _to_columns(pair: Mapping[str, Tokens], scores: Scores) -> dict[str, Any]:
    start = pair["chosen"].prompt_length
    answers = {f"{side}_ids": pair[side].ids[start:] for side in SIDES}
    return {"prompt_ids": pair["chosen"].ids[:start], **answers} | {f"ref_{side}_logps": scores[side] for side in SIDES}


if __name__ == "__main__":
    sys.exit(child_process.run(Path(sys.argv[1]), work))
