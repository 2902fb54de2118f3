"""The field `traces`: a Jaeger or a Tempo in which traces of slow requests are looked up by their id.

Guarantees: exactly one of the two is named; headers that carry secrets are references.
"""

from keeptime.contract.endpoint import HeaderName, HeaderValue
from keeptime.contract.kinds import Duration
from keeptime.contract.lists import MapOf
from keeptime.contract.report import one_of
from keeptime.contract.shapes import Field, Row, Table
from keeptime.contract.traced import TraceStore, Tracing
from keeptime.contract.urls import Url

JAEGER = Field(
    "jaeger",
    Url(expected="a URL such as http://127.0.0.1:16686", query=False),
    "The Jaeger query service (`/api/traces/ID`).",
)
TEMPO = Field(
    "tempo",
    Url(expected="a URL such as http://127.0.0.1:3200", query=False),
    "The Tempo query frontend (`/api/traces/ID`).",
)
HEADERS = Field(
    "headers",
    MapOf(HeaderName(), HeaderValue, "headers", most=100, fold=True),
    "Headers to send. Those that carry secrets take env:NAME or file:PATH only.",
)
TIMEOUT = Field("timeout", Duration(0.1, 60, "5s"), "A look that takes longer is given up.", default="5s")


def _tracing(row: Row) -> Tracing:
    named = [each for each in (JAEGER, TEMPO) if row.find(each) is not None]
    row.sound()
    if len(named) != 1:
        given = "both are given" if named else "none is given"
        expected = one_of([JAEGER.key, TEMPO.key])
        raise row.report.spoil(row.place, "one-trace-store", f"{row.what}: {given}; expected {expected}")
    (one,) = named
    return Tracing(TraceStore(one.key), row.need(one), row.get(HEADERS, {}), row.get(TIMEOUT, 5.0))


TRACES_TABLE = Table(
    "traces",
    "Where traces are looked up by their id: a Jaeger or a Tempo.",
    (JAEGER, TEMPO, HEADERS, TIMEOUT),
    _tracing,
)
TRACES = Field(
    "traces",
    TRACES_TABLE,
    "A Jaeger or a Tempo in which the traces of slow requests are looked up.",
    default="none: only traces that are sent here",
)
