"""One request for an answer, watched: counted for Prometheus, and traced by the conventions for generative AI."""

from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry.trace import Span, SpanKind

from core.errors import ModelServerError
from core.generation import Generation, Sampling
from core.metrics import FIRST_TOKEN_SECONDS, MODEL_FAILURES, MODEL_SECONDS, TOKENS
from core.tracing import begin_span, fail, make_headers, set_attributes

# The server speaks OpenAI's protocol; it is vLLM that we are built for.
PROVIDER = "vllm"


@contextmanager
def watch_call(url: str, model: str, sampling: Sampling, generation: Generation) -> Generator[dict[str, str]]:
    """Watch a request with all its retries; gives the headers by which the server joins the trace.

    Names are those of OpenTelemetry's semantic conventions 1.41 for generative AI, which are in development. Prompt and
    answer, which they would let us add, are left out.
    """
    address = urlsplit(url)
    asked = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.request.model": model,
        "gen_ai.request.max_tokens": sampling.max_tokens,
        "gen_ai.request.temperature": sampling.temperature,
        "gen_ai.request.top_p": sampling.top_p,
        "gen_ai.request.seed": sampling.seed,
        "gen_ai.request.stream": True,
        "server.address": address.hostname,
        "server.port": address.port,
    }
    span = begin_span(f"chat {model}", asked, kind=SpanKind.CLIENT)
    try:
        yield make_headers(span)
    except ModelServerError as error:
        MODEL_FAILURES.inc()
        fail(span, error)
        raise
    else:
        _count(generation)
    finally:
        _describe(span, generation)
        span.end()


def _describe(span: Span, generation: Generation) -> None:
    told = {
        "gen_ai.usage.input_tokens": generation.prompt_tokens,
        "gen_ai.usage.output_tokens": generation.completion_tokens,
        "gen_ai.response.time_to_first_chunk": generation.first_token_seconds,
    }
    set_attributes(span, told)
    if generation.finish_reason:
        span.set_attribute("gen_ai.response.finish_reasons", [generation.finish_reason])


def _count(generation: Generation) -> None:
    if generation.first_token_seconds is not None:
        FIRST_TOKEN_SECONDS.observe(generation.first_token_seconds)
    MODEL_SECONDS.observe(generation.seconds or 0.0)
    TOKENS.labels("input").inc(generation.prompt_tokens or 0)
    TOKENS.labels("output").inc(generation.completion_tokens or 0)
