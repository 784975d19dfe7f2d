"""The model server as a judge (`learning/exams/geval.py`), and what it thinks of given options as an answer."""

import asyncio
import math
from collections.abc import Mapping, Sequence

from core.model_server import ModelServer, Sampling
from core.prompt import Message
from learning.exams.four_choice import Likelihood

STEPS_TOKENS = 384


class ServerGrader:
    """A `geval.Grader` over the model server; `requests` counts what it was asked.

    Args:
        model: name of a served model or adapter; None is the base model.
    """

    def __init__(self, model_server: ModelServer, *, model: str | None = None) -> None:
        self.requests = 0
        self.model = model or model_server.model
        self._model_server = model_server

    async def write(self, messages: Sequence[Message]) -> str:
        """Its answer at temperature 0.

        Raises:
            ModelServerError: the server is away.
        """
        self.requests += 1
        sampling = Sampling(max_tokens=STEPS_TOKENS)
        return (await self._model_server.complete(messages, adapter=self.model, sampling=sampling)).text

    async def find_next(self, messages: Sequence[Message]) -> Mapping[str, float]:
        """The likeliest first tokens of its answer: text -> log-probability in nats, at temperature 1.

        Raises:
            ModelServerError: the server is away, or gives no log-probabilities.
        """
        self.requests += 1
        return await self._model_server.find_next_tokens(messages, adapter=self.model)


async def score_options(
    model_server: ModelServer, messages: Sequence[Message], options: Sequence[str], *, adapter: str | None = None
) -> list[Likelihood]:
    """What a model thinks of each option as its whole answer to the messages, in the options' order.

    An option's tokens are those that come after what it shares with the prompt: where a tokenizer joins the prompt's
    last character with the option's first, the joined token is the option's.

    Side effects: two requests an option and one more; the server computes each prompt as a whole, without its cache.

    Raises:
        ModelServerError: the server is away, or is none with `/tokenize` and `prompt_logprobs`, as vLLM is.
    """
    begun = await model_server.tokenize(messages, adapter=adapter)
    return list(await asyncio.gather(*(_score(model_server, messages, begun, option, adapter) for option in options)))


async def _score(
    model_server: ModelServer, messages: Sequence[Message], begun: Sequence[int], option: str, adapter: str | None
) -> Likelihood:
    answer: Message = {"role": "assistant", "content": option}
    tokens = await model_server.tokenize([*messages, answer], adapter=adapter)
    same = next((at for at, (one, other) in enumerate(zip(begun, tokens, strict=False)) if one != other), len(begun))
    scores = (await model_server.score_tokens(tokens, adapter=adapter))[same:]
    return Likelihood(math.fsum(score or 0.0 for score in scores), len(scores), len(option))
