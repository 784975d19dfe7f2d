"""The child process that trains: `python -m learning.train FOLDER` turns a job into an adapter, manifest last.

The folder holds `job.json`, `pairs.jsonl` and `held_out.jsonl` (TRL's conversational preference format with
`sha256` and `language` beside it), and `singles.jsonl` (its KTO format with `sha256`). Progress goes to standard output
as JSON lines; what libraries print goes to standard error. The finished adapter is `adapter/`: without its
`manifest.json` it does not exist.

Reproducible: on one machine and library set, the same job gives the same bytes on a CPU.
"""

import contextlib
import ctypes
import errno
import gc
import hashlib
import json
import math
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.utils.deterministic
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model_state_dict
from safetensors.torch import save
from transformers import AutoTokenizer, PrinterCallback, TrainerCallback, set_seed
from trl.trainer.dpo_config import DPOConfig

from learning.base_weights import load_base, take_start
from learning.job import Job
from learning.kto import lay_out
from learning.losses import SIDES, Scores, Tokens, check_turn_ends, score_pair, tokenize_pair
from learning.manifest import describe_code, hash_rows, price
from learning.prefix_dpo import VOTE, PrefixSharedDPOTrainer, PreparedDPOTrainer
from learning.prefix_tree import find_obstacles
from learning.reference_cache import Reference, ReferenceCache, describe_base

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PR_SET_PDEATHSIG = 1  # linux/prctl.h
WARMUP_SHARE = 0.1
PROOF_PAIRS, PROOF_CHOICE = 3, 12
"""How many pairs the served proof asks, and among how many of the shortest they are chosen."""
LOSSES = ("sigmoid", "sigmoid_norm", "ipo", "robust")
EXPECTED_NOISE = 0.2
"""Share of votes that are taken for flipped; used by the loss `robust`."""


def main(folder: Path) -> int:
    """Train, evaluate, write the manifest; 0, or 3 when the disk is full."""
    emit = _take_standard_output()
    _die_with_parent()
    try:
        bake(Job(**json.loads((folder / "job.json").read_text())), folder, emit)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        shutil.rmtree(folder / "adapter", ignore_errors=True)
        emit({"event": "error", "message": f"no space left to write the adapter: {os.strerror(error.errno or 0)}"})
        return 3
    return 0


def bake(job: Job, folder: Path, emit: Any) -> None:
    """The whole job as a list of steps."""
    began = time.monotonic()
    make_deterministic(job)
    train_rows, held_out_rows = read_rows(folder / "pairs.jsonl"), read_rows(folder / "held_out.jsonl")
    tokenizer = AutoTokenizer.from_pretrained(job.base_model)
    base = open_base(job, bits=job.bits)
    device = base.model.device.type
    loaded = time.monotonic()
    emit({"event": "loaded", "seconds": round(loaded - began, 1), "dtype": base.dtype})
    singles = lay_out(read_rows(folder / "singles.jsonl"))
    pairs = {row["sha256"]: tokenize_pair(tokenizer, row) for row in [*train_rows, *held_out_rows, *singles]}
    check_turn_ends(tokenizer, pairs.values())
    trained_rows = [*train_rows, *singles]
    trained_pairs = [pairs[row["sha256"]] for row in trained_rows]
    votes = [row.get(VOTE, 0.0) for row in trained_rows]
    scores = base.reference.score_all(trained_pairs, emit)
    referred = time.monotonic()
    trainer = build_trainer(
        job,
        base.model,
        tokenizer,
        pairs=trained_pairs,
        scores=scores,
        votes=votes,
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
    state, shared = trainer.state, isinstance(trainer, PrefixSharedDPOTrainer)
    adapted = trainer.model
    if job.bits != 16:
        # Scores are taken with the weights that are served; those of the training must go first.
        del trainer, adapted, base
        gc.collect()
        torch.cuda.empty_cache()
        base = open_base(job, bits=16, may_spill=True)
        adapted = PeftModel.from_pretrained(base.model, target)
    evaluation = score_held_out(adapted, held_out_rows, pairs, job, emit, reference=base.reference)
    write_synced(target / "evaluation.json", json.dumps(evaluation, ensure_ascii=False).encode())
    evaluated = time.monotonic()
    manifest = {
        "base_model": job.base_model,
        "base_hash": base.weights,
        "sha256": sha256,
        "job": asdict(job),
        "dtype": base.dtype,
        "pairs": len(train_rows),
        "pairs_sha256": hash_rows(train_rows),
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
        "curve": [_curve_point(entry) for entry in state.log_history if "loss" in entry],
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


def make_deterministic(job: Job) -> None:
    """Fixed seeds, threads and algorithms."""
    torch.set_num_threads(job.threads)
    set_seed(job.seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    # It also fills every new tensor, in case someone reads what nobody wrote; that costs a write of all memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Base:
    """The base model without an adapter, its number format, what keeps its scores, and the hash of its weights."""

    model: Any
    dtype: str
    reference: Reference
    weights: str


def open_base(job: Job, *, bits: int, may_spill: bool = False) -> Base:
    """Load it; the options are those of `load_base`."""
    model, dtype = load_base(job.base_model, dtype=job.dtype, bits=bits, may_spill=may_spill)
    described = describe_base(model, dtype=dtype, threads=job.threads)
    cache = ReferenceCache(Path(job.reference_cache) if job.reference_cache else None, described)
    return Base(model, dtype, Reference(model, cache), described["weights"])


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
        output_dir=str(scratch),
        num_train_epochs=job.epochs,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=batch_pairs,
        learning_rate=job.learning_rate,
        lr_scheduler_type="cosine",
        # A first step at rate 0 is a waste where there are few.
        warmup_steps=int(WARMUP_SHARE * steps),
        beta=job.beta,
        **build_loss(job.loss, job.sft_weight),
        # Longer prompts would be dropped in silence.
        max_length=None,
        gradient_checkpointing=torch.cuda.is_available(),
        bf16=dtype == "bfloat16",
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
        logging_steps=1,
        logging_first_step=True,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        seed=job.seed,
        data_seed=job.seed,
    )
    rows = [_to_columns(*both) for both in zip(pairs, scores, strict=True)]
    if any(votes or ()):
        rows = [row | {VOTE: vote} for row, vote in zip(rows, votes or (), strict=True)]
    dataset = Dataset.from_list(rows)
    lora = LoraConfig(
        task_type="CAUSAL_LM", r=job.rank, lora_alpha=job.alpha, lora_dropout=0.0, target_modules="all-linear"
    )
    kind = PreparedDPOTrainer if find_obstacles(model) else PrefixSharedDPOTrainer
    trainer = kind(model=model, args=config, train_dataset=dataset, processing_class=tokenizer, peft_config=lora)
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


class Watch(TrainerCallback):
    """Reports each step and stops training cleanly at the deadline (seconds of the monotonic clock)."""

    def __init__(self, emit: Any, *, deadline: float) -> None:
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
            point = _curve_point(logs | {"step": state.global_step})
            self._emit({"event": "step", "steps": state.max_steps, "eta_seconds": round(eta, 1), **point})


def score_held_out(
    model: PeftModel,
    rows: list[dict[str, Any]],
    pairs: Mapping[str, Mapping[str, Tokens]],
    job: Job,
    emit: Any,
    *,
    reference: Reference,
) -> dict[str, Any]:
    """Summed answer log-probabilities in nats of each held-out pair under candidate, base and live adapter.

    A few short ones that the adapter moves most carry their token ids, for the proof that the server serves it.
    """
    model.eval()
    if job.live_adapter:
        model.load_adapter(job.live_adapter, "live")
    scored = []
    for number, row in enumerate(rows, start=1):
        pair = pairs[row["sha256"]]
        scored.append(
            {
                "sha256": row["sha256"],
                "language": row["language"],
                "tokens": {side: pair[side].answer_length for side in SIDES},
                **_score_everywhere(model, pair, reference, with_live=bool(job.live_adapter)),
            }
        )
        emit({"event": "scored", "pair": number, "pairs": len(rows)})
    proofs = {sha256: {side: asdict(pairs[sha256][side]) for side in SIDES} for sha256 in choose_proofs(scored, pairs)}
    return {"pairs": scored, "proofs": proofs}


def choose_proofs(scored: Sequence[Mapping[str, Any]], pairs: Mapping[str, Mapping[str, Tokens]]) -> list[str]:
    """Hashes of the pairs whose answers the adapter moves most, a token, among the shortest.

    A short pair is scored quickly, and where much is moved a wrong adapter shows above the server's rounding.
    """
    shortest = sorted(scored, key=lambda one: sum(len(pairs[one["sha256"]][side].ids) for side in SIDES))
    ranked = sorted(shortest[:PROOF_CHOICE], key=_moved, reverse=True)
    return [one["sha256"] for one in ranked[:PROOF_PAIRS]]


def _moved(scored: Mapping[str, Any]) -> float:
    shifts = [abs(scored["candidate"][side] - scored["base"][side]) for side in SIDES]
    return sum(shifts) / sum(scored["tokens"].values())


def _score_everywhere(
    model: PeftModel, pair: Mapping[str, Tokens], reference: Reference, *, with_live: bool
) -> dict[str, Scores]:
    model.set_adapter("default")
    scores = {"candidate": score_pair(model, pair)}
    with model.disable_adapter():
        scores["base"] = reference.score(pair)
    if with_live:
        model.set_adapter("live")
        scores["live"] = score_pair(model, pair)
    return scores


def write_adapter(model: PeftModel, folder: Path) -> str:
    """Weights and configuration as PEFT and vLLM read them; the SHA-256 of the weights."""
    folder.mkdir()
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in get_peft_model_state_dict(model).items()}
    content = save(weights, metadata={"format": "pt"})
    write_synced(folder / "adapter_model.safetensors", content)
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


def _curve_point(entry: dict[str, Any]) -> dict[str, Any]:
    names = {"loss": "loss", "accuracy": "rewards/accuracies", "margin": "rewards/margins"}
    return {"step": entry["step"]} | {name: round(float(entry.get(key, 0)), 4) for name, key in names.items()}


def _die_with_parent() -> None:
    """Have the kernel end this process when the night's is killed: the next start trains in the same folder.

    Only Linux has this. One that was left alone before this, or elsewhere, ends at its next line of progress, which
    nobody reads; the first comes before anything is written.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _take_standard_output() -> Any:
    """Keep standard output for progress; whatever libraries print goes to standard error."""
    own = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return lambda event: print(json.dumps(event), file=own, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
