"""Spans to an OpenTelemetry collector by OTLP over HTTP (extra `otel`)."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from carepost import __version__
from carepost.journal.traces import Span

_SCOPE: Final = InstrumentationScope("carepost", __version__)
_STATUS: Final = {True: StatusCode.OK, False: StatusCode.ERROR, None: StatusCode.UNSET}


class OtlpCollector:
    """Where to, and with what, the library reads from OTEL_EXPORTER_OTLP_… itself."""

    def __init__(self) -> None:
        # it would write in its own words into our log; `traces-not-taken` says it in ours
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._exporter = OTLPSpanExporter()
        self._resource = Resource({"service.name": "carepost", "service.version": __version__})

    def export(self, spans: Sequence[Span]) -> bool:
        try:
            return self._exporter.export([self._made(span) for span in spans]) is SpanExportResult.SUCCESS
        except Exception:  # what the library's transport raises is its own; mail does not depend on it
            return False

    def close(self) -> None:
        end: Callable[[], None] = self._exporter.shutdown
        end()

    def _made(self, span: Span) -> ReadableSpan:
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace, span.id),
            parent=_context(span.trace, span.parent) if span.parent else None,
            resource=self._resource,
            attributes=span.attributes,
            kind=SpanKind.INTERNAL,
            instrumentation_scope=_SCOPE,
            status=Status(_STATUS[span.ok]),
            start_time=span.start * 1000,
            end_time=span.end * 1000,
        )


def _context(trace: bytes, span: bytes) -> SpanContext:
    return SpanContext(int.from_bytes(trace), int.from_bytes(span), is_remote=False, trace_flags=TraceFlags(1))
