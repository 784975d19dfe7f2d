"""Documents through OpenVINO instead of torch, on a CPU: the same vectors, somewhat sooner.

As torch's, they are computed in bfloat16 where the processor multiplies it in hardware, else in float32.

An option (`pip install nightbake[openvino]`, `EMBEDDING_BACKEND=openvino`). Its package brings `openvino-telemetry`,
which would tell its maker of each conversion: here that is never imported, and OpenVINO uses its own empty stand-in.
"""

import importlib.util
import sys
import threading
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.base_model import cpu_has_bfloat16
from core.errors import SettingsError

_PACKAGE = "openvino"
_TELEMETRY = "openvino_telemetry"
_LEAST_COSINE = 0.999
_PROBES = ("Leave", "How many days of annual leave may be carried over into the year 2026?", "word " * 150)
_NAMES = ("input_ids", "attention_mask", "token_type_ids")


class OpenVinoEncoder:
    """A SentenceTransformer's vectors of documents.

    Threads that encode side by side have a request each. OpenVINO computes in threads of its own, which are as
    nice as the one that builds this: build it in a thread of bulk work.

    Args:
        model: `SentenceTransformer` on the CPU in float32; it is traced, which takes some seconds, and not changed.
        threads: that encode side by side.

    Raises:
        SettingsError: the package is missing, or what it makes of the model is not the model.
    """

    def __init__(self, model: Any, *, threads: int) -> None:
        openvino = _import_openvino()
        traced = _trace(openvino, model)
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if cpu_has_bfloat16() else "f32",
            "ENABLE_CPU_PINNING": False,
        }
        self._compiled = openvino.Core().compile_model(traced, "CPU", options)
        self._names = [name for one in self._compiled.inputs for name in one.get_names() if name in _NAMES]
        self._own = threading.local()
        self._check(model)

    def encode(self, features: Mapping[str, Any]) -> NDArray[np.float32]:
        """Vectors of length 1, float32 [n, dimension], of tokenised texts."""
        if not hasattr(self._own, "request"):
            self._own.request = self._compiled.create_infer_request()
        found = self._own.request.infer({name: features[name].numpy() for name in self._names})
        return np.array(found[self._compiled.output(0)], np.float32)

    def _check(self, model: Any) -> None:
        import torch  # noqa: PLC0415

        for probe in _PROBES:
            features = model.preprocess([probe, _PROBES[0]])
            with torch.inference_mode():
                wanted = torch.nn.functional.normalize(model(features)["sentence_embedding"], dim=-1).numpy()
            cosine = float((wanted * self.encode(features)).sum(axis=1).min())
            if not cosine >= _LEAST_COSINE:
                raise SettingsError(
                    [f"EMBEDDING_BACKEND: expected torch's vectors of OpenVINO, got a cosine of {cosine:.4f}; unset it"]
                )


def check_openvino() -> None:
    """Say at the start, and not at the first document, that the package is missing.

    Raises:
        SettingsError: it is.
    """
    if importlib.util.find_spec(_PACKAGE) is None:
        missing = "EMBEDDING_BACKEND: openvino needs its package, found none"
        raise SettingsError([f"{missing}; pip install 'nightbake[openvino]', or unset it"])


def _import_openvino() -> Any:
    check_openvino()
    # Python's mark for a module that cannot be imported. Nothing that is read here leaves the company's network.
    sys.modules[_TELEMETRY] = None  # pyright: ignore[reportArgumentType]
    return importlib.import_module(_PACKAGE)


def _trace(openvino: Any, model: Any) -> Any:
    import torch  # noqa: PLC0415

    class Vectors(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None) -> Any:
            features = dict(zip(_NAMES, (input_ids, attention_mask, token_type_ids), strict=True))
            given = {name: value for name, value in features.items() if value is not None}
            return torch.nn.functional.normalize(self.model(given)["sentence_embedding"], dim=-1)

    features = model.preprocess([_PROBES[1], _PROBES[0]])
    example = {name: features[name] for name in _NAMES if name in features}
    with warnings.catch_warnings(), torch.inference_mode():
        # Of branches that depend on the text: the probes show whether they matter.
        warnings.simplefilter("ignore")
        return openvino.convert_model(Vectors().eval(), example_input=example)
