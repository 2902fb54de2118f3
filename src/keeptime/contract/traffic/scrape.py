"""The fields of `observe: - scrape:`: a model server's own metrics.

Guarantees: what its metrics mean is said once, by a preset or by the contract itself; no header holds a literal
secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from keeptime.contract.endpoint import HeaderName, HeaderValue
from keeptime.contract.given import Terms, given
from keeptime.contract.kinds import Duration, text_of
from keeptime.contract.lists import ListOf, MapOf
from keeptime.contract.nodes import Node
from keeptime.contract.presets.fields import ATTRIBUTES, METRIC_TABLE, TOLD, MatchersShape, once
from keeptime.contract.presets.library import names, preset
from keeptime.contract.presets.matchers import Matchers
from keeptime.contract.presets.preset import Metric, Preset
from keeptime.contract.probed import SecretRef
from keeptime.contract.report import Report, nearest, quote
from keeptime.contract.shapes import Field, Row, Schema, Table
from keeptime.contract.traffic.source import Traffic
from keeptime.contract.urls import Url
from keeptime.contract.written_figures import duration


@dataclass(frozen=True, slots=True)
class Scrape(Traffic):
    """Read the metrics at `url` every so many seconds. `preset`: which server's, by name; "" where `own` says what
    they mean. `attributes`: name -> label, beside the preset's; `selector`: only series with such labels.
    """

    url: str
    preset: str = ""
    every: float = 10.0
    timeout: float = 5.0
    headers: Mapping[str, str | SecretRef] = field(default_factory=dict)
    own: tuple[Metric, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    selector: Matchers = Matchers()  # noqa: RUF009

    @property
    def definition(self) -> Preset:
        """What the metrics mean."""
        found = None if self.own else preset(self.preset)
        if found is None:
            return Preset(OWN, "this server", attributes=self.attributes, metrics=self.own)
        return replace(found, attributes={**found.attributes, **self.attributes})

    @property
    def said(self) -> str:
        return f"{self.preset or OWN} metrics at {self.url.partition('?')[0]}"


OWN = "own"
"""What metrics are called that the contract itself describes."""


@dataclass(frozen=True)
class PresetName:
    """One of the presets that there are."""

    expected: str = "the name of a preset such as vllm (`keeptime presets` lists them)"

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        if scalar.text not in names():
            hint = nearest(scalar.text, names()) or f"; expected {self.expected}, or 'metrics' of your own"
            message = f"{what}: there is no preset {quote(scalar.text)}{hint}"
            raise report.spoil(scalar.place, "unknown-preset", message)
        return scalar.text

    def schema(self) -> Schema:
        return {"enum": list(names())}


URL = Field(
    "url", Url(expected="a URL such as http://127.0.0.1:8000/metrics"), "Where the metrics are.", required=True
)
PRESET = Field("preset", PresetName(), "Which server's metrics these are; or say it with `metrics`.")
SELECTOR = Field(
    "selector", MatchersShape(), "Only series with these labels, of a model for instance.", default="all"
)
OWN_METRICS = Field(
    "metrics",
    ListOf(METRIC_TABLE, "metrics", most=len(TOLD), across=once),
    "Metrics of a server that has no preset: which tells of which signal.",
)
EVERY = Field("every", Duration(1, 3600, "10s"), "Read so often.", default="10s")
TIMEOUT = Field(
    "timeout", Duration(0.1, 300, "5s"), "A read that takes longer is given up.", default="5s, at most `every`"
)
HEADERS = Field(
    "headers",
    MapOf(HeaderName(), HeaderValue, "headers", most=100, fold=True),
    "Headers to send. Those that carry secrets take env:NAME or file:PATH only.",
)


def _scrape(row: Row) -> Traffic:
    preset_given, own = row.find(PRESET) is not None, row.get(OWN_METRICS, ())
    row.sound()
    if preset_given == bool(own):
        said = "both are given" if own else "neither is given"
        message = f"{row.what}: {said}; expected a 'preset', or 'metrics' of your own"
        raise row.report.spoil(row.place, "preset-or-metrics", message)
    every, timeout = row.get(EVERY, 10.0), row.get(TIMEOUT, 5.0)
    return Scrape(
        "scrape",
        row.need(URL),
        row.get(PRESET, ""),
        every,
        min(timeout, every),
        row.get(HEADERS, {}),
        own,
        row.get(ATTRIBUTES, {}),
        row.get(SELECTOR, Matchers()),
    )


SCRAPE_TABLE = Table(
    "scrape",
    "Read a model server's own metrics.",
    (URL, PRESET, EVERY, TIMEOUT, HEADERS, SELECTOR, ATTRIBUTES, OWN_METRICS),
    _scrape,
)
SCRAPE: Field[Traffic] = Field("scrape", SCRAPE_TABLE, "Read a model server's own metrics.")


def written(one: Scrape) -> Terms:
    return given(
        url=one.url,
        preset=one.preset,
        every=duration(one.every),
        timeout=duration(one.timeout),
        headers={name: str(value) for name, value in one.headers.items()},
        selector=one.selector.text,
        attributes=dict(one.attributes),
        metrics=[*map(_metric, one.own)],
    )


def _metric(one: Metric) -> Terms:
    return given(
        signal=str(one.signal),
        **{str(one.kind): list(one.names)},
        unit=str(one.unit),
        buckets=[*map(duration, one.buckets)],
        selector=one.selector.text,
        failed=one.failed.text,
        failures=list(one.failures),
        sum=one.sum,
    )
