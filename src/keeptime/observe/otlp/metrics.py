"""Histograms as programs export them, as batches of what came since the last export.

Guarantees: of each series every request is counted once, delta or cumulative, whatever is sent again; of several
histograms that count the same requests the best is taken. A point that is wrong is refused alone; one service's
series take none of another's room.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, DataPointFlags, Metric

from keeptime.model.key import Signal
from keeptime.observe.cumulative import Growth, Totals, TotalsRefused
from keeptime.observe.intake.batches import batch_of
from keeptime.observe.intake.book import Book
from keeptime.observe.intake.counting import Counting
from keeptime.observe.intake.refusing import Wrong
from keeptime.observe.intake.when import When
from keeptime.observe.otlp.attributes import attributes_of, identity_of
from keeptime.observe.otlp.conventions import UNITS, USUAL, failure_of, status_of
from keeptime.observe.otlp.entries import Entries, Entry, From
from keeptime.observe.otlp.exported import Exported, Refusals
from keeptime.observe.otlp.points import Point, in_seconds, totals_of
from keeptime.observe.otlp.services import Service, Services

OBSERVER = "otlp"
_HISTOGRAMS = ("histogram", "exponential_histogram")
_NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_Wanted = list[tuple[Entry, Signal]]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What all points of a metric have in common."""

    name: str
    per_second: float
    cumulative: bool
    wanted: _Wanted


class Histograms:
    """`since_ns`: when keeptime began to watch."""

    def __init__(self, since_ns: int, counting: Counting, book: Book) -> None:
        self._counting, self._book = counting, book
        self._services = Services(since_ns)

    def take(self, request: ExportMetricsServiceRequest, entries: Entries, when: When) -> Exported:
        """Count what can be counted of it."""
        self._services.watch(entries.since_ns)
        refusals, found, histograms = Refusals(), False, False
        for of_resource in request.resource_metrics:
            metrics = [each for scope in of_resource.scope_metrics for each in scope.metrics]
            histograms = histograms or any(each.WhichOneof("data") in _HISTOGRAMS for each in metrics)
            try:
                whose = entries.of(of_resource.resource)
                found = self._resource(whose, metrics, when, refusals) or found
            except Wrong as error:
                refusals.note("resource", error)
        passed_over = histograms and not found
        return refusals.exported("no contract here takes any of these histograms" if passed_over else "")

    def _resource(self, whose: From, metrics: Sequence[Metric], when: When, refusals: Refusals) -> bool:
        """Was any of it wanted?"""
        if not any(each.otlp.counts_metrics for each in whose.entries):
            return False
        wanted = {each.name: _wanted(whose.entries, each.name) for each in metrics}
        service = self._services.of(whose.service, when)
        service.growth.look(when.now, whose.identity)
        for each in metrics:
            if each.name in USUAL:
                service.seen[each.name] = when.now
        for each in metrics:
            if wanted[each.name]:
                self._metric(whose, service, each, wanted[each.name], when, refusals)
        return any(wanted.values())

    def _metric(
        self, whose: From, service: Service, metric: Metric, wanted: _Wanted, when: When, refusals: Refusals
    ) -> None:
        counted = [each for each in wanted if not _superseded(each[0], metric.name, service, when)]
        results: Counter[str] = Counter()
        requests = 0
        try:
            shape, points = _shape(metric, counted)
            for point in points if counted else ():
                result, new = self._tried(whose, service, shape, point, when, refusals)
                requests += new
                results[result] += 1
                results["late"] += result == "ok" and when.late(point.time_unix_nano)
        except Wrong as error:
            results["refused"] += 1
            refusals.note(metric.name, error)
        for entry, signal in wanted:
            page = self._book.page(entry.contract, entry.otlp)
            if (entry, signal) in counted:
                page.note(when.now, requests if signal is Signal.REQUESTS else 0, **results)
            else:
                page.note(when.now, 0, superseded=1)

    def _tried(
        self, whose: From, service: Service, shape: _Shape, point: Point, when: When, refusals: Refusals
    ) -> tuple[str, int]:
        """What became of a point, and how many requests are new."""
        try:
            return self._point(whose, service, shape, point, when)
        except (Wrong, TotalsRefused) as error:
            why = error if isinstance(error, Wrong) else Wrong(str(error))
            refusals.note(shape.name, why)
            return "skewed" if why.skewed else "refused", 0

    def _point(self, whose: From, service: Service, shape: _Shape, point: Point, when: When) -> tuple[str, int]:
        if point.flags & _NO_VALUE:
            return "empty", 0
        if not point.time_unix_nano:
            raise Wrong("time_unix_nano is missing")
        at_ns = when.counted(point.time_unix_nano)
        attributes = {**whose.attributes, **attributes_of(point)}
        totals = totals_of(point, shape.per_second)
        named = frozenset((each.key, identity_of(each.value)) for each in point.attributes)
        series = (whose.identity, shape.name, named)
        if service.repeated(series, point.time_unix_nano, lambda: self._services.room(service)):
            return "repeated", 0
        grown = _advance(service.growth, series, totals, point, when) if shape.cumulative else totals
        if grown is None:
            return "baseline", 0
        if grown.count:
            self._put(shape, attributes, in_seconds(grown, shape.per_second), at_ns, service.streamed(when))
        return "ok", grown.count

    def _put(
        self, shape: _Shape, attributes: dict[str, str], grown: Totals, at_ns: int, streamed: Sequence[Signal]
    ) -> None:
        """Count it for every entry. `streamed`: signals that a request which failed is bad for, too."""
        status = status_of(attributes)
        attributes["observer"] = OBSERVER
        if status is not None:
            attributes["status"] = str(status)
        for entry, signal in shape.wanted:
            failed = _failed(entry, signal, attributes, status)
            said = Totals(grown.count, grown.count) if failed else grown
            for each in (signal, *streamed) if failed else (signal,):
                self._counting.put_batch(batch_of(entry.contract, each, entry.known(attributes), said, at_ns))


def _advance(growth: Growth, series: tuple[object, ...], totals: Totals, point: Point, when: When) -> Totals | None:
    started = point.start_time_unix_nano or None
    return growth.advance(series, totals, started, when.now, series[0])


def _wanted(entries: Iterable[Entry], metric: str) -> _Wanted:
    return [
        (entry, signal)
        for entry in entries
        if entry.otlp.counts_metrics and (signal := entry.signal_of(metric)) is not None
    ]


def _superseded(entry: Entry, metric: str, service: Service, when: When) -> bool:
    """Does a better histogram count the same requests?"""
    return metric not in entry.named and any(service.sends(better, when) for better in USUAL[metric].unless)


def _shape(metric: Metric, wanted: _Wanted) -> tuple[_Shape, Sequence[Point]]:
    """Raises Wrong."""
    kind = metric.WhichOneof("data")
    if kind not in _HISTOGRAMS:
        raise Wrong(f"it is a {kind or 'metric without points'}; expected a histogram: only that tells latencies")
    one = metric.histogram if kind == "histogram" else metric.exponential_histogram
    if one.aggregation_temporality not in (_CUMULATIVE, _DELTA):
        raise Wrong("its aggregation temporality is not said; expected delta or cumulative")
    usual = USUAL.get(metric.name)
    unit = metric.unit or (usual.unit if usual else "")
    if unit not in UNITS:
        raise Wrong(f"its unit is {unit[:20]!r}; expected one of {', '.join(UNITS)}")
    cumulative = one.aggregation_temporality == _CUMULATIVE
    return _Shape(metric.name, UNITS[unit], cumulative, wanted), one.data_points


def _failed(entry: Entry, signal: Signal, attributes: Mapping[str, str], status: int | None) -> bool:
    """Of a signal of tokens nothing failed: it is observed where they came."""
    return signal is Signal.REQUESTS and failure_of(attributes, status, entry.otlp.failed) is not None
