"""The fields of a preset's file, of which a contract may have its own: which metrics tell of which signal.

Guarantees: a metric is of one kind and has a legal name; each signal is told once; bucket bounds ascend.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from keeptime.contract.exempting import ATTRIBUTE
from keeptime.contract.kinds import Checked, Choice, Duration, Label, Number, Text, Whole
from keeptime.contract.lists import Forms, ListOf, MapOf
from keeptime.contract.nodes import Listing, Mapped, Node
from keeptime.contract.presets.matchers import Matchers, unusable
from keeptime.contract.presets.preset import Asked, Kind, Metric, Preset
from keeptime.contract.probed import Kind as ProbeKind
from keeptime.contract.prometheus import LONGEST_PROMQL, UNIT
from keeptime.contract.report import Report, one_of
from keeptime.contract.shapes import Field, Placed, Row, Schema, Shape, Table, wrong_type
from keeptime.contract.sources import Unit
from keeptime.contract.urls import Url
from keeptime.model.key import Signal

MOST_BOUNDS = 200
LONGEST_SENTENCE = 400
TOLD = (Signal.REQUESTS, Signal.FIRST_TOKEN, Signal.INTER_TOKEN, Signal.OUTPUT_TOKEN)
"""Signals that a metric can tell of."""


def _wrong_metric(text: str) -> str:
    return "" if re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,199}", text, re.ASCII) else "is no metric name"


def _wrong_label(text: str) -> str:
    return "" if re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]{0,99}", text, re.ASCII) else "is no name of a label"


METRIC_NAME = Checked("the name of a metric such as http_request_duration_seconds", "bad-metric", _wrong_metric)
LABEL_NAME = Checked("the name of a label such as model_name", "bad-label", _wrong_label)
MATCHERS_TEXT = Checked(
    'label matchers such as model_name="llama",code!~"2.."', "bad-selector", unusable, LONGEST_PROMQL
)
SENTENCE = Text("a sentence", LONGEST_SENTENCE)


@dataclass(frozen=True)
class MatchersShape:
    """Label matchers that can be asked of a series."""

    expected: str = MATCHERS_TEXT.expected

    def read(self, node: Node, report: Report, what: str) -> Matchers:
        return Matchers(MATCHERS_TEXT.read(node, report, what))

    def schema(self) -> Schema:
        return MATCHERS_TEXT.schema()


@dataclass(frozen=True)
class OneName:
    """A single name where a list may stand."""

    expected: str = f"{METRIC_NAME.expected}, or a list of such"

    def read(self, node: Node, report: Report, what: str) -> tuple[str, ...]:
        return (METRIC_NAME.read(node, report, what),)

    def schema(self) -> Schema:
        return METRIC_NAME.schema()


NAMES = Forms(OneName(), listing=ListOf(METRIC_NAME, "names", most=10))

FROM = Field("from", Duration(1e-9, 86_400, "10us"), "The first bound.", required=True)
TIMES = Field(
    "times", Number(1000, "a number above 1 such as 1.8"), "Each bound is so often the last.", required=True
)
BOUNDS = Field("bounds", Whole(1, MOST_BOUNDS), "How many there are.", required=True)


def _series(row: Row) -> tuple[float, ...]:
    first, times, bounds = row.need(FROM), row.need(TIMES), row.need(BOUNDS)
    if times <= 1 or first * times ** (bounds - 1) > 1e9:
        raise row.report.spoil(
            row.place_of(TIMES), "out-of-range", f"{row.what}.times: {times:g} leads to no bounds"
        )
    return tuple(first * times**nth for nth in range(bounds))


SERIES_TABLE = Table("buckets", "Bounds in a geometric series.", (FROM, TIMES, BOUNDS), _series)


def _ascending(found: Sequence[Placed[float]], report: Report, what: str) -> None:
    for before, each in pairwise(found):
        if each.value <= before.value:
            raise report.spoil(each.place, "bounds-crossed", f"{what}: this bound is not above the one before it")


@dataclass(frozen=True)
class BucketsShape:
    """A list of bounds, or how they are made."""

    listing = ListOf(Duration(1e-9, 86_400, "500ms"), "bucket bounds", most=MOST_BOUNDS, across=_ascending)
    expected: str = "a list of durations, or a mapping with from, times, bounds"

    def read(self, node: Node, report: Report, what: str) -> tuple[float, ...]:
        if isinstance(node, Listing):
            return self.listing.read(node, report, what)
        if isinstance(node, Mapped):
            return SERIES_TABLE.read(node, report, what)
        return wrong_type(node, report, what, self.expected)

    def tables(self) -> tuple[Table[object], ...]:
        return (SERIES_TABLE,)

    def schema(self) -> Schema:
        return {"anyOf": [self.listing.schema(), SERIES_TABLE.schema()]}


SIGNAL = Field("signal", Choice(Signal, only=TOLD), "What it tells of.", required=True)
HISTOGRAM = Field("histogram", NAMES, "A histogram, classic or native, without `_bucket`.")
SUMMARY = Field(
    "summary", NAMES, "A summary. Its quantiles cannot be added up: it tells how many requests there were."
)
COUNTER = Field("counter", NAMES, "A counter of requests, with its `_total` if it has one.")
GAUGE = Field("gauge", NAMES, "A gauge. It holds the last value alone: nothing can be counted from it.")
KINDS = {Kind.HISTOGRAM: HISTOGRAM, Kind.SUMMARY: SUMMARY, Kind.COUNTER: COUNTER, Kind.GAUGE: GAUGE}
BUCKETS = Field(
    "buckets",
    BucketsShape(),
    "The upper bounds of a classic histogram, ascending. With them a threshold that is no bound is found before "
    "anything runs.",
    default="not known",
)
SELECTOR = Field("selector", MatchersShape(), "Only series with these labels.", default="all series of the metric")
FAILED = Field(
    "failed", MatchersShape(), "Series with these labels too count requests that failed.", default="none does"
)
FAILURES = Field(
    "failures",
    NAMES,
    "Counters of requests that failed and are not in the metric itself; all are added.",
    default="none",
)
SUM = Field("sum", METRIC_NAME, "Of counters: the one of how long all requests took.", default="none")


def _metric(row: Row) -> Metric:
    found = {kind: given.value for kind, each in KINDS.items() if (given := row.find(each)) is not None}
    row.sound()
    if len(found) != 1:
        said = f"is given {', '.join(found)}" if found else "is given none"
        expected = one_of([str(each) for each in KINDS])
        raise row.report.spoil(row.place, "one-kind-of-metric", f"{row.what}: {said}; expected one of {expected}")
    ((kind, names),) = found.items()
    _check_use(row, BUCKETS, kind, Kind.HISTOGRAM)
    _check_use(row, SUM, kind, Kind.COUNTER)
    return Metric(
        row.need(SIGNAL),
        kind,
        names,
        row.get(UNIT, Unit.SECONDS),
        row.get(BUCKETS, ()),
        row.get(SELECTOR, Matchers()),
        row.get(FAILED, Matchers()),
        row.get(FAILURES, ()),
        row.get(SUM, ""),
    )


def _check_use(row: Row, field: Field[object], kind: Kind, only: Kind) -> None:
    """Raises Spoiled where a field is given that is of another kind of metric."""
    if row.find(field) is not None and kind is not only:
        message = f"{row.what}: a {kind} has no '{field.key}'; expected it with a {only}"
        raise row.report.spoil(row.place_of(field), "field-unused", message)


METRIC_TABLE = Table(
    "metric",
    "A metric of the server that tells of one signal: a histogram, a summary, a counter or a gauge.",
    (SIGNAL, *KINDS.values(), UNIT, BUCKETS, SELECTOR, FAILED, FAILURES, SUM),
    _metric,
)


def once(found: Sequence[Placed[Metric]], report: Report, what: str) -> None:
    """Report a signal that is told by two metrics."""
    seen: set[Signal] = set()
    for each in found:
        if each.value.signal in seen:
            message = f"{what}: '{each.value.signal}' is told twice; expected one metric for each signal"
            raise report.spoil(each.place, "signal-twice", message)
        seen.add(each.value.signal)


def _label(_: str) -> Shape[str]:
    return LABEL_NAME


def _sentence(_: str) -> Shape[str]:
    return SENTENCE


METRICS = Field(
    "metrics",
    ListOf(METRIC_TABLE, "metrics", most=len(TOLD), least=0, across=once),
    "Which metric tells of which signal.",
    default="none",
)
ATTRIBUTES = Field(
    "attributes",
    MapOf(ATTRIBUTE, _label, "attributes", most=20),
    "What is known of the requests, by name, and the label that holds it.",
    default="none",
)
NAME = Field("preset", Label("name"), "Its name, the same as the file's.", required=True)
TITLE = Field("title", Text(), "What the server is called.", required=True)
CHECKED = Field("checked", Text(), "The version that this was checked on.", default="not said")
SOURCE = Field("source", SENTENCE, "Where these facts are from.", default="not said")
NEEDS = Field("needs", SENTENCE, "What must be switched on for its metrics.", default="nothing")
URL = Field("url", Url(expected="a URL such as http://127.0.0.1:8000/metrics"), "Where its metrics usually are.")
MODEL_URL = Field(
    "model_url", Url(expected="a URL such as http://127.0.0.1:8000/predict"), "Where the model usually answers."
)
PROBE = Field("probe", Choice(ProbeKind), "A kind of probe for where its metrics do not do.", default="http")
RECOGNISE = Field(
    "recognise",
    ListOf(METRIC_NAME, "names", most=20, least=0),
    "Metrics by which this server is recognised: no other one has them.",
    default="none",
)
TRAPS = Field(
    "traps",
    ListOf(SENTENCE, "sentences", most=20, least=0),
    "What its metrics do not say, though one might think so.",
    default="none",
)
REFUSALS = Field(
    "refusals",
    MapOf(Choice(Asked), _sentence, "refusals", most=len(Asked)),
    "Why it cannot be asked for percentiles, for failures, or for a signal.",
    default="none",
)


def _preset(row: Row) -> Preset:
    return Preset(
        row.need(NAME),
        row.need(TITLE),
        row.get(CHECKED, ""),
        row.get(SOURCE, ""),
        row.get(URL, ""),
        row.get(NEEDS, ""),
        row.get(MODEL_URL, ""),
        row.get(PROBE, ProbeKind.HTTP),
        row.get(RECOGNISE, ()),
        row.get(ATTRIBUTES, {}),
        row.get(METRICS, ()),
        row.get(TRAPS, ()),
        {Asked(asked): why for asked, why in row.get(REFUSALS, {}).items()},
    )


PRESET_TABLE = Table(
    "the preset",
    "How one kind of server tells of its requests.",
    (NAME, TITLE, CHECKED, SOURCE, URL, NEEDS, MODEL_URL, PROBE, RECOGNISE, ATTRIBUTES, METRICS, TRAPS, REFUSALS),
    _preset,
)
