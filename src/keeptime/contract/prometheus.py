"""The fields of `observe: - prometheus:`: which Prometheus is read, and which of its series count requests.

Guarantees: exactly one kind of series is given; every name, matcher and expression is valid PromQL.
"""

import re
from dataclasses import dataclass

from keeptime.contract.endpoint import HeaderName, HeaderValue
from keeptime.contract.kinds import Checked, Choice, Duration
from keeptime.contract.lists import Forms, ListOf, MapOf
from keeptime.contract.nodes import Node
from keeptime.contract.promql import wrong_matchers, wrong_vector
from keeptime.contract.report import Report, one_of
from keeptime.contract.shapes import Field, Row, Schema, Shape, Table
from keeptime.contract.sources import ClassicHistogram, CounterPair, Counts, NativeHistogram, ProbeGauges, Unit
from keeptime.contract.terms import PrometheusSource
from keeptime.contract.urls import Url

LONGEST_PROMQL = 4000


def _wrong_name(text: str) -> str:
    return "" if re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", text) else "is no metric name"


def _metric(example: str) -> Shape[str]:
    return Checked(f"the name of a metric such as {example}", "bad-metric", _wrong_name)


MATCHERS = Checked(
    'label matchers such as job="api",handler="/predict"', "bad-selector", wrong_matchers, LONGEST_PROMQL
)
EXPRESSION = Checked(
    'PromQL for cumulative counters such as http_requests_total{code!~"5.."}',
    "bad-promql",
    wrong_vector,
    LONGEST_PROMQL,
)


@dataclass(frozen=True)
class One:
    """A single expression where a list may stand."""

    expected: str = f"{EXPRESSION.expected}, or a list of such"

    def read(self, node: Node, report: Report, what: str) -> tuple[str, ...]:
        return (EXPRESSION.read(node, report, what),)

    def schema(self) -> Schema:
        return EXPRESSION.schema()


EXPRESSIONS = Forms(One(), listing=ListOf(EXPRESSION, "expressions", most=10))

SELECTOR = Field("selector", MATCHERS, "Only series with these labels.", default="all series of the metric")
FAILED = Field(
    "failed",
    MATCHERS,
    "Requests whose series have these labels too are failures. Needed for an objective on success.",
    default="every request counted is a success",
)
UNIT = Field("unit", Choice(Unit), "The unit in which the metric states latency.", default="seconds")
BUCKETS = Field(
    "buckets",
    ListOf(Duration(0.000001, 86_400, "500ms"), "bucket bounds", most=200),
    "The histogram's upper bounds. With them a threshold that is no bound is found before anything runs.",
    default="not known",
)
HISTOGRAM_METRIC = Field(
    "metric", _metric("http_request_duration_seconds"), "The histogram, without _bucket.", required=True
)
DURATION = Field(
    "duration",
    _metric("probe_duration_seconds"),
    "The latency of the last probe.",
    default="probe_duration_seconds",
)
SUCCESS = Field("success", _metric("probe_success"), "1 if the last probe succeeded.", default="probe_success")
GOOD = Field("good", EXPRESSIONS, "Counters of good requests.")
BAD = Field("bad", EXPRESSIONS, "Counters of bad requests.")
TOTAL = Field("total", EXPRESSIONS, "Counters of all requests.")


def _classic(row: Row) -> ClassicHistogram:
    return ClassicHistogram(
        metric=row.need(HISTOGRAM_METRIC),
        selector=row.get(SELECTOR, ""),
        failed=row.get(FAILED, ""),
        buckets=tuple(sorted(row.get(BUCKETS, ()))),
        unit=row.get(UNIT, Unit.SECONDS),
    )


def _native(row: Row) -> NativeHistogram:
    return NativeHistogram(
        row.need(HISTOGRAM_METRIC), row.get(SELECTOR, ""), row.get(FAILED, ""), row.get(UNIT, Unit.SECONDS)
    )


def _gauges(row: Row) -> ProbeGauges:
    return ProbeGauges(
        duration=row.get(DURATION, "probe_duration_seconds"),
        success=row.get(SUCCESS, "probe_success"),
        selector=row.get(SELECTOR, ""),
        unit=row.get(UNIT, Unit.SECONDS),
    )


def _counters(row: Row) -> CounterPair:
    pair = CounterPair(row.get(GOOD, ()), row.get(BAD, ()), row.get(TOTAL, ()))
    given = [name for name in ("good", "bad", "total") if getattr(pair, name)]
    row.sound()
    if len(given) != 2:
        said = f"given {', '.join(given)}" if given else "none is given"
        raise row.report.spoil(
            row.place, "counter-pair", f"{row.what}: {said}; expected two of good, bad and total"
        )
    return pair


HISTOGRAM_TABLE = Table(
    "histogram", "A classic histogram of latency.", (HISTOGRAM_METRIC, SELECTOR, FAILED, BUCKETS, UNIT), _classic
)
NATIVE_TABLE = Table(
    "native_histogram", "A native histogram of latency.", (HISTOGRAM_METRIC, SELECTOR, FAILED, UNIT), _native
)
GAUGES_TABLE = Table(
    "gauges", "Gauges of a prober; each scrape is one request.", (DURATION, SUCCESS, SELECTOR, UNIT), _gauges
)
COUNTERS_TABLE = Table(
    "counters",
    "Counters of your own, as PromQL; two of the three. For a contract with one objective.",
    (GOOD, BAD, TOTAL),
    _counters,
)

HISTOGRAM = Field("histogram", HISTOGRAM_TABLE, "A classic histogram of latency (`_bucket`, `_count`).")
NATIVE = Field("native_histogram", NATIVE_TABLE, "A native histogram of latency.")
GAUGES = Field("gauges", GAUGES_TABLE, "Gauges of a prober such as blackbox_exporter.")
COUNTERS = Field("counters", COUNTERS_TABLE, "Counters of your own, as PromQL.")
KINDS: tuple[Field[Counts], ...] = (HISTOGRAM, NATIVE, GAUGES, COUNTERS)

URL = Field(
    "url",
    Url(expected="a URL such as http://127.0.0.1:9090"),
    "The Prometheus (or what answers its API) that is read.",
    default="http://127.0.0.1:9090",
)
HEADERS = Field(
    "headers",
    MapOf(HeaderName(), HeaderValue, "headers", most=100, fold=True),
    "Headers to send. Those that carry secrets take env:NAME or file:PATH only.",
)
EVERY = Field(
    "every", Duration(1, 3600, "30s"), "Read so often; no more than it is scraped pays off.", default="30s"
)
TIMEOUT = Field("timeout", Duration(0.1, 300, "10s"), "A query that takes longer is given up.", default="10s")


def _source(row: Row) -> PrometheusSource:
    found = [each for each in KINDS if row.find(each) is not None]
    row.sound()
    if len(found) != 1:
        given = f"given {', '.join(each.key for each in found)}" if found else "none is given"
        expected = one_of([each.key for each in KINDS])
        raise row.report.spoil(row.place, "one-kind-of-series", f"{row.what}: {given}; expected {expected}")
    return PrometheusSource(
        counts=row.need(found[0]),
        url=row.get(URL, "http://127.0.0.1:9090"),
        headers=row.get(HEADERS, {}),
        every=row.get(EVERY, 30.0),
        timeout=row.get(TIMEOUT, 10.0),
    )


PROMETHEUS_TABLE = Table(
    "prometheus", "Read counts from an existing Prometheus.", (URL, HEADERS, EVERY, TIMEOUT, *KINDS), _source
)
PROMETHEUS = Field(
    "prometheus", PROMETHEUS_TABLE, "Read counts from an existing Prometheus instead of sending probes."
)
