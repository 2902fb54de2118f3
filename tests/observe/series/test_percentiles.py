"""Percentiles from an existing Prometheus: bounds, never a point between them."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from keeptime.clock import SystemClock
from keeptime.contract.sources import ClassicHistogram, CounterPair, NativeHistogram, Unit
from keeptime.contract.terms import PrometheusSource
from keeptime.model.latency import Latency, Quantile
from keeptime.observe.series.api import Line, read
from keeptime.observe.series.percentiles import latency_of
from keeptime.observe.series.reader import Reader, Source
from keeptime.testing.series import FakePrometheus
from tests.observe.series.given import contract

CLASSIC = PrometheusSource(ClassicHistogram("took", 'job="api"', 'code="500"'))
ALL = 'sum by (le) (increase(took_bucket{job="api"}[3600s]))'
FAILED = 'sum by (le) (increase(took_bucket{job="api",code="500"}[3600s]))'
NOW = 1_800_000_000.0


def found(source: PrometheusSource, there: FakePrometheus) -> Latency | None:
    return asyncio.run(latency_of(source, there, NOW))


def classic() -> FakePrometheus:
    """Of 110 requests 10 failed, fast; of the others 60 up to 100 ms, 39 up to 250 ms, one above."""
    there = FakePrometheus()
    for le, count in (("0.1", 70.0), ("0.25", 109.0), ("+Inf", 110.0)):
        there.put(ALL, NOW - 1, count, le=le)
    for le in ("0.1", "0.25", "+Inf"):
        there.put(FAILED, NOW - 1, 10.0, le=le)
    return there


def test_a_percentile_of_classic_buckets_is_the_bucket_and_failures_are_in_none() -> None:
    there = classic()
    assert found(CLASSIC, there) == Latency(
        3600, 100, (Quantile(0.5, 0.0, 0.1), Quantile(0.95, 0.1, 0.25), Quantile(0.99, 0.1, None))
    ), "p99 of 100 ends on a bound: the next bucket may hold it"
    assert there.asked == [ALL, FAILED]


def test_the_unit_is_the_metrics() -> None:
    source = replace(CLASSIC, counts=replace(CLASSIC.counts, unit=Unit.MILLISECONDS, failed=""))
    there = FakePrometheus()
    for le, count in (("100", 70.0), ("+Inf", 70.0)):
        there.put(ALL, NOW - 1, count, le=le)
    latency = found(source, there)
    assert latency is not None
    assert latency.quantiles[0] == Quantile(0.5, 0.0, 0.1)


def test_without_buckets_nothing_is_said() -> None:
    assert found(PrometheusSource(CounterPair(("good",), (), ("total",))), FakePrometheus()) is None
    nothing = found(CLASSIC, FakePrometheus())
    assert nothing == Latency(3600, 0, ())


@dataclass
class _Answers:
    """A Prometheus that gives one answer of its API."""

    body: dict[str, object]
    asked: list[str] = field(default_factory=list)

    async def instant(self, expression: str, at: float) -> Sequence[Line]:
        self.asked.append(expression)
        return read(200, json.dumps(self.body).encode(), expression)

    async def span(self, expression: str, start: float, end: float, step: float) -> Sequence[Line]:
        raise AssertionError("a percentile is asked for at an instant")

    async def close(self) -> None: ...


def test_a_native_histogram_has_its_own_bounds() -> None:
    histogram = {
        "count": "10",
        "sum": "3",
        "buckets": [[0, "0.25", "0.5", "6"], [0, "0.5", "1", "4"]],
    }
    result = [{"metric": {}, "histogram": [NOW, histogram]}]
    there = _Answers({"status": "success", "data": {"resultType": "vector", "result": result}})
    latency = asyncio.run(latency_of(PrometheusSource(NativeHistogram("took")), there, NOW))
    assert latency == Latency(
        3600, 10, (Quantile(0.5, 0.25, 0.5), Quantile(0.95, 0.5, 1.0), Quantile(0.99, 0.5, 1.0))
    )
    assert there.asked == ["sum(increase(took[3600s]))"]


def test_what_cannot_be_read_is_absent() -> None:
    source = Source(contract(), FakePrometheus(broken="gone"), reading=None)  # type: ignore[arg-type]
    reader = Reader([source], lambda until, tallies: None, SystemClock())
    assert asyncio.run(reader.latency("api", NOW)) is None
    assert asyncio.run(reader.latency("another", NOW)) is None
