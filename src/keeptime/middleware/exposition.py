"""The totals as families of metrics, and which format a scraper is answered in.

Guarantees: a request that failed is in no bucket but the last, whatever it took, and in a series of its own, so
that summed up it is bad and yet it can be told; a threshold is a bound of a bucket, and its count is exact. No
I/O, no clock.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from keeptime.middleware import layout
from keeptime.middleware.exemplar import Exemplar
from keeptime.middleware.totals import SeriesTotals, Totals
from keeptime.model.key import Signal

PREFIX = "keeptime_server_"
POWERS = range(-10, 8)
"""Of two: bounds in seconds beside the thresholds, so that there are some where nothing is promised."""

INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Sample:
    """A number with its labels."""

    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Bound:
    """A classic bucket: how many took at most `le` seconds, and the exemplar of what lies above the bound
    before."""

    le: float
    count: int
    exemplar: Exemplar | None


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram with its labels. `count`: its last bucket. `source`: None of those that failed."""

    labels: dict[str, str]
    count: int
    sum: float
    bounds: tuple[Bound, ...]
    source: SeriesTotals | None


@dataclass(frozen=True, slots=True)
class Family:
    """Metrics of one name, without the `_total` of a counter."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    samples: tuple[Sample, ...] = ()
    distributions: tuple[Distribution, ...] = ()


_HISTOGRAMS = {
    Signal.REQUESTS: ("request_seconds", "Latency of requests until the last byte of the answer."),
    Signal.FIRST_TOKEN: ("first_token_seconds", "Time until the first piece of a streamed answer."),
    Signal.INTER_TOKEN: ("inter_token_seconds", "Time between two pieces of a streamed answer."),
    Signal.OUTPUT_TOKEN: ("output_token_seconds", "Time for each piece after the first, of a streamed answer."),
}


def families(totals: Totals) -> Iterator[Family]:
    """All of them, in the order of the page about metrics."""
    of_requests = [each for each in totals.series if each.signal is Signal.REQUESTS]
    yield Family(PREFIX + "requests", "counter", "Requests that ended, by result.", tuple(_results(of_requests)))
    yield _counter("client_errors", "Requests answered with 4xx.", of_requests, lambda each: each.client_errors)
    for signal, (name, text) in _HISTOGRAMS.items():
        of_signal = [each for each in totals.series if each.signal is signal]
        yield Family(PREFIX + name, "histogram", text, distributions=tuple(_distributions(of_signal)))
    yield _one("in_flight", "gauge", "Requests under way.", totals.in_flight)
    yield _one("workers", "gauge", "Worker processes that have counted and live.", totals.workers)
    yield _one("labels_capped", "counter", "Label values counted as other, beyond a cap.", totals.capped)
    yield _one("start_time_seconds", "gauge", "When the counts were 0, in Unix time.", totals.started)


def _results(series: list[SeriesTotals]) -> Iterator[Sample]:
    for each in series:
        attributes = each.labels.attributes()
        yield Sample({**attributes, "result": "ok"}, each.succeeded)
        for kind in layout.KINDS:
            yield Sample({**attributes, "result": kind}, each.failed[kind])


def _counter(name: str, text: str, series: list[SeriesTotals], value: Callable[[SeriesTotals], int]) -> Family:
    return Family(
        PREFIX + name, "counter", text, tuple(Sample(each.labels.attributes(), value(each)) for each in series)
    )


def _one(name: str, kind: Literal["counter", "gauge"], text: str, value: float) -> Family:
    return Family(PREFIX + name, kind, text, (Sample({}, value),))


def _distributions(series: list[SeriesTotals]) -> Iterator[Distribution]:
    for each in series:
        yield _distribution(each)
        failed = each.count - each.succeeded
        labels = {**each.labels.attributes(), "result": "failed"}
        yield Distribution(labels, failed, 0.0, (Bound(INFINITE, failed, None),), None)


def _distribution(each: SeriesTotals) -> Distribution:
    exact = {threshold_ns / 1e9: count for threshold_ns, count in each.within.items()}
    for power in POWERS:
        exact.setdefault(2.0**power, each.below(power))
    bounds, low = [], 0.0
    for le in sorted(exact):
        bounds.append(Bound(le, exact[le], _exemplar(each, low, le)))
        low = le
    bounds.append(Bound(INFINITE, each.succeeded, _exemplar(each, low, INFINITE)))
    return Distribution({**each.labels.attributes(), "result": "ok"}, each.succeeded, each.sum, tuple(bounds), each)


def _exemplar(each: SeriesTotals, low: float, high: float) -> Exemplar | None:
    """The latest of those in (low, high] seconds."""
    found = [exemplar for exemplar in each.exemplars if low < exemplar.seconds <= high]
    return max(found, key=lambda exemplar: exemplar.at, default=None)
