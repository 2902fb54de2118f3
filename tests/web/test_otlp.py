"""OTLP over HTTP: the real SDK's exporters, JSON by the specification, and refusals in the protocol's own form."""

import gzip
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from keeptime.app.taking import Taking
from keeptime.clock import SystemClock
from keeptime.contract.traffic.otlp import Otlp, Take
from keeptime.model.token import Scope
from keeptime.model.trace import Trace, TraceSpan, Why
from keeptime.observe.intake.line import Line
from keeptime.observe.intake.push import Pushes
from keeptime.observe.intake.refusing import Busy, Unreadable
from keeptime.testing.showable import FakeShowable, contract, view
from keeptime.testing.taking import FakeIntake
from keeptime.web.access import MOST_SENT
from tests.observe.intake.otel import Counted, Program
from tests.web.conftest import Answer, Serve, Served, served
from tests.web.test_outbox import post
from tests.web.test_tokens import bearer, guarded

PROTOBUF = "application/x-protobuf"


class Port:
    """A served app that counts what it takes: metrics of one contract, traces of another."""

    def __init__(self, stack: ExitStack) -> None:
        terms = [
            replace(contract(), traffic=(Otlp("otlp"),)),
            replace(contract("traced"), traffic=(Otlp("otlp", take=Take.TRACES),)),
        ]
        self.counted = Counted(*terms)
        pushes = Pushes(terms, self.counted.counter, Line(), SystemClock(), 10.0)
        intake = Taking(pushes, self.counted.otlps)
        shown = FakeShowable([view(each) for each in terms], intake=intake)
        self.where = stack.enter_context(served(shown))

    def results(self, name: str = "sentiment-latency") -> dict[str, int]:
        return dict(self.counted.view(name).results)

    def requests(self, name: str = "sentiment-latency") -> int:
        return self.counted.view(name).requests


@pytest.fixture(scope="module")
def port() -> Iterator[Port]:
    with ExitStack() as stack:
        yield Port(stack)


@pytest.mark.parametrize("packing", [Compression.NoCompression, Compression.Gzip])
def test_the_real_exporters_are_taken(port: Port, packing: Compression) -> None:
    before, traced = port.requests(), port.requests("traced")
    resource = Resource.create({"service.name": f"sends-{packing.value}"})
    exporter = OTLPMetricExporter(f"{port.where.url}/v1/metrics", compression=packing)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=60_000)
    provider = MeterProvider([reader], resource)
    provider.get_meter("test").create_histogram("http.server.request.duration", "s").record(0.2)
    assert provider.force_flush()
    provider.shutdown()
    tracing = TracerProvider(resource=resource)
    spans = OTLPSpanExporter(f"{port.where.url}/v1/traces", compression=packing)
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    tracing.get_tracer("test").start_span("POST /predict", kind=SpanKind.SERVER).end()
    tracing.shutdown()
    assert (port.requests() - before, port.requests("traced") - traced) == (1, 1)


def export(where: Served, body: bytes, path: str = "/v1/metrics", form: str = PROTOBUF, **more: str) -> Answer:
    return post(where, body, path, content_type=form, **more)


def test_what_was_refused_is_a_partial_success_in_the_form_that_was_posted(port: Port) -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="http.server.request.duration")
    metric.histogram.aggregation_temporality = 1
    metric.histogram.data_points.add(count=1, sum=float("nan"), time_unix_nano=port.counted.clock.wall_ns())
    answer = export(port.where, request.SerializeToString())
    assert (answer.status, answer.headers["content-type"]) == (200, PROTOBUF)
    said = ExportMetricsServiceResponse.FromString(answer.body).partial_success
    assert (said.rejected_data_points, "negative latencies" in said.error_message) == (1, True)
    assert export(port.where, b"").body == b""


def test_json_has_hexadecimal_ids_numbers_as_texts_and_fields_of_tomorrow(port: Port) -> None:
    now, before = port.counted.clock.wall_ns(), port.requests("traced")
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "EEE19B7EC3C1B174",
        "parentSpanId": "eee19b7ec3c1b173", "name": "I'm a server span", "kind": 2,
        "startTimeUnixNano": str(now - 9 * 10**8), "endTimeUnixNano": str(now),
        "attributes": [{"key": "http.route", "value": {"stringValue": "/predict"}}], "fieldOfTomorrow": [1],
        "links": [{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b173"}],
    }  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]}
    traces = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {}, "spans": [span]}]}]}
    answer = export(port.where, json.dumps(traces).encode(), "/v1/traces", "application/json; charset=utf-8")
    assert (answer.status, json.loads(answer.body)) == (200, {})
    assert port.requests("traced") == before + 1
    found = json.loads(port.where.get("/api/v1/traces?contract=traced").body)["traces"]
    kept = next(each for each in found if each["trace"] == span["traceId"])
    assert (kept["why"], kept["latency_seconds"]) == ("slow", 0.9)
    assert (kept["spans"][0]["span"], kept["spans"][0]["parent"]) == ("eee19b7ec3c1b174", "eee19b7ec3c1b173")
    assert kept["spans"][0]["service"] == "my.service"

    point = {"startTimeUnixNano": str(now), "timeUnixNano": str(now), "count": 2, "sum": 2,
             "bucketCounts": ["1", 1], "explicitBounds": [1],
             "exemplars": [{"traceId": "not base64", "asDouble": 3}]}  # fmt: skip
    metric = {"name": "http.server.request.duration", "unit": "s",
              "histogram": {"aggregationTemporality": 1, "dataPoints": [point]}}  # fmt: skip
    metrics = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}
    before = port.requests()
    answer = export(port.where, json.dumps(metrics).encode(), form="application/json")
    assert (answer.status, json.loads(answer.body)) == (200, {})
    assert port.requests() == before + 2


def status_of(answer: Answer, form: str) -> tuple[int, str]:
    """A google.rpc.Status, as the protocol's own library reads it."""
    assert answer.headers["content-type"] == form
    if form == "application/json":
        said = json.loads(answer.body)
        return said["code"], said["message"]
    said = Status.FromString(answer.body)
    return said.code, said.message


@pytest.mark.parametrize("form", [PROTOBUF, "application/json"])
@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/traces"])
def test_what_is_no_export_is_refused_with_a_status_of_the_protocol(port: Port, path: str, form: str) -> None:
    for body in (b"\xff\xff\xff", b"{", b"[]", b'{"resourceSpans": 5, "resourceMetrics": {}}', b"[" * 50_000):
        answer = export(port.where, body, path, form)
        assert answer.status == 400
        code, message = status_of(answer, form)
        assert (code, "the body is no" in message) == (3, True)


@pytest.mark.parametrize(
    "ids", [{"traceId": "xyz"}, {"traceId": 5}, {"traceId": ["5b"]}, {"spanId": {}}, {"links": [{"traceId": None}]}]
)
def test_ids_in_json_that_are_none_are_refused(port: Port, ids: dict[str, Any]) -> None:
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [ids]}]}]}).encode()
    assert export(port.where, body, "/v1/traces", "application/json").status == 400


def test_too_much_an_unknown_form_and_a_bomb_are_refused_in_the_protocols_form(serve: Serve) -> None:
    where = serve(FakeShowable([view(contract())]))
    bomb = gzip.compress(b"\0" * (6 * MOST_SENT))
    for body, more, status, code in (
        (b"x" * (MOST_SENT + 1), {}, 413, 3),
        (bomb, {"Content_Encoding": "gzip"}, 413, 3),
        (b"no gzip", {"Content_Encoding": "gzip"}, 400, 3),
        (b"", {"Content_Encoding": "zstd"}, 415, 3),
        (b"", {"Origin": "https://evil.example"}, 403, 7),
    ):
        answer = export(where, body, **more)
        assert (answer.status, status_of(answer, PROTOBUF)[0]) == (status, code)
    answer = export(where, b"", form="text/plain")
    assert (answer.status, json.loads(answer.body)["code"]) == (415, 3)
    assert "application/x-protobuf or application/json" in json.loads(answer.body)["message"]


def test_what_is_too_busy_says_when_to_come_again(serve: Serve) -> None:
    for wrong, status, again in ((Busy("too much"), 503, "1"), (Unreadable("odd"), 400, None)):
        answer = export(serve(FakeShowable([view(contract())], intake=FakeIntake(wrong=wrong))), b"")
        assert (answer.status, answer.headers["retry-after"]) == (status, again)


def test_it_takes_the_scope_ingest(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    tokens = {scope: file.add(scope.value, [scope], 0, None) for scope in Scope}
    intake = FakeIntake()
    where = serve(FakeShowable([view(contract())], intake=intake), door=door)
    for path in ("/v1/metrics", "/v1/traces"):
        assert status_of(export(where, b"", path), PROTOBUF)[0] == 16
        asked = {scope: export(where, b"", path, **bearer(token)).status for scope, token in tokens.items()}
        assert asked == {Scope.READ: 403, Scope.INGEST: 200, Scope.SILENCE: 403, Scope.ADMIN: 200}
    assert len(intake.exports) == 4


def test_traces_are_shown_by_contract(serve: Serve) -> None:
    span = TraceSpan("b" * 16, "", "POST /predict", "sentiment", "server", 10**18, 10**9, True, {"http_route": "/"})
    trace = Trace("sentiment-latency", "a" * 32, 10**18, 10**9, Why.FAILED, (span,), 3)
    where = serve(FakeShowable([view(contract())], intake=FakeIntake(kept={"sentiment-latency": [trace]})))
    assert where.get("/api/v1/traces?contract=nobody").status == 404
    (found,) = json.loads(where.get("/api/v1/traces?contract=sentiment-latency").body)["traces"]
    assert found == {
        "trace": "a" * 32, "at": 1e9, "latency_seconds": 1.0, "why": "failed", "left_out": 3,
        "spans": [{"span": "b" * 16, "parent": None, "name": "POST /predict", "service": "sentiment",
                   "kind": "server", "start": 1e9, "seconds": 1.0, "failed": True,
                   "attributes": {"http_route": "/"}}],
    }  # fmt: skip


SAMPLE = Program()
SAMPLE.histogram().record(0.2)  # type: ignore[attr-defined]
WHOLE = SAMPLE.export()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.tuples(st.integers(0, len(WHOLE)), st.binary(max_size=3)), max_size=4), json_too=st.booleans()
)
def test_whatever_comes_is_answered_and_never_by_a_failure_of_our_own(
    port: Port, cuts: list[tuple[int, bytes]], json_too: bool
) -> None:
    body = WHOLE
    for at, more in cuts:
        body = body[:at] + more + body[at + len(more) :]
    for path in ("/v1/metrics", "/v1/traces"):
        assert export(port.where, body, path).status in (200, 400)
        if json_too:
            assert export(port.where, body, path, "application/json").status == 400
