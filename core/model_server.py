"""The client of an OpenAI-compatible model server: stream, score, and load LoRA adapters by name."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import aiohttp
import orjson

from core.errors import ModelServerError
from core.generation import Generation, Sampling, build_chat_body, read_event, read_events
from core.model_call import watch_call
from core.prompt import Message

RETRIES = 2
RETRY_PAUSE_SECONDS = 0.5
CONNECT_SECONDS = 5
SLEEP_SECONDS = 600
# What vLLM gives unless it was started with more.
MOST_LOGPROBS = 20


class ModelServer:
    """One model server behind one address.

    Args:
        url: base address, with or without `/v1`.
        model: name of the base model; an adapter is asked for by its own name.
        stall_seconds: longest silence before a stream counts as dead; the first token may take `timeout_seconds`.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        api_key: str | None = None,
        timeout_seconds: float = 120,
        stall_seconds: float = 30,
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self.model = model
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout_seconds = timeout_seconds
        self._stall_seconds = stall_seconds
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close connections; requests under way fail."""
        if self._session:
            await self._session.close()
            self._session = None

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        generation: Generation,
        adapter: str | None = None,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[str]:
        """Pieces of the answer as they come, gathered in `generation` too.

        Closing the iterator cancels the generation on the server.

        Args:
            schema: JSON schema that the answer keeps to, by the server's structured output.

        Raises:
            ModelServerError: after retries, which are made only while nothing was generated.
        """
        model, sampling = adapter or self.model, sampling or Sampling()
        body = build_chat_body(model, messages, sampling, schema)
        with watch_call(self.url, model, sampling, generation) as headers:
            for attempt in range(RETRIES + 1):
                try:
                    async with aclosing(self._stream_once(body, generation, headers)) as pieces:
                        async for piece in pieces:
                            yield piece
                    return
                except ModelServerError as error:
                    if generation.text or attempt == RETRIES or not _may_retry(error):
                        raise
                    await asyncio.sleep(RETRY_PAUSE_SECONDS * (attempt + 1))

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        adapter: str | None = None,
        sampling: Sampling | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> Generation:
        """A whole answer at once."""
        generation = Generation()
        async for _ in self.stream(messages, generation=generation, adapter=adapter, sampling=sampling, schema=schema):
            pass
        return generation

    async def score_tokens(self, token_ids: Sequence[int], *, adapter: str | None = None) -> list[float | None]:
        """Log-probability in nats of each token given those before it; the first has none.

        Axes: one number a token of `token_ids`. The answer comes from the weights that are being served.
        """
        body = {
            "model": adapter or self.model,
            "prompt": list(token_ids),
            "max_tokens": 1,
            "temperature": 0,
            "prompt_logprobs": 0,
        }
        answer = await self._request("POST", "/v1/completions", body, seconds=self._timeout_seconds)
        positions: list[dict[str, dict[str, float]] | None] = answer["choices"][0]["prompt_logprobs"]
        return [
            None if position is None else position[str(token)]["logprob"]
            for token, position in zip(token_ids, positions, strict=True)
        ]

    async def tokenize(self, messages: Sequence[Message], *, adapter: str | None = None) -> list[int]:
        """The tokens of a prompt by the model's own chat template, up to where its answer begins.

        Where the last message is the assistant's, up to that message's end, left open.

        Raises:
            ModelServerError: the server has no `/tokenize`, as vLLM has.
        """
        goes_on = bool(messages) and messages[-1]["role"] == "assistant"
        body = {"model": adapter or self.model, "messages": list(messages), "add_generation_prompt": not goes_on}
        body |= {"continue_final_message": goes_on}
        try:
            answer = await self._request("POST", "/tokenize", body, seconds=self._timeout_seconds)
        except ModelMissingError as error:
            raise ModelServerError(f"expected a vLLM with this model and /tokenize at {self.url}: {error}") from error
        async with self._failing_clearly(Generation()):
            return answer["tokens"]

    async def find_next_tokens(
        self, messages: Sequence[Message], *, adapter: str | None = None, most: int = MOST_LOGPROBS
    ) -> dict[str, float]:
        """The likeliest first tokens of an answer: text -> log-probability in nats, at temperature 1.

        Tokens of one text, which there are where a text is cut into bytes, count together.
        """
        body = {
            "model": adapter or self.model,
            "messages": list(messages),
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": most,
        }
        answer = await self._request("POST", "/v1/chat/completions", body, seconds=self._timeout_seconds)
        shares: dict[str, float] = {}
        async with self._failing_clearly(Generation()):
            for one in answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]:
                shares[one["token"]] = shares.get(one["token"], 0.0) + math.exp(one["logprob"])
        return {token: math.log(share) for token, share in shares.items() if share > 0}

    async def find_models(self) -> list[str]:
        """Names that can be asked for now: the base model and every loaded adapter."""
        return list(await self._find_folders())

    async def _find_folders(self) -> dict[str, str | None]:
        """What can be asked for, and from where it was loaded; None where the server does not say."""
        async with self._failing_clearly(Generation()):
            answer = await self._request("GET", "/v1/models", None, seconds=CONNECT_SECONDS)
            return {entry["id"]: entry.get("root") for entry in answer["data"]}

    async def is_healthy(self) -> bool:
        """Whether the server answers and has the base model."""
        try:
            return self.model in await self.find_models()
        except ModelServerError:
            return False

    async def load_adapter(self, name: str, folder: str, *, seconds: float | None = None) -> None:
        """Load an adapter from a folder that the server can read; one that is loaded already stays as it is.

        Never in place: vLLM then reads the folder at every step, and answers under way would change their model.

        Raises:
            ModelServerError: the server refused it (rank too large, not a LoRA, folder missing).
        """
        loaded = await self._find_folders()
        if name in loaded and loaded[name] in (folder, None):
            return
        if name in loaded:
            # A name has one folder for good, so these are other weights, e.g. of a state folder that was moved.
            await self.unload_adapter(name)
        body = {"lora_name": name, "lora_path": folder}
        try:
            await self._request("POST", "/v1/load_lora_adapter", body, seconds=seconds or self._timeout_seconds)
        except _StatusError:
            # Another process loads it at the same time, and the server refuses the second.
            if (await self._find_folders()).get(name, "") not in (folder, None):
                raise

    async def unload_adapter(self, name: str) -> None:
        """Forget an adapter; its folder may be deleted only after this."""
        if name in await self.find_models():
            await self._request("POST", "/v1/unload_lora_adapter", {"lora_name": name}, seconds=CONNECT_SECONDS)

    async def is_sleeping(self) -> bool | None:
        """Whether the server sleeps; None where it has no sleep mode.

        Raises:
            ModelServerError: it is away.
        """
        try:
            answer = await self._request("GET", "/is_sleeping", None, seconds=CONNECT_SECONDS)
        except ModelMissingError:
            return None
        async with self._failing_clearly(Generation()):
            return bool(answer["is_sleeping"])

    async def sleep(self) -> None:
        """Let requests under way end, then move the weights to main memory (vLLM's level 1).

        vLLM 0.32 would abort them by default. Further requests wait until it is woken, so send none.

        Raises:
            ModelServerError: it has no sleep mode, or did not fall asleep in time.
        """
        await self._request("POST", "/sleep?level=1&mode=wait", None, seconds=SLEEP_SECONDS)

    async def wake_up(self) -> None:
        """Move the weights back. Adapters have been lost on the way: load and prove them anew.

        Raises:
            ModelServerError: it did not wake.
        """
        await self._request("POST", "/wake_up", None, seconds=SLEEP_SECONDS)

    async def _stream_once(
        self, body: dict[str, Any], generation: Generation, headers: Mapping[str, str]
    ) -> AsyncGenerator[str]:
        began, url = time.perf_counter(), f"{self.url}/v1/chat/completions"
        async with (
            self._failing_clearly(generation),
            self._open().post(url, json=body, headers=headers, timeout=self._timeout()) as response,
        ):
            await _check_status(response)
            async for event in read_events(
                response, first_seconds=self._timeout_seconds, stall_seconds=self._stall_seconds
            ):
                piece = read_event(event, generation)
                if piece:
                    if generation.first_token_seconds is None:
                        generation.first_token_seconds = time.perf_counter() - began
                    generation.text += piece
                    yield piece
        generation.seconds = time.perf_counter() - began
        if generation.finish_reason is None:
            raise ModelServerError("the model server ended its answer midway", generated_text=generation.text)

    async def _request(self, method: str, path: str, body: object, *, seconds: float) -> Any:
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
        async with (
            self._failing_clearly(Generation()),
            self._open().request(method, f"{self.url}{path}", json=body, timeout=timeout) as response,
        ):
            await _check_status(response)
            text = await response.text()
            return orjson.loads(text) if text.startswith(("{", "[")) else text

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(headers=self._headers)
        return self._session

    def _timeout(self) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)

    @asynccontextmanager
    async def _failing_clearly(self, generation: Generation) -> AsyncGenerator[None]:
        """Turn what network and parsing raise into a ModelServerError that keeps what was generated."""
        try:
            yield
        except TimeoutError as error:
            raise ModelServerError(
                f"no answer from the model server at {self.url} in time", generated_text=generation.text
            ) from error
        except aiohttp.ClientError as error:
            raise ModelServerError(
                f"the model server at {self.url} is away ({type(error).__name__})", generated_text=generation.text
            ) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ModelServerError(
                f"expected a model server at {self.url}, got an answer of another form ({type(error).__name__}); "
                "check MODEL_URL",
                generated_text=generation.text,
            ) from error


class ModelMissingError(ModelServerError):
    """The model server runs, but does not know the model or adapter that was asked for."""


class _StatusError(ModelServerError):
    """An HTTP error status; `retryable` for those that may pass."""

    def __init__(self, status: int, detail: str) -> None:
        self.retryable = status >= 500 or status == 429
        super().__init__(f"the model server answered {status}: {detail}")


def _may_retry(error: ModelServerError) -> bool:
    if isinstance(error, ModelMissingError):
        return False
    return error.retryable if isinstance(error, _StatusError) else True


async def _check_status(response: aiohttp.ClientResponse) -> None:
    if response.status == 404:
        raise ModelMissingError(f"the model server has no such model: {(await response.text())[:300]}")
    if response.status >= 400:
        raise _StatusError(response.status, (await response.text())[:300])
