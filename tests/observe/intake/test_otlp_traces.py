"""Spans of the real SDK: requests are counted once, and what was done for the slow ones is kept."""

from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from keeptime.contract.traffic.otlp import Otlp, Take
from keeptime.model.key import Signal
from keeptime.model.tally import Tally
from keeptime.model.trace import Why
from keeptime.observe.intake.refusing import TooMany
from keeptime.observe.otlp import kept
from keeptime.observe.otlp.messages import MOST_PARTS

from .otel import Counted, Program, contract, objective

SECOND = 10**9
TRACES = Otlp("otlp", take=Take.TRACES)
FAST = (objective("fast", 0.5),)


class Served:
    """A program whose spans took as long as the test says."""

    def __init__(self, counted: Counted) -> None:
        self.program, self.now = Program(), counted.clock.wall_ns()

    def request(self, seconds: float, child: str = "", error: bool = False, **attributes: Any) -> None:
        start = self.now - round(seconds * SECOND)
        named = {name.replace("__", "."): value for name, value in attributes.items()}
        span = self.program.tracer.start_span(
            "POST /predict", kind=SpanKind.SERVER, attributes=named, start_time=start
        )
        if child:
            inner = self.program.tracer.start_span(child, context=set_span_in_context(span), start_time=start)
            inner.end(self.now)
        if error:
            span.set_status(Status(StatusCode.ERROR))
        span.end(self.now)


def test_server_spans_are_requests_and_count_once() -> None:
    counted = Counted(contract(TRACES, objectives=(*FAST, objective("works", None))))
    served = Served(counted)
    served.request(0.2, child="SELECT", http__response__status_code=200)
    served.request(0.9, http__response__status_code=404)
    served.request(0.1, http__response__status_code=500)
    served.request(0.1, error=True)
    served.request(0.1, rpc__grpc__status_code=4)
    body = served.program.export_spans()
    assert counted.traces(body).message == ""
    assert counted.traces(body).rejected == 0
    assert counted.counted() == {"fast": Tally(1, 4), "works": Tally(2, 3)}
    assert (counted.view().requests, counted.view().results) == (5, {"ok": 5, "repeated": 5})


def test_where_metrics_are_taken_spans_count_nothing_but_the_slow_ones_are_kept() -> None:
    counted = Counted(contract(Otlp("otlp"), objectives=FAST))
    served = Served(counted)
    served.request(0.9, child="SELECT", gen_ai__prompt="a secret", gen_ai__request__model="m")
    counted.traces(served.program.export_spans())
    assert counted.counted() == {}
    assert counted.view().results == {"not_taken": 1}
    (trace,) = counted.otlps.kept("served")
    assert (trace.why, trace.took_ns) == (Why.SLOW, 9 * SECOND // 10)
    request, child = sorted(trace.spans, key=lambda each: each.parent)
    assert (request.name, request.kind, request.service) == ("POST /predict", "server", "sentiment")
    assert (child.name, child.parent) == ("SELECT", request.span)
    assert request.attributes == {"gen_ai_request_model": "m"}


def test_failed_and_slow_ones_are_kept_and_one_usual_now_and_then() -> None:
    counted = Counted(contract(TRACES, objectives=FAST))
    served = Served(counted)
    for seconds, error in ((0.1, False), (0.1, False), (0.1, True), (0.9, False)):
        served.request(seconds, error=error)
    counted.traces(served.program.export_spans())
    assert [each.why for each in counted.otlps.kept("served")] == [Why.SLOW, Why.FAILED, Why.USUAL]
    assert counted.otlps.kept("other") == []


def test_children_may_come_before_their_request_or_after_and_from_other_services() -> None:
    counted = Counted(contract(Otlp("otlp", "sentiment", take=Take.TRACES), objectives=FAST))
    trace, now = b"t" * 16, counted.clock.wall_ns()

    def export(service: str, span: bytes, parent: bytes, kind: int) -> None:
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = service
        resource.scope_spans.add().spans.add(
            trace_id=trace, span_id=span, parent_span_id=parent, name=service, kind=kind,
            start_time_unix_nano=now - SECOND, end_time_unix_nano=now,
        )  # fmt: skip
        counted.traces(request.SerializeToString())

    export("database", b"before12", b"request1", 2)
    export("sentiment", b"request1", b"", 2)
    export("cache", b"after123", b"request1", 3)
    (found,) = counted.otlps.kept("served")
    assert sorted(each.service for each in found.spans) == ["cache", "database", "sentiment"]
    assert counted.counted()["fast"] == Tally(0, 1)


def test_the_contract_may_name_the_spans_that_are_requests() -> None:
    counted = Counted(contract(Otlp("otlp", take=Take.TRACES, spans="llm_*"), objectives=FAST))
    program = Program()
    for name, kind in (("llm_request", SpanKind.INTERNAL), ("POST /v1/chat", SpanKind.SERVER)):
        program.tracer.start_span(name, kind=kind).end()
    counted.traces(program.export_spans())
    assert counted.counted()["fast"] == Tally(1)


def test_tokens_of_a_stream_are_taken_from_attributes_or_from_an_event() -> None:
    objectives = (objective("first", 0.3, Signal.FIRST_TOKEN), objective("each", 0.02, Signal.OUTPUT_TOKEN))
    counted = Counted(contract(TRACES, objectives=objectives))
    served = Served(counted)
    served.request(1.2, gen_ai__latency__time_to_first_token=0.2, gen_ai__usage__output_tokens=101)
    served.request(1.2, gen_ai__server__time_to_first_token="rubbish", gen_ai__usage__output_tokens=101)
    span = served.program.tracer.start_span("chat", kind=SpanKind.SERVER, start_time=served.now - 2 * SECOND)
    span.add_event("gen_ai.first_token", timestamp=served.now - SECOND)
    span.end(served.now)
    counted.traces(served.program.export_spans())
    assert counted.counted() == {"first": Tally(1, 1), "each": Tally(1)}


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"trace_id": b"short"}, "ids are not 16 and 8 bytes"),
        ({"trace_id": bytes(16)}, "ids are not 16 and 8 bytes"),
        ({"span_id": b""}, "ids are not 16 and 8 bytes"),
        ({"start_time_unix_nano": 0}, "does not say when"),
        ({"end_time_unix_nano": 1}, "ends before it begins"),
        ({"start_time_unix_nano": 1}, "at most 86400 s"),
        ({"later": 61}, "in the future"),
        ({"later": -3700}, "s old"),
        ({"labels": 99}, "more than 64 attributes"),
    ],
)
def test_a_span_that_cannot_be_is_refused_and_the_others_are_counted(odd: dict[str, Any], why: str) -> None:
    counted = Counted(contract(TRACES, objectives=FAST))
    request, now = ExportTraceServiceRequest(), counted.clock.wall_ns()
    spans = request.resource_spans.add().scope_spans.add().spans
    for nth, change in enumerate(({}, odd)):
        at = now + change.get("later", 0) * SECOND
        named = {"trace_id": b"t" * 16, "span_id": bytes([nth + 1] * 8), "kind": 2}
        times = {"start_time_unix_nano": at - SECOND // 5, "end_time_unix_nano": at}
        fields = {name: value for name, value in change.items() if name not in ("later", "labels")}
        span = spans.add(**(named | times | fields))
        for label in range(change.get("labels", 0)):
            span.attributes.add(key=f"a{label}").value.int_value = label
    said = counted.traces(request.SerializeToString())
    assert (said.rejected, why in said.message) == (1, True)
    assert counted.counted()["fast"] == Tally(1)


def test_what_is_kept_is_bounded_whatever_comes() -> None:
    counted = Counted(contract(TRACES, objectives=FAST))
    now = counted.clock.wall_ns()

    def export(traces: range, spans: int, kind: int, name: str = "x") -> None:
        request = ExportTraceServiceRequest()
        found = request.resource_spans.add().scope_spans.add().spans
        for trace in traces:
            for span in range(spans):
                found.add(
                    trace_id=trace.to_bytes(16, "big"), span_id=(span + 1 + kind * 10_000).to_bytes(8, "big"),
                    name=name,
                    kind=kind, start_time_unix_nano=now - SECOND, end_time_unix_nano=now,
                )  # fmt: skip
        counted.traces(request.SerializeToString())

    export(range(1, 25), 1_000, 1)
    inside = counted.otlps._kept
    assert inside._many <= kept.MOST_WAITING
    export(range(100, 300), 1, 2)
    found = counted.otlps.kept("served")
    assert len(found) == kept.OF_A_CONTRACT
    export(range(298, 300), 1_000, 1, "x" * 5_000)
    newest = counted.otlps.kept("served")[0]
    assert (len(newest.spans), newest.left_out) == (kept.OF_A_TRACE, 801)
    assert len(newest.spans[-1].name) == 200
    assert len(inside._kept) == kept.OF_A_CONTRACT
    assert inside._size == sum(of.size for of in inside._kept.values())


@pytest.mark.parametrize("export", [ExportMetricsServiceRequest, ExportTraceServiceRequest])
def test_an_export_of_empty_parts_without_end_is_refused(export: Any) -> None:
    within: Any = export.FromString(b"\x0a\x02\x12\x00")
    for scope in within.ListFields()[0][1][0].ListFields()[0][1]:
        scope.MergeFromString(b"\x12\x00" * (MOST_PARTS + 1))
    counted = Counted()
    take = counted.metrics if export is ExportMetricsServiceRequest else counted.traces
    for body in (b"\x0a\x00" * (MOST_PARTS + 1), within.SerializeToString()):
        with pytest.raises(TooMany):
            take(body)
