"""A cross-encoder's second look at the best candidates, where one is configured and the time allows."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from core.errors import SettingsError
from core.records import Passage
from core.weights import UnsafeWeightsError, check_model

log = logging.getLogger(__name__)

_BATCH = 16


class SecondLook(Protocol):
    """What orders the best passages of a search anew."""

    async def load(self) -> None:
        """Get ready now and not at the first question."""
        ...

    async def rerank(self, question: str, passages: Sequence[Passage], *, model: str) -> list[Passage]:
        """The same passages, best first; scores stay those of the search.

        Args:
            model: the embedding model that the dense scores are of.
        """
        ...


class Reranker:
    """Orders passages by reading each with the question.

    Args:
        model: hub name or folder of a sentence-transformers CrossEncoder.
        timeout_seconds: after this the order stays as it was; an answer later is worth less than one in order.
    """

    def __init__(self, model: str, *, timeout_seconds: float = 2.0, device: str | None = None) -> None:
        self.name = model
        self._timeout_seconds = timeout_seconds
        self._device = device
        self._model: Any = None
        self._loading = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rerank")

    async def load(self) -> None:
        """Load the model now and not at the first question.

        Raises:
            SettingsError: there is no such model.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._get_model)

    async def rerank(self, question: str, passages: Sequence[Passage], *, model: str = "") -> list[Passage]:
        """The same passages, best first, whatever model found them; scores stay those of the search."""
        if len(passages) < 2:
            return list(passages)
        abandoned = threading.Event()
        work = asyncio.get_running_loop().run_in_executor(
            self._thread, self._score, question, [_show(passage) for passage in passages], abandoned
        )
        try:
            scores = await asyncio.wait_for(work, self._timeout_seconds)
        except TimeoutError:
            abandoned.set()
            log.warning("reranking took too long", extra={"passages": len(passages)})
            return list(passages)
        order = sorted(range(len(passages)), key=lambda place: -scores[place])
        return [passages[place] for place in order]

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(cancel_futures=True)

    def _get_model(self) -> Any:
        with self._loading:
            if self._model is None:
                self._model = _load(self.name, self._device)
        return self._model

    def _score(self, question: str, texts: Sequence[str], abandoned: threading.Event) -> list[float]:
        """One score a text; stops between batches once nobody waits, so a slow question does not delay the next."""
        model = self._get_model()
        scores: list[float] = []
        for start in range(0, len(texts), _BATCH):
            if abandoned.is_set():
                return []
            pairs = [(question, text) for text in texts[start : start + _BATCH]]
            scores += [float(score) for score in model.predict(pairs, batch_size=_BATCH, show_progress_bar=False)]
        return scores


def _show(passage: Passage) -> str:
    return "\n".join(part for part in (passage.title, passage.heading_path, passage.text) if part)


def _load(name: str, device: str | None) -> Any:
    from sentence_transformers import CrossEncoder  # noqa: PLC0415

    try:
        check_model(name)
        return CrossEncoder(name, device=device, num_labels=1, model_kwargs={"use_safetensors": True})
    except (OSError, ValueError, UnsafeWeightsError) as error:
        expected = "expected a cross-encoder's hub name or folder, as safetensors"
        raise SettingsError([f"RERANK_MODEL: {expected}, got {name!r}"]) from error
