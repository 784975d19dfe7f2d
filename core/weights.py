"""Which files of a model are read: safetensors only, which hold numbers, and of an adapter those that were trained.

Every older format of weights is a pickle, which runs code of its author's when it is opened.
"""

import hashlib
from pathlib import Path

from core.errors import ModelServerError

WEIGHTS = "adapter_model.safetensors"
_PICKLES = {".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth"}


class UnsafeWeightsError(ModelServerError):
    """A folder's weights are not what may be loaded; save them as safetensors, or train the adapter again."""


def check_adapter(folder: Path, sha256: str) -> None:
    """An adapter's folder holds the weights that were trained, and no others.

    Args:
        sha256: of the weights, as it was kept when they were made.

    Raises:
        UnsafeWeightsError: other, missing or half-written weights, or a pickle beside them.
    """
    if pickles := _find_pickles(folder):
        raise UnsafeWeightsError(f"expected only {WEIGHTS} in the adapter {folder.name!r}, got {pickles[0]!r} too")
    if not (folder / WEIGHTS).is_file():
        raise UnsafeWeightsError(f"expected {WEIGHTS} in the adapter {folder.name!r}, got none")
    if hash_file(folder / WEIGHTS) != sha256:
        raise UnsafeWeightsError(f"expected the trained weights in the adapter {folder.name!r}, got others")


def check_model(model: str) -> None:
    """A folder with a model's weights has them as safetensors; a name is left to who loads it.

    Raises:
        UnsafeWeightsError: it has pickles only.
    """
    folder = Path(model)
    pickles = _find_pickles(folder) if folder.is_dir() else []
    if pickles and not any(folder.rglob("*.safetensors")):
        raise UnsafeWeightsError(f"expected weights as safetensors in {model!r}, got {pickles[0]!r}, a pickle")


def hash_file(file: Path) -> str:
    """SHA-256, in hexadecimal; reads a piece at a time."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _find_pickles(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.rglob("*") if file.suffix.lower() in _PICKLES)
