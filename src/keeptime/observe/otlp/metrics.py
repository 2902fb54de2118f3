"""Histograms as programs export them, as batches of what came since the last export.

Guarantees: of each series every request is counted once, delta or cumulative, whatever is sent again; of several
histograms that count the same requests the best is taken. A point that is wrong is refused alone; one service's
series take none of another's room.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, DataPointFlags, Metric

from keeptime.model.key import Signal
from keeptime.observe.cumulative import Growth, Totals, TotalsRefused
from keeptime.observe.intake.batches import batch_of
from keeptime.observe.intake.book import Book
from keeptime.observe.intake.counting import Counting
from keeptime.observe.intake.refusing import Wrong
from keeptime.observe.intake.when import SECOND, When
from keeptime.observe.otlp.attributes import attributes_of, text_of
from keeptime.observe.otlp.conventions import UNITS, USUAL, failure_of, status_of
from keeptime.observe.otlp.entries import Entries, Entry, From
from keeptime.observe.otlp.exported import Exported, Refusals
from keeptime.observe.otlp.points import Point, in_seconds, totals_of

OBSERVER = "otlp"
MOST_SERVICES, MOST_SERIES, MOST_OF_ALL = 200, 10_000, 50_000
"""Services, series of one, and series of all of them."""

SEEN_SECONDS = 3600
"""For so long after its last point a better histogram stands for a worse one."""

REMEMBERED = 4
"""Instants of a series: a point of one of them, or older than all, is the same one sent again."""

_NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_Wanted = list[tuple[Entry, Signal]]


@dataclass(slots=True)
class Service:
    """What is remembered of one: what its series grew to, of which instants they were, which histograms came."""

    growth: Growth
    times: OrderedDict[tuple[object, ...], tuple[int, ...]] = field(default_factory=OrderedDict)
    seen: dict[str, int] = field(default_factory=dict)

    def streamed(self, when: When) -> list[Signal]:
        """Signals of tokens that it tells of: those of a request that failed did not come."""
        longest = when.now - SEEN_SECONDS * SECOND
        return [
            usual.signal
            for name, usual in USUAL.items()
            if usual.signal is not Signal.REQUESTS and self.seen.get(name, 0) > longest
        ]

    def repeated(self, series: tuple[object, ...], at_ns: int, room: Callable[[], int]) -> bool:
        """Was this instant of a series here before? Else it is from now on. `room`: for how many series. Raises
        Wrong."""
        known = self.times.pop(series, ())
        if not known and len(self.times) >= (most := min(room(), MOST_SERIES)):
            oldest = next(iter(self.times), None)
            if oldest is None or at_ns - self.times[oldest][-1] < SEEN_SECONDS * SECOND:
                of_this = most == MOST_SERIES
                said = (
                    f"{MOST_SERIES} series of this service" if of_this else f"{MOST_OF_ALL} series of all services"
                )
                raise Wrong(f"there are more than {said}; expected fewer attributes")
            del self.times[oldest]
        again = at_ns in known or (len(known) == REMEMBERED and at_ns < known[0])
        self.times[series] = known if again else tuple(sorted((*known, at_ns)))[-REMEMBERED:]
        return again


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
        self._since_ns, self._counting, self._book = since_ns, counting, book
        self._services: OrderedDict[str, Service] = OrderedDict()

    def take(self, request: ExportMetricsServiceRequest, entries: Entries, when: When) -> Exported:
        """Count what can be counted of it."""
        refusals, found = Refusals(), False
        for of_resource in request.resource_metrics:
            metrics = [each for scope in of_resource.scope_metrics for each in scope.metrics]
            try:
                whose = entries.of(of_resource.resource)
                found = self._resource(whose, metrics, when, refusals) or found
            except Wrong as error:
                refusals.note("resource", error)
        otherwise = (
            "" if found or not request.resource_metrics else "no contract here takes any of these histograms"
        )
        return refusals.exported(otherwise)

    def _resource(self, whose: From, metrics: Sequence[Metric], when: When, refusals: Refusals) -> bool:
        """Was any of it wanted?"""
        wanted = {each.name: _wanted(whose.entries, each.name) for each in metrics}
        if not any(wanted.values()):
            return False
        service = self._service(whose.service)
        for each in metrics:
            if each.name in USUAL:
                service.seen[each.name] = when.now
        for each in metrics:
            if wanted[each.name]:
                self._metric(whose, service, each, wanted[each.name], when, refusals)
        return True

    def _service(self, name: str) -> Service:
        found = self._services.pop(name, None)
        if found is None:
            found = Service(Growth(since_ns=self._since_ns, most=MOST_SERIES))
            if len(self._services) >= MOST_SERVICES:
                self._services.popitem(last=False)
        self._services[name] = found
        return found

    def _room(self, service: Service) -> int:
        """How many series it may have, for all that the others have."""
        return MOST_OF_ALL - sum(len(each.times) for each in self._services.values() if each is not service)

    def _metric(
        self, whose: From, service: Service, metric: Metric, wanted: _Wanted, when: When, refusals: Refusals
    ) -> None:
        counted = [each for each in wanted if not _superseded(each[0], metric.name, service, when)]
        results: Counter[str] = Counter()
        requests = 0
        try:
            shape, points = _shape(metric, counted)
        except Wrong as error:
            results["refused"] += 1
            refusals.note(metric.name, error)
            points = ()
        for point in points if counted else ():
            try:
                result, new = self._point(whose, service, shape, point, when)
            except (Wrong, TotalsRefused) as error:
                why = error if isinstance(error, Wrong) else Wrong(str(error))
                result, new = "skewed" if why.skewed else "refused", 0
                refusals.note(metric.name, why)
            requests += new
            results[result] += 1
            results["late"] += result == "ok" and when.late(point.time_unix_nano)
        for entry, signal in wanted:
            page = self._book.page(entry.contract, entry.otlp)
            if (entry, signal) in counted:
                page.note(when.now, requests if signal is Signal.REQUESTS else 0, **results)
            else:
                page.note(when.now, 0, superseded=1)

    def _point(self, whose: From, service: Service, shape: _Shape, point: Point, when: When) -> tuple[str, int]:
        """What became of it, and how many requests are new."""
        if point.flags & _NO_VALUE:
            return "empty", 0
        if not point.time_unix_nano:
            raise Wrong("time_unix_nano is missing")
        at_ns = when.counted(point.time_unix_nano)
        attributes = {**whose.attributes, **attributes_of(point)}
        status = status_of(attributes)
        totals = totals_of(point, shape.per_second)
        series = (
            whose.identity,
            shape.name,
            frozenset((each.key, text_of(each.value)) for each in point.attributes),
        )
        if service.repeated(series, point.time_unix_nano, lambda: self._room(service)):
            return "repeated", 0
        grown = _advance(service.growth, series, totals, point, when) if shape.cumulative else totals
        if grown is None or not grown.count:
            return ("baseline" if grown is None else "ok"), 0
        attributes["observer"] = OBSERVER
        if status is not None:
            attributes["status"] = str(status)
        grown, failed = in_seconds(grown, shape.per_second), Totals(grown.count, grown.count)
        for entry, signal in shape.wanted:
            known = entry.known(attributes)
            if not _failed(entry, signal, attributes, status):
                self._counting.put_batch(batch_of(entry.contract, signal, known, grown, at_ns))
                continue
            for each in (signal, *service.streamed(when)):
                self._counting.put_batch(batch_of(entry.contract, each, known, failed, at_ns))
        return "ok", grown.count


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
    if metric in entry.named:
        return False
    longest = when.now - SEEN_SECONDS * SECOND
    return any(service.seen.get(better, 0) > longest for better in USUAL[metric].unless)


def _shape(metric: Metric, wanted: _Wanted) -> tuple[_Shape, Sequence[Point]]:
    """Raises Wrong."""
    kind = metric.WhichOneof("data")
    if kind not in ("histogram", "exponential_histogram"):
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
