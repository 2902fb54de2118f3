"""Where counts come from when keeptime does not send the requests itself: series of an existing Prometheus.

Guarantees: frozen values; a metric's name, a selector and an expression are valid PromQL. Knows nothing of HTTP.
"""

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """The unit in which a metric states latency."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"

    @property
    def per_second(self) -> int:
        return {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000}[self.value]


@dataclass(frozen=True, slots=True)
class ClassicHistogram:
    """`metric` without `_bucket`. `selector`, `failed`: label matchers, such as `job="api"`, "" for none;
    requests that match `failed` too are failures. `buckets`: its upper bounds in seconds, empty if not said.
    """

    metric: str
    selector: str = ""
    failed: str = ""
    buckets: tuple[float, ...] = ()
    unit: Unit = Unit.SECONDS


@dataclass(frozen=True, slots=True)
class NativeHistogram:
    """The same for a native (exponential) histogram, whose counts between bounds are interpolated."""

    metric: str
    selector: str = ""
    failed: str = ""
    unit: Unit = Unit.SECONDS


@dataclass(frozen=True, slots=True)
class ProbeGauges:
    """Gauges of a prober such as blackbox_exporter: each scrape is one event. `success` is 1 for a good answer."""

    duration: str
    success: str
    selector: str = ""
    unit: Unit = Unit.SECONDS


@dataclass(frozen=True, slots=True)
class CounterPair:
    """Expressions for cumulative counters; their sums are what was counted. Two of the three are given."""

    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
    total: tuple[str, ...] = ()


Counts = ClassicHistogram | NativeHistogram | ProbeGauges | CounterPair
