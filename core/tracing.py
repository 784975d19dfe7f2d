"""Traces of questions by OpenTelemetry: one a question, from its receipt to the last edit; never a word of anybody.

Off unless the standard variables name a collector (`OTEL_EXPORTER_OTLP_ENDPOINT`, or the one for traces alone). What
asks a model is named by OpenTelemetry's conventions for generative AI. A question is received by one process and
answered by another: what joins them, W3C's `traceparent`, is stored with the event.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, NoOpTracer, Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from core.revision import find_version

SERVICE = "nightbake"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

Attributes = Mapping[str, str | int | float | bool | None]

_PROPAGATOR = TraceContextTextMapPropagator()
_HEADER = "traceparent"


class _Tracing:
    """This process' tracer, and the provider behind it while there is one."""

    tracer: Tracer = NoOpTracer()
    provider: Any = None


def start_tracing() -> bool:
    """Send traces where the standard variables say; False where they name no collector.

    Not by OpenTelemetry's own global, which can be set once only. Loads the SDK, which takes a third of a second.
    """
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return False
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": SERVICE}
    resource = Resource.create({"service.version": find_version(), **named})
    _Tracing.provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    _Tracing.provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _Tracing.tracer = _Tracing.provider.get_tracer(SERVICE, find_version())
    return True


def stop_tracing() -> None:
    """Send what is left, and trace no more. Waits for the collector some seconds: call it in a thread."""
    provider, _Tracing.provider, _Tracing.tracer = _Tracing.provider, None, NoOpTracer()
    if provider:
        provider.shutdown()


@contextmanager
def span(
    name: str, attributes: Attributes | None = None, *, parent: str | None = None, kind: SpanKind = SpanKind.INTERNAL
) -> Generator[Span]:
    """A step of a trace, for the length of a block; what the block calls are its steps.

    Args:
        attributes: those without a value are left out.
        parent: a stored `traceparent`, for what goes on elsewhere; None goes on here.
    """
    if _Tracing.provider is None:
        yield INVALID_SPAN
        return
    with _Tracing.tracer.start_as_current_span(
        name,
        context=_read(parent),
        kind=kind,
        attributes=_drop_empty(attributes),
        # Their words may be of people.
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except Exception as error:
            fail(current, error)
            raise


def begin_span(name: str, attributes: Attributes, *, kind: SpanKind) -> Span:
    """A step that its caller ends, for generators: a block in one would not know what runs between two pieces."""
    return _Tracing.tracer.start_span(name, kind=kind, attributes=_drop_empty(attributes))


def note_past(name: str, began_at: datetime, *, parent: str | None) -> None:
    """A step that ends now and began earlier, in another process maybe."""
    started = int(began_at.timestamp() * 1e9)
    _Tracing.tracer.start_span(name, context=_read(parent), start_time=started).end()


def fail(current: Span, error: BaseException) -> None:
    """Mark a step as failed, by the kind of error alone."""
    current.set_attribute("error.type", type(error).__name__)
    current.set_status(Status(StatusCode.ERROR, type(error).__name__))


def set_attributes(current: Span, attributes: Attributes) -> None:
    """Add what has become known."""
    current.set_attributes(_drop_empty(attributes))


def make_headers(current: Span) -> dict[str, str]:
    """HTTP headers with which a server's own steps join a trace; empty while nothing is traced."""
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers, context=trace.set_span_in_context(current))
    return headers


def find_parent() -> str | None:
    """The current step as a `traceparent`, to be stored; None while nothing is traced."""
    return make_headers(trace.get_current_span()).get(_HEADER)


def find_trace_id() -> str | None:
    """The id of the current trace, for logs."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def _read(parent: str | None) -> Context | None:
    return _PROPAGATOR.extract({_HEADER: parent}) if parent else None


def _drop_empty(attributes: Attributes | None) -> dict[str, str | int | float | bool]:
    return {name: value for name, value in (attributes or {}).items() if value is not None}
