"""The fields of `observe: - scrape:`: a model server's own metrics.

Guarantees: no header holds a literal secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeptime.contract.endpoint import HeaderName, HeaderValue
from keeptime.contract.kinds import Duration, Label
from keeptime.contract.lists import MapOf
from keeptime.contract.probed import SecretRef
from keeptime.contract.shapes import Field, Row, Table
from keeptime.contract.traffic.source import Traffic
from keeptime.contract.traffic.written import Terms, given
from keeptime.contract.urls import Url
from keeptime.contract.written_figures import duration


@dataclass(frozen=True, slots=True)
class Scrape(Traffic):
    """Read the metrics at `url` every so many seconds; `preset`: which server's, by name."""

    url: str
    preset: str
    every: float = 10.0
    timeout: float = 5.0
    headers: Mapping[str, str | SecretRef] = field(default_factory=dict)

    @property
    def said(self) -> str:
        return f"{self.preset} metrics at {self.url.partition('?')[0]}"


URL = Field(
    "url", Url(expected="a URL such as http://127.0.0.1:8000/metrics"), "Where the metrics are.", required=True
)
PRESET = Field("preset", Label("name"), "Which server's metrics these are (`keeptime presets`).", required=True)
EVERY = Field("every", Duration(1, 3600, "10s"), "Read so often.", default="10s")
TIMEOUT = Field("timeout", Duration(0.1, 300, "5s"), "A read that takes longer is given up.", default="5s")
HEADERS = Field(
    "headers",
    MapOf(HeaderName(), HeaderValue, "headers", most=100, fold=True),
    "Headers to send. Those that carry secrets take env:NAME or file:PATH only.",
)


def _scrape(row: Row) -> Traffic:
    return Scrape(
        "scrape",
        row.need(URL),
        row.need(PRESET),
        row.get(EVERY, 10.0),
        row.get(TIMEOUT, 5.0),
        row.get(HEADERS, {}),
    )


SCRAPE_TABLE = Table(
    "scrape", "Read a model server's own metrics.", (URL, PRESET, EVERY, TIMEOUT, HEADERS), _scrape
)
SCRAPE: Field[Traffic] = Field("scrape", SCRAPE_TABLE, "Read a model server's own metrics.")


def written(one: Scrape) -> Terms:
    return given(
        url=one.url,
        preset=one.preset,
        every=duration(one.every),
        timeout=duration(one.timeout),
        headers={name: str(value) for name, value in one.headers.items()},
    )
