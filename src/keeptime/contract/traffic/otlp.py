"""The fields of `observe: - otlp:`: requests that a program reports by OpenTelemetry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keeptime.contract.exempting import ATTRIBUTE, WhereShape
from keeptime.contract.given import Terms, given
from keeptime.contract.kinds import Choice, Text
from keeptime.contract.lists import MapOf
from keeptime.contract.scope import Where
from keeptime.contract.shapes import Field, Row, Shape, Table
from keeptime.contract.traffic.bare import OrNothing
from keeptime.contract.traffic.source import Traffic


class Take(StrEnum):
    """What is counted. The other is not, or every request would count twice."""

    METRICS = "metrics"
    TRACES = "traces"


class Measured(StrEnum):
    """Signals that a histogram can tell of."""

    REQUESTS = "requests"
    FIRST_TOKEN = "first_token"
    INTER_TOKEN = "inter_token"
    OUTPUT_TOKEN = "output_token"


@dataclass(frozen=True, slots=True)
class Otlp(Traffic):
    """Requests that a program reports by OpenTelemetry. `service`: "" for any; `where`: of its resource. `metrics`:
    which one tells of a signal, instead of the usual. `spans`: the names of those that are requests, instead of
    every one of kind SERVER. `failed`: what makes one a failure, beside what does by convention. `attributes`:
    further names, each with OpenTelemetry's."""

    service: str = ""
    where: Where = ()
    take: Take = Take.METRICS
    metrics: Mapping[str, str] = field(default_factory=dict, hash=False)
    spans: str = ""
    failed: Where = ()
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def counts_metrics(self) -> bool:
        return self.take is Take.METRICS

    @property
    def said(self) -> str:
        return f"{self.take} of {self.service or 'any service'} by OpenTelemetry"


_METRIC = Text("the name of a histogram, such as http.server.request.duration")


def _metric(_: str) -> Shape[str]:
    return _METRIC


_KEY = Text("an attribute of OpenTelemetry, such as service.version")


def _key(_: str) -> Shape[str]:
    return _KEY


SERVICE = Field("service", Text(), "Only what comes from this service (`service.name`).", default="any")
WHERE = Field(
    "where", WhereShape(), "Only resources with such attributes (dots are written as _).", default="every resource"
)
TAKE = Field("take", Choice(Take), "What is counted: histograms, or spans.", default="metrics")
METRICS = Field(
    "metrics",
    MapOf(Choice(Measured), _metric, "signals", most=4),
    "Which histogram tells of a signal.",
    default="those of the semantic conventions",
)
SPANS = Field(
    "spans", Text(), "Names of the spans that are requests; * stands for anything.", default="every SERVER span"
)
FAILED = Field(
    "failed",
    WhereShape(),
    "Requests with such attributes failed, beside those that did by convention.",
    default="none",
)
ATTRIBUTES = Field(
    "attributes",
    MapOf(ATTRIBUTE, _key, "attributes", most=20),
    "Further names of attributes: `{model_version: service.version}`.",
    default="OpenTelemetry's own, with _ for dots",
)


def _otlp(row: Row) -> Traffic:
    return Otlp(
        "otlp",
        row.get(SERVICE, ""),
        row.get(WHERE, ()),
        row.get(TAKE, Take.METRICS),
        {str(signal): metric for signal, metric in row.get(METRICS, {}).items()},
        row.get(SPANS, ""),
        row.get(FAILED, ()),
        tuple(row.get(ATTRIBUTES, {}).items()),
    )


OTLP_TABLE = Table(
    "otlp",
    "Take requests that a program reports by OpenTelemetry.",
    (SERVICE, WHERE, TAKE, METRICS, SPANS, FAILED, ATTRIBUTES),
    _otlp,
)
OTLP: Field[Traffic] = Field(
    "otlp", OrNothing(OTLP_TABLE), "Take requests that a program reports by OpenTelemetry (OTLP)."
)


def written(one: Otlp) -> Terms:
    return given(
        service=one.service,
        where=_where(one.where),
        take=str(one.take) if one.take is not Take.METRICS else None,
        metrics=dict(one.metrics),
        spans=one.spans,
        failed=_where(one.failed),
        attributes=dict(one.attributes),
    )


def _where(where: Where) -> dict[str, object]:
    return {each.attribute: list(each.any_of) for each in where}
