"""LoRA adapters made in a moment, what a trainer would have written beside them, and ways to spoil them."""

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.prompt import PromptPassage, build_messages

RANK, ALPHA = 4, 8
FILES = ("adapter_model.safetensors", "adapter_config.json")
DAYS = {"annual leave": 23, "sick leave": 30, "parking": 12, "training": 5}


def make_adapter(base: Path, folder: Path, *, seed: int = 1, strength: float = 0.02) -> Path:
    """An adapter of random weights in all linear layers, with the manifest that vouches for it."""
    import torch  # noqa: PLC0415  seconds to import
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415
    from transformers import AutoModelForCausalLM  # noqa: PLC0415

    torch.manual_seed(seed)
    lora = LoraConfig(task_type="CAUSAL_LM", r=RANK, lora_alpha=ALPHA, target_modules="all-linear")
    model: Any = get_peft_model(AutoModelForCausalLM.from_pretrained(base), lora)
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=strength)
    model.save_pretrained(str(folder))
    sha256 = hashlib.sha256((folder / FILES[0]).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps({"sha256": sha256, "job": {"rank": RANK, "alpha": ALPHA}}))
    return folder


def score_adapter(base: Path, folder: Path) -> dict[str, Any]:
    """What the training process writes into `evaluation.json`: the scores of held-out pairs, and ids of a few."""
    from peft import PeftModel  # noqa: PLC0415  seconds to import
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    from learning.held_out import choose_proofs  # noqa: PLC0415
    from learning.losses import SIDES, score_pair, tokenize_pair  # noqa: PLC0415

    tokenizer = AutoTokenizer.from_pretrained(base)
    model: Any = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(folder)).eval()
    scored: list[dict[str, Any]] = []
    pairs = {subject: tokenize_pair(tokenizer, make_row(subject, days)) for subject, days in DAYS.items()}
    for subject, pair in pairs.items():
        tokens = {side: pair[side].answer_length for side in SIDES}
        candidate = score_pair(model, pair)
        with model.disable_adapter():
            scored.append(
                {"sha256": subject, "tokens": tokens, "candidate": candidate, "base": score_pair(model, pair)}
            )
    proofs = {key: {side: asdict(pairs[key][side]) for side in SIDES} for key in choose_proofs(scored, pairs)}
    return {"pairs": scored, "proofs": proofs}


def make_row(subject: str, days: int) -> dict[str, Any]:
    """A pair as the trainer reads it."""
    passage = PromptPassage(f"Rules for {subject}", "", f"For {subject} the company grants {days} days a year.")
    chosen, rejected = f"The company grants {days} days. [1]", "I believe that this depends on many different things."
    return {
        "prompt": build_messages(f"How many days for {subject}?", [passage]),
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


def spoil(folder: Path, target: Path, how: str, *, other: Path) -> Path:
    """A copy of an adapter that is not it: `zeroed`, `double` or `half` the scale, `stale` or `other` weights.

    Args:
        other: an adapter of the same shape; `stale` is nearer to the right one than to this.
    """
    from safetensors.torch import load_file, save_file  # noqa: PLC0415  seconds to import

    shutil.copytree(folder, target)
    if how in ("double", "half"):
        config = json.loads((target / FILES[1]).read_text())
        config["lora_alpha"] = config["lora_alpha"] * 2 if how == "double" else config["lora_alpha"] // 2
        (target / FILES[1]).write_text(json.dumps(config))
        return target
    kept = {"zeroed": 0.0, "stale": 0.6, "other": 0.0}[how]
    taken = {"zeroed": 0.0, "stale": 0.4, "other": 1.0}[how]
    own, others = load_file(target / FILES[0]), load_file(other / FILES[0])
    mixed = {name: kept * weights + taken * others[name] for name, weights in own.items()}
    save_file(mixed, target / FILES[0], metadata={"format": "pt"})
    return target


SPOILT = ("zeroed", "double", "half", "stale", "other")
