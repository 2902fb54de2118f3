"""An exemplar: one request of a contract that is kept as it was, so that it can be asked later why it was slow.

Guarantees: what is not known is absent, never 0 or "". Standard library alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeptime.model.key import Signal
from keeptime.model.trace import Why


@dataclass(frozen=True, slots=True)
class Exemplar:
    """`at_ns`: Unix nanoseconds at which it ended; `why` it is kept (usual: as one of `weight` fast requests, for
    contrast). `failure`: how it failed, "" where it did not. `observer`: who saw it (`probe`, or a kind of
    traffic).

    `phases`: nanoseconds of the observer's own phases; `timings`: of those that the server told (`Server-Timing`,
    or its middleware); both by name. `signals`: nanoseconds of what objectives may be about beside the whole
    request, by the signal's name. `attributes`: what is known of the request (model version, replica, route,
    input size ...). `trace`: its W3C trace id in hex, "" where it has none. `stacks`: where it stood while it was
    late: a stack (outermost frame first, joined by ";") and how often it was seen.
    """

    contract: str
    at_ns: int
    latency_ns: int
    why: Why
    failure: str = ""
    status: int | None = None
    observer: str = "probe"
    weight: float = 1.0
    phases: Mapping[str, int] = field(default_factory=dict)
    timings: Mapping[str, int] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    trace: str = ""
    stacks: tuple[tuple[str, int], ...] = ()
    signals: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.latency_ns < 0 or self.weight <= 0:
            raise ValueError(f"an exemplar has a latency, and stands for something: {self}")

    def bad(self, threshold_ns: int | None, of: Signal = Signal.REQUESTS) -> bool:
        """Did it fail, or take longer than this? None: an objective on success alone. What is not known of a signal
        is not held against it."""
        took = self.latency_ns if of is Signal.REQUESTS else self.signals.get(of.value)
        return bool(self.failure) or (threshold_ns is not None and took is not None and took > threshold_ns)


@dataclass(frozen=True, slots=True)
class ExemplarQuery:
    """Which are wanted, newest first, at most so many. Instants in Unix seconds; `why`: None of any."""

    contract: str
    since: float | None = None
    until: float | None = None
    why: Why | None = None
    most: int = 100

    def wants(self, one: Exemplar) -> bool:
        """Is it among those that are asked for?"""
        at = one.at_ns / 1e9
        return (
            one.contract == self.contract
            and (self.since is None or at >= self.since)
            and (self.until is None or at < self.until)
            and self.why in (None, one.why)
        )
