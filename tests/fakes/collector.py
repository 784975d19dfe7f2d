"""A collector of traces that speaks OTLP over HTTP: keeps each span by its name, and every byte it was sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collector:
    """What was sent."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    received: bytes = b""
    resource: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Span:
        """The one span of a name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    async def take(self, request: web.Request) -> web.Response:
        """POST /v1/traces."""
        body = await request.read()
        self.received += body
        export = ExportTraceServiceRequest.FromString(body)
        for group in export.resource_spans:
            self.resource |= read_attributes(group.resource)
            self.spans += [span for scope in group.scope_spans for span in scope.spans]
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf"
        )


def read_attributes(of: Any) -> dict[str, Any]:
    """A span's or resource's attributes as plain values."""
    return {one.key: _read_value(one.value) for one in of.attributes}


def _read_value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_read_value(one) for one in value.array_value.values]
    return getattr(value, kind)


@asynccontextmanager
async def run_collector() -> AsyncIterator[Collector]:
    """Serve on a free port of this machine."""
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    server = TestServer(app)
    await server.start_server()
    collector.url = str(server.make_url("/")).rstrip("/")
    try:
        yield collector
    finally:
        await server.close()
