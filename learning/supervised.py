"""Prefix-shared supervised training: many questions about the same passages for the price of one prompt.

A group of chats that begin alike is packed into one tree (`learning/prefix_tree.py`), and the LM head is applied to
answer positions only. torch and peft are imported here, so this module belongs to a child process.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from core.weights import WEIGHTS, check_adapter, hash_file
from learning.prefix_tree import Tree, answer_states, plain_tokens

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Numbers of one training run. `minutes` is the time budget; the learning rate falls to zero as it runs out."""

    minutes: float
    learning_rate: float = 7e-4
    warmup_share: float = 0.04
    groups_per_step: int = 1
    rank: int = 16
    alpha: int = 32
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands after a step; `loss` is a running mean in nats per weighted answer token."""

    steps: int
    examples: int
    packed_tokens: int
    plain_tokens: int
    loss: float
    seconds: float


def answer_losses(model: Any, tree: Tree) -> torch.Tensor:
    """Negative log-probability of every answer token in nats, float32 [a], in the order of `tree.targets`.

    Args:
        model: a causal LM of the Llama kind (`.model` and `.lm_head`) with sdpa attention, with or without LoRA layers.
    """
    logits = model.lm_head(answer_states(model, tree)).float()
    return functional.cross_entropy(logits, tree.targets.to(logits.device), reduction="none")


def tree_loss(model: Any, tree: Tree) -> torch.Tensor:
    """Weighted mean of the answer losses, a scalar in nats."""
    weights = tree.weights.to(model.lm_head.weight.device)
    return (answer_losses(model, tree) * weights).sum() / weights.sum()


def add_lora(model: Any, recipe: Recipe) -> Any:
    """Wrap a causal LM with fresh LoRA layers on all linear projections; the base stays frozen.

    The adapter is plain LoRA (no DoRA, no bias, no saved modules), which vLLM can load and PEFT can merge.
    """
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(recipe.seed)
    lora = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        target_modules=list(PROJECTIONS),
        lora_dropout=0.0,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, lora)


def load_lora(model: Any, folder: Path) -> Any:
    """Put a saved adapter on a causal LM, its LoRA weights in float32 and open to training.

    Raises:
        FileNotFoundError: the folder holds no adapter.
    """
    from peft import PeftModel

    if not (folder / "adapter_config.json").is_file():
        raise FileNotFoundError(f"expected 'adapter_config.json' in {str(folder)!r}, got none; name an adapter folder")
    check_adapter(folder, hash_file(folder / WEIGHTS))
    return PeftModel.from_pretrained(model, str(folder), is_trainable=True)


def train_adapter(
    adapted: Any,
    trees: Iterable[Tree],
    recipe: Recipe,
    *,
    on_step: Callable[[Progress], None] = lambda progress: None,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Train the LoRA layers of a PEFT model on trees until the time budget is spent or the trees end.

    Side effect: changes the LoRA weights in place. `on_step` is called after every optimiser step.

    Raises:
        ValueError: the trees ended before one step was made.
    """
    model = adapted.get_base_model()
    learnt = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(learnt, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay)
    started, examples, packed, plain, loss = clock(), 0, 0, 0, 0.0
    progress = None
    adapted.train()
    for steps, batch in enumerate(_batches(trees, recipe.groups_per_step), start=1):
        spent = (clock() - started) / (60 * recipe.minutes)
        if spent >= 1:
            break
        for parameters in optimiser.param_groups:
            parameters["lr"] = recipe.learning_rate * rate_share(spent, recipe.warmup_share)
        step_loss = _step(model, learnt, optimiser, batch, recipe.clip_norm)
        loss = step_loss if steps == 1 else loss + max(0.05, 1 / steps) * (step_loss - loss)
        examples += sum(len(tree.lengths) for tree in batch)
        packed += sum(tree.tokens.shape[1] for tree in batch)
        plain += sum(plain_tokens(tree) for tree in batch)
        progress = Progress(steps, examples, packed, plain, loss, clock() - started)
        on_step(progress)
    if progress is None:
        raise ValueError("expected at least one group of chats and some minutes to train, got none")
    return progress


def rate_share(spent: float, warmup_share: float) -> float:
    """Learning rate as a share of its peak: a linear rise, then half a cosine to zero. `spent` runs from 0 to 1."""
    if spent < warmup_share:
        return max(0.05, spent / warmup_share)
    return 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * (spent - warmup_share) / (1 - warmup_share)))))


def save_adapter(adapted: Any, folder: Path, *, base_name: str) -> None:
    """Write the LoRA weights in bfloat16 (half the size of float32), each file through a temporary name.

    Args:
        base_name: public name of the base model, written in place of the path it happened to be loaded from.
    """
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    weights = {name: tensor.detach().to("cpu", torch.bfloat16).contiguous() for name, tensor in state.items()}
    config = adapted.peft_config["default"].to_dict()
    config |= {"base_model_name_or_path": base_name, "inference_mode": True}
    config["target_modules"] = sorted(config["target_modules"])
    with tempfile.TemporaryDirectory(dir=folder) as building:
        save_file(weights, Path(building, WEIGHTS), metadata={"format": "pt"})
        Path(building, "adapter_config.json").write_text(
            json.dumps(config, indent=2, sort_keys=True, default=str) + "\n"
        )
        for path in Path(building).iterdir():
            path.chmod(0o644)
            path.replace(folder / path.name)


def _step(model: Any, learnt: list, optimiser: Any, batch: Sequence[Tree], clip_norm: float) -> float:
    """One optimiser step over a batch of trees. Returns its mean loss."""
    device = model.lm_head.weight.device
    total = 0.0
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
        for tree in batch:
            loss = tree_loss(model, tree) / len(batch)
            loss.backward()
            total += loss.item()
    torch.nn.utils.clip_grad_norm_(learnt, clip_norm)
    optimiser.step()
    optimiser.zero_grad()
    return total


def _batches(trees: Iterable[Tree], size: int) -> Iterable[list[Tree]]:
    batch: list[Tree] = []
    for tree in trees:
        batch.append(tree)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
