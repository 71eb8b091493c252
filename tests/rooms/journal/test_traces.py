"""What a collector of OpenTelemetry is given: each message as one trace, of what stands in the log; nobody is in it."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from carepost.archive.books import book
from carepost.ground import clock
from carepost.journal import run
from carepost.journal.commits import Commits
from carepost.journal.signers import signers
from carepost.journal.traces import Traces
from carepost.proof import kinds
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])
NOON = 1_795_262_400_000_000
SECOND = 1_000_000


class Collector:
    """Takes OTLP over HTTP, as the specification words it; `status`: what it answers."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.asked = 0
        self.raw = b""
        self.status = 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
                if outer.status == 200:
                    outer.raw += body
                    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                        outer.spans += [span for scope in resource.scope_spans for span in scope.spans]
                outer.asked += 1
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def traces(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Traces:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
    found = run.traces_to({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address})
    assert found is not None
    return found


@pytest.fixture
def traced(outbox: Outbox, traces: Traces) -> Iterator[Outbox]:
    keys = signers(book(), settings.CAREPOST_KEYS)
    outbox.commits = Commits(outbox.store, book(), keys, outbox.owed, traces=traces)
    now = [NOON]

    def tick() -> int:
        now[0] += SECOND
        return now[0]

    clock.set_source(tick)
    yield outbox
    clock.set_source(None)


def given(traces: Traces) -> None:
    """All that waits is handed over, and the thread ends."""
    traces.stop()
    traces.run()


def test_a_message_is_one_trace_of_acceptance_delivery_and_attempts(
    cast: Any, traced: Outbox, traces: Traces, collector: Collector
) -> None:
    message, (delivery,) = traced.accepted(cast.maple)
    traced.add(cast.maple, kinds.DELIVERY_ATTEMPTED, [message, delivery], facts={"attempt": "1", "method": "tls"})
    traced.add(cast.maple, kinds.DELIVERY_DEFERRED, [message, delivery], facts={"attempt": "1", "code": "451"})
    traced.commit()
    traced.sent(cast.maple, message, delivery)
    traced.commit()
    given(traces)
    assert {span.trace_id for span in collector.spans} == {message}
    accept, first, second, deliver = sorted(collector.spans, key=lambda span: (span.end_time_unix_nano, span.name))
    assert [accept.name, first.name, second.name, deliver.name] == ["accept", "attempt", "attempt", "deliver"]
    assert deliver.parent_span_id == accept.span_id and not accept.parent_span_id
    assert {first.parent_span_id, second.parent_span_id} == {deliver.span_id}
    assert len({span.span_id for span in collector.spans}) == 4
    assert deliver.start_time_unix_nano < first.start_time_unix_nano < first.end_time_unix_nano
    assert (first.status.code, second.status.code, deliver.status.code) == (2, 1, 1)
    said = {one.key: one.value.string_value for one in second.attributes}
    assert said["carepost.achieved"] == "VERIFIED" and said["carepost.tls"] == "TLSv1.3"


def test_nothing_personal_is_in_them(cast: Any, traced: Outbox, traces: Traces, collector: Collector) -> None:
    message, (delivery,) = traced.accepted(cast.maple)
    traced.sent(cast.maple, message, delivery)
    traced.commit()
    given(traces)
    assert len(collector.spans) == 3
    for word in (b"quillfeather", b"Quillfeather", b"patient.test", b"maple.test", b"192.0.2"):
        assert word not in collector.raw


def test_what_comes_again_is_told_once(cast: Any, traced: Outbox, traces: Traces, collector: Collector) -> None:
    message, (delivery,) = traced.accepted(cast.maple)
    traced.sent(cast.maple, message, delivery)
    rows = list(traced.waiting)
    traced.commits.commit(rows)
    traced.commits.commit(rows)
    given(traces)
    assert len(collector.spans) == 3


def test_a_collector_that_refuses_holds_up_nothing(
    cast: Any, traced: Outbox, traces: Traces, collector: Collector
) -> None:
    collector.status = 400
    traced.accepted(cast.maple)
    traced.commit()
    given(traces)
    assert collector.asked and not collector.spans


def test_without_an_endpoint_there_are_none() -> None:
    assert run.traces_to({}) is None
