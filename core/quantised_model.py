"""The embedded base model in 8 or 4 bits, as a folder that vLLM's CPU build serves; training keeps the full weights.

Rounded to the nearest step, without calibration: 8 bits with one scale a row of weights, inputs in 8 bits too (W8A8);
4 bits with one scale for 32 weights (W4A16). Written in the form of `compressed-tensors`, for which vLLM has kernels on
a CPU. Embeddings and the LM head, which share their weights, stay as they are.

Run as a child process, `python -m core.quantised_model SOURCE OUT --bits 8`: torch is imported only there.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from core.base_model import MANIFEST

GROUP = 32
_WEIGHTS = "model.safetensors"
_NIBBLES = 8


def is_quantised(source: Path, out: Path, *, bits: int) -> bool:
    """Whether `out` holds the model of `source` in so many bits. Needs no torch."""
    try:
        return json.loads((out / MANIFEST).read_text()) == build_manifest(source, bits=bits)
    except (OSError, ValueError):
        return False


def build_manifest(source: Path, *, bits: int) -> dict[str, Any]:
    """What a quantised folder was made from."""
    made_from = hashlib.sha256((source / MANIFEST).read_bytes()).hexdigest()
    return {"layout": 1, "source_manifest": made_from, "bits": bits, "group": GROUP if bits == 4 else None}


def quantise(source: Path, out: Path, *, bits: int) -> bool:
    """Write `out`, unless it is there; built beside it and renamed, its manifest last. True when it was written."""
    if is_quantised(source, out, bits=bits):
        return False
    building = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        building.chmod(0o755)
        for path in source.iterdir():
            if path.name not in (_WEIGHTS, MANIFEST, "config.json"):
                shutil.copy(path, building)
        _write_weights(source / _WEIGHTS, building / _WEIGHTS, bits=bits)
        config = json.loads((source / "config.json").read_text())
        config["quantization_config"] = describe(bits)
        (building / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        (building / MANIFEST).write_text(json.dumps(build_manifest(source, bits=bits), indent=2) + "\n")
        shutil.rmtree(out, ignore_errors=True)
        building.rename(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return True


def describe(bits: int) -> dict[str, Any]:
    """The part of `config.json` that tells a server how the weights are written."""
    weights: dict[str, Any] = {"num_bits": bits, "type": "int", "symmetric": True, "dynamic": False}
    inputs = None
    if bits == 8:
        weights |= {"strategy": "channel"}
        inputs = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "token", "dynamic": True}
    else:
        weights |= {"strategy": "group", "group_size": GROUP}
    return {
        "quant_method": "compressed-tensors",
        "format": "int-quantized" if bits == 8 else "pack-quantized",
        "quantization_status": "compressed",
        "ignore": ["lm_head"],
        "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights, "input_activations": inputs}},
    }


def _write_weights(source: Path, out: Path, *, bits: int) -> None:
    import safetensors.torch

    files: Any = safetensors.torch
    written: dict[str, Any] = {}
    for name, tensor in files.load_file(source).items():
        if name.endswith("_proj.weight"):
            stem = name.removesuffix("weight")
            parts = round_rows(tensor) if bits == 8 else round_groups(tensor)
            written |= {stem + part: value.contiguous() for part, value in parts.items()}
        else:
            written[name] = tensor
    files.save_file(written, out, metadata={"format": "pt"})


def round_rows(weights: Any) -> dict[str, Any]:
    """8 bits: `weight` int8 [o, i] and `weight_scale` [o, 1]; a weight is their product."""
    import torch

    scale = (weights.float().abs().amax(dim=1, keepdim=True) / 127).clamp(min=1e-12)
    rounded = (weights.float() / scale).round().clamp(-127, 127).to(torch.int8)
    return {"weight": rounded, "weight_scale": scale.to(weights.dtype)}


def round_groups(weights: Any) -> dict[str, Any]:
    """4 bits: `weight_packed` int32 [o, i / 8], eight numbers from -8 to 7 plus 8, the lowest bits first;
    `weight_scale` [o, i / GROUP]; `weight_shape`."""
    import torch

    rows, columns = weights.shape
    grouped = weights.float().view(rows, columns // GROUP, GROUP)
    scale = (grouped.abs().amax(dim=2, keepdim=True) / 7).clamp(min=1e-12)
    rounded = (grouped / scale).round().clamp(-8, 7).view(rows, columns // _NIBBLES, _NIBBLES)
    shifts = torch.arange(0, 4 * _NIBBLES, 4)
    packed = ((rounded.to(torch.int64) + 8) << shifts).sum(dim=2)
    # The highest bit is a sign to int32.
    packed = torch.where(packed >= 1 << 31, packed - (1 << 32), packed).to(torch.int32)
    return {
        "weight_packed": packed,
        "weight_scale": scale.squeeze(2).to(weights.dtype),
        "weight_shape": torch.tensor([rows, columns], dtype=torch.int64),
    }


def main(arguments: list[str] | None = None) -> int:
    """Command line of the child process; prints one JSON line."""
    parser = argparse.ArgumentParser(prog="python -m core.quantised_model", description="Quantise the embedded model.")
    parser.add_argument("source", type=Path, help="the embedded base model")
    parser.add_argument("out", type=Path, help="folder to write; reused when its manifest matches")
    parser.add_argument("--bits", type=int, choices=(8, 4), required=True, help="of the weights")
    chosen = parser.parse_args(arguments)
    written = quantise(chosen.source, chosen.out, bits=chosen.bits)
    print(json.dumps({"model": str(chosen.out), "bits": chosen.bits, "written": written}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
