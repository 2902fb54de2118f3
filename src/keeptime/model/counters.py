"""Running totals since start that /metrics shows; they only grow."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

from keeptime.model.phases import PHASES
from keeptime.model.sample import Failure, Sample

USUAL_BOUNDS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 5.0)
"""Bucket bounds in seconds that every contract's histogram has; its thresholds come on top."""


@dataclass(slots=True)
class RequestCounters:
    """Requests of one contract. A failed request is in `failures` and in no bucket, whatever it took.

    `bounds`: ascending seconds; `within[i]` counts successes in (bounds[i-1], bounds[i]], the last one those above
    all bounds. `seconds`: sum of all latencies. `phases`: seconds spent in each phase, in the order of `Phases`.
    `lag_seconds`, `late`: the prober's own lag.
    """

    bounds: tuple[float, ...]
    within: list[int] = field(default_factory=list)
    failures: Counter[Failure] = field(default_factory=Counter)
    skipped: int = 0
    late: int = 0
    seconds: float = 0.0
    lag_seconds: float = 0.0
    lag_worst: float = 0.0
    phases: list[float] = field(default_factory=lambda: [0.0] * len(PHASES))

    def __post_init__(self) -> None:
        if not self.within:
            self.within = [0] * (len(self.bounds) + 1)

    def add(self, sample: Sample) -> None:
        seconds = sample.latency_ns / 1e9
        lag = (max(0, sample.sent_ns - sample.due_ns) + sample.lag_ns) / 1e9
        self.seconds += seconds
        self.lag_seconds += lag
        self.lag_worst = max(self.lag_worst, lag)
        self.late += sample.late
        spent = sample.phases
        for place, phase in enumerate(
            (spent.dns, spent.connect, spent.tls, spent.write, spent.wait, spent.transfer)
        ):
            self.phases[place] += phase / 1e9
        if sample.failure is None:
            self.within[bisect_left(self.bounds, seconds)] += 1
        else:
            self.failures[sample.failure] += 1

    @property
    def requests(self) -> int:
        return sum(self.within) + self.failures.total()
