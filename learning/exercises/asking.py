"""The model server as a writer and as somebody who is examined, with what each request cost."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.model_server import ModelServer, Sampling
from core.prompt import Message

# Longest JSON object that a task asks for, and longest answer of an examined model.
WRITTEN_TOKENS, ANSWER_TOKENS = 512, 96
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


@dataclass(slots=True)
class Cost:
    """What requests took; tokens as the server counted them."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    model_seconds: float = 0.0


class Asker:
    """Asks one model; `take_cost` tells what was asked since it was last called.

    Args:
        adapter: None for the base model.
    """

    def __init__(self, model_server: ModelServer, *, adapter: str | None = None, seed: int = 0) -> None:
        self.model = adapter or model_server.model
        self._model_server = model_server
        self._adapter = adapter
        self._seed = seed
        self._cost = Cost()

    async def write(self, messages: Sequence[Message], schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """A JSON object of a schema; empty where none was written, as a model without structured output may.

        Raises:
            ModelServerError: the server is away.
        """
        sampling = Sampling(max_tokens=WRITTEN_TOKENS, temperature=0.7, top_p=0.95, seed=self._seed)
        return read_object(await self._complete(messages, sampling, schema))

    async def answer(self, messages: Sequence[Message], *, most_tokens: int = ANSWER_TOKENS) -> str:
        """The likeliest answer.

        Raises:
            ModelServerError: the server is away.
        """
        return await self._complete(messages, Sampling(max_tokens=most_tokens), None)

    def take_cost(self) -> Cost:
        """The cost since the last call."""
        cost, self._cost = self._cost, Cost()
        return cost

    async def _complete(self, messages: Sequence[Message], sampling: Sampling, schema: Mapping[str, Any] | None) -> str:
        began = time.monotonic()
        found = await self._model_server.complete(messages, adapter=self._adapter, sampling=sampling, schema=schema)
        self._cost.requests += 1
        self._cost.prompt_tokens += found.prompt_tokens or 0
        self._cost.completion_tokens += found.completion_tokens or 0
        self._cost.model_seconds += time.monotonic() - began
        return found.text.strip()


def read_object(text: str) -> Mapping[str, Any]:
    """The JSON object in a text, also among other words; empty where there is none."""
    match = _OBJECT.search(text)
    try:
        found: Any = json.loads(match[0]) if match else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType]
