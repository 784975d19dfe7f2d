"""The base model's weights as a night holds them: number format, bits, and devices.

Four bits are QLoRA's: NF4 with the constants quantised again, products in the number format (arXiv:2305.14314). They
take a quarter of the memory of sixteen, and training alone is done with them: scores are taken with the weights that
are served, or the adapter would be judged on a model that answers nobody.
"""

import json
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel, prepare_model_for_kbit_training, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from core.base_model import cpu_dtype
from core.weights import WEIGHTS, check_adapter


def load_base(base_model: str, *, dtype: str = "auto", bits: int = 16, may_spill: bool = False) -> tuple[Any, str]:
    """The base model and the name of its number format.

    On the GPU where there is one; where the process sees several, accelerate spreads the layers over them.

    Args:
        dtype: `float32`, `bfloat16`, or `auto` for what is faster here.
        bits: 16 or 4; 16 stands for the number format itself.
        may_spill: main memory holds what the GPUs do not, which only scores can bear.

    Raises:
        ImportError: 4 bits without bitsandbytes; the message says how to install it.
    """
    name = choose_dtype() if dtype == "auto" else dtype
    options: dict[str, Any] = {"dtype": getattr(torch, name), "use_safetensors": True}
    if torch.cuda.is_available():
        options["device_map"] = "auto" if may_spill or torch.cuda.device_count() > 1 else {"": 0}
    if bits == 4:
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=options["dtype"],
        )
    model: Any = AutoModelForCausalLM.from_pretrained(base_model, **options)
    if bits == 4:
        prepare_model_for_kbit_training(model, use_gradient_checkpointing=torch.cuda.is_available())
    return model, name


def take_start(model: PeftModel, folder: str, base_hash: str) -> str | None:
    """Put the weights of an earlier adapter of the same shape in place of the fresh ones; their hash.

    None where it was trained on another base model: its weights mean nothing to this one, and the fresh ones stay.
    """
    manifest = json.loads((Path(folder) / "manifest.json").read_text())
    if manifest["base_hash"] != base_hash:
        return None
    check_adapter(Path(folder), manifest["sha256"])
    set_peft_model_state_dict(model, load_file(Path(folder) / WEIGHTS))
    return manifest["sha256"]


def choose_dtype() -> str:
    """bfloat16 on a GPU and on CPUs with instructions for it; elsewhere float32, which is six times faster there."""
    return "bfloat16" if torch.cuda.is_available() else cpu_dtype()
