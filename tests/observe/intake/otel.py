"""What the real SDK of OpenTelemetry exports, and what keeptime counts of it."""

import asyncio
from collections.abc import Iterator, Sequence

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from keeptime.clock import SystemClock
from keeptime.contract.terms import Contract
from keeptime.contract.traffic.otlp import Otlp
from keeptime.model.tally import Tally
from keeptime.model.traffic import TrafficView
from keeptime.observe.count import Counter
from keeptime.observe.intake.line import Line
from keeptime.observe.otlp.exported import Exported
from keeptime.observe.otlp.receive import Otlps

from .given import OBJECTIVES, contract, objective

__all__ = ["OBJECTIVES", "Counted", "Program", "contract", "objective"]

DURATION = "http.server.request.duration"


class Counted:
    """Exports to these contracts, and what they were counted as. The clock is the real one, for the SDK's is."""

    def __init__(self, *contracts: Contract) -> None:
        self.contracts = contracts or (contract(Otlp("otlp")),)
        self.clock = SystemClock()
        now = self.clock.wall_ns()
        self.counter = Counter(self.contracts, 10.0, start_ns=now - 60 * 10**9)
        self.counter.close(now)
        self.otlps = Otlps(self.contracts, self.counter, Line(), self.clock, 10.0)

    def metrics(self, body: bytes, as_json: bool = False) -> Exported:
        return asyncio.run(self.otlps.metrics(body, as_json))

    def traces(self, body: bytes, as_json: bool = False) -> Exported:
        return asyncio.run(self.otlps.traces(body, as_json))

    def view(self, name: str = "served") -> TrafficView:
        (found,) = self.otlps.views(name)
        return found

    def counted(self) -> dict[str, Tally]:
        """By objective, all that was counted and not looked at yet."""
        found: dict[str, Tally] = {}
        for record in self.counter.finish(self.clock.wall_ns() + 10**9):
            for key, tally in record.tallies.items():
                before = found.get(key.objective, Tally())
                found[key.objective] = Tally(
                    before.good + tally.good, before.bad + tally.bad, excluded=before.excluded + tally.excluded
                )
        return {name: tally for name, tally in found.items() if tally != Tally()}


class Program:
    """One that is instrumented by the SDK."""

    def __init__(self, service: str = "sentiment", delta: bool = False, exponential: bool = False) -> None:
        temporality = AggregationTemporality.DELTA if delta else AggregationTemporality.CUMULATIVE
        self._reader = InMemoryMetricReader(preferred_temporality={Histogram: temporality})
        views = (
            [View(instrument_name="*", aggregation=ExponentialBucketHistogramAggregation())] if exponential else []
        )
        resource = Resource.create({"service.name": service, "deployment.environment.name": "test"})
        self.meter = MeterProvider([self._reader], resource, views=views).get_meter("test")
        self._spans = InMemorySpanExporter()
        provider = TracerProvider(resource=resource)
        provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.tracer = provider.get_tracer("test")

    def histogram(self, name: str = DURATION, unit: str = "s") -> "object":
        bounds = [0.1, 0.3, 0.5, 1.0] if unit == "s" else [100.0, 300.0, 500.0, 1000.0]
        return self.meter.create_histogram(name, unit, explicit_bucket_boundaries_advisory=bounds)

    def export(self) -> bytes:
        """Its metrics, as they are now."""
        data = self._reader.get_metrics_data()
        assert data is not None
        return bytes(encode_metrics(data).SerializeToString())

    def export_spans(self) -> bytes:
        """Its spans that ended since the last time."""
        return encoded(self._spans.get_finished_spans(), self._spans)


def encoded(spans: Sequence[ReadableSpan], of: InMemorySpanExporter) -> bytes:
    of.clear()
    return bytes(encode_spans(spans).SerializeToString())


def each(*values: float) -> Iterator[float]:
    yield from values
