"""How a model server's own metrics tell of its requests, as frozen values.

Guarantees: a value of these types is legal; bounds are seconds, ascending. Knows no file and no server.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keeptime.contract.presets.matchers import Matchers
from keeptime.contract.probed import Kind as ProbeKind
from keeptime.contract.sources import Unit
from keeptime.model.key import Signal


class Kind(StrEnum):
    """What sort of metric it is, which decides what it can say."""

    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    COUNTER = "counter"
    GAUGE = "gauge"


class Fidelity(StrEnum):
    """What is known of how long requests took. A summary's quantiles cannot be added up, so it tells a mean too."""

    HISTOGRAM = "histogram"
    MEAN = "mean"
    LAST_VALUE = "last value"


FIDELITY = {
    Kind.HISTOGRAM: Fidelity.HISTOGRAM,
    Kind.SUMMARY: Fidelity.MEAN,
    Kind.COUNTER: Fidelity.MEAN,
    Kind.GAUGE: Fidelity.LAST_VALUE,
}


class Asked(StrEnum):
    """What an objective may ask that a preset has a word of its own about, where it must refuse."""

    PERCENTILES = "percentiles"
    FAILURES = "failures"
    REQUESTS = "requests"
    FIRST_TOKEN = "first_token"
    INTER_TOKEN = "inter_token"
    OUTPUT_TOKEN = "output_token"


@dataclass(frozen=True, slots=True)
class Metric:
    """One signal of the server.

    `names`: without `_bucket` and `_count`; the first that is there is read: versions differ. `buckets`: upper
    bounds of a classic histogram; () where they are not known or it is a native one. `selector`: only such series.
    `failed`: of these, such series count requests that failed. `failures`: counters of requests that failed, which
    are not in the metric itself. `sum`: of counters, the one of how long all of them took, "" if there is none.
    """

    signal: Signal
    kind: Kind
    names: tuple[str, ...]
    unit: Unit = Unit.SECONDS
    buckets: tuple[float, ...] = ()
    selector: Matchers = Matchers()  # noqa: RUF009
    failed: Matchers = Matchers()  # noqa: RUF009
    failures: tuple[str, ...] = ()
    sum: str = ""

    @property
    def fidelity(self) -> Fidelity:
        return FIDELITY[self.kind]

    @property
    def tells_failures(self) -> bool:
        """Does it say which requests failed, or how many?"""
        return bool(self.failed or self.failures)


@dataclass(frozen=True, slots=True)
class Preset:
    """One kind of server. `checked`: the version that this was checked on. `source`: where these facts are from.

    `url`: where its metrics usually are. `needs`: what must be switched on for them, "" if nothing must.
    `model_url`, `probe`: where the model answers, and a kind of probe for it, where metrics do not do.
    `recognise`: metrics that no other server has. `attributes`: name of an attribute -> the label that holds it.
    `traps`: sentences; what its metrics do not say, though one might think so. `refusals`: why it cannot be asked.
    """

    name: str
    title: str
    checked: str = ""
    source: str = ""
    url: str = ""
    needs: str = ""
    model_url: str = ""
    probe: ProbeKind = ProbeKind.HTTP
    recognise: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    traps: tuple[str, ...] = ()
    refusals: Mapping[Asked, str] = field(default_factory=dict)

    def metric(self, signal: Signal) -> Metric | None:
        """What tells of this signal; None if nothing does."""
        return next((each for each in self.metrics if each.signal is signal), None)
