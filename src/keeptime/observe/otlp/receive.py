"""Exports of OpenTelemetry: read, counted, answered. A follower for every contract with `observe: - otlp:`.

Guarantees: of an export that can be read, what is wrong is refused with its reason, and the rest is counted;
exports are read one at a time. Knows no HTTP and no gRPC.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence, Sized

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from keeptime.clock import Clock
from keeptime.contract.terms import Contract
from keeptime.model.latency import Latency
from keeptime.model.trace import Trace
from keeptime.model.traffic import TrafficView
from keeptime.observe.intake.book import Book
from keeptime.observe.intake.counting import Counting
from keeptime.observe.intake.line import Line
from keeptime.observe.intake.when import When
from keeptime.observe.otlp.entries import Entries
from keeptime.observe.otlp.exported import Exported
from keeptime.observe.otlp.kept import Kept
from keeptime.observe.otlp.messages import limited, read
from keeptime.observe.otlp.metrics import Histograms
from keeptime.observe.otlp.spans import Spans


class Otlps:
    """`line` is shared with whoever else reads what is sent."""

    def __init__(
        self, contracts: Sequence[Contract], counting: Counting, line: Line, clock: Clock, tick_seconds: float
    ) -> None:
        self._line, self._clock, self._tick_seconds = line, clock, tick_seconds
        self._book = Book("otlp", contracts)
        now_ns = clock.wall_ns()
        self._entries = Entries(contracts, now_ns)
        self._histograms = Histograms(now_ns, counting, self._book)
        self._kept = Kept()
        self._spans = Spans(counting, self._book, self._kept)

    def start(self) -> None:
        """Nothing is to be begun: others come to us."""

    async def stop(self) -> None:
        """What has come is counted."""
        await self._line.close()

    def prepare(self, contracts: Sequence[Contract]) -> Callable[[], Awaitable[None]]:
        entries = Entries(contracts, self._clock.wall_ns())

        async def go() -> None:
            self._entries = entries.since(self._entries, self._clock.wall_ns())
            self._book.replace(contracts)
            self._kept.keep_only(frozenset(each.name for each in contracts))

        return go

    def views(self, contract: str) -> Sequence[TrafficView]:
        return self._book.views(contract)

    async def latency(self, contract: str, at: float) -> Latency | None:  # noqa: ARG002 - the store knows
        return None

    async def metrics(self, body: bytes, as_json: bool = False) -> Exported:
        """Count what can be counted of it. Raises IntakeRefused."""
        return await self._line(self._metrics, body, as_json)

    async def traces(self, body: bytes, as_json: bool = False) -> Exported:
        """The same of spans."""
        return await self._line(self._traces, body, as_json)

    def kept(self, contract: str) -> Sequence[Trace]:
        """Traces of its requests that were slow or failed, and a few others, newest first."""
        return self._kept.traces(contract)

    def _metrics(self, body: bytes, as_json: bool) -> Exported:
        request = read(body, ExportMetricsServiceRequest(), as_json)
        limited(_parts_of_metrics(request))
        when = When.at(self._clock.wall_ns(), self._tick_seconds)
        return self._histograms.take(request, self._entries, when)

    def _traces(self, body: bytes, as_json: bool) -> Exported:
        request = read(body, ExportTraceServiceRequest(), as_json)
        limited(_parts_of_traces(request))
        when = When.at(self._clock.wall_ns(), self._tick_seconds)
        return self._spans.take(request, self._entries, when)


def _parts_of_metrics(request: ExportMetricsServiceRequest) -> Iterator[Sized]:
    yield request.resource_metrics
    for each in request.resource_metrics:
        yield each.scope_metrics
        for scope in each.scope_metrics:
            yield scope.metrics
            for metric in scope.metrics:
                yield metric.histogram.data_points
                yield metric.exponential_histogram.data_points


def _parts_of_traces(request: ExportTraceServiceRequest) -> Iterator[Sized]:
    yield request.resource_spans
    for each in request.resource_spans:
        yield each.scope_spans
        for scope in each.scope_spans:
            yield scope.spans
