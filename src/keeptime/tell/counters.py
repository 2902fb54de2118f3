"""Running totals of deliveries since start, for metrics and pages; they only grow. Knows nothing of the store."""

from bisect import bisect_left
from dataclasses import dataclass, field

from keeptime.model.sketch import Sketch

BOUNDS = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3600.0, 86_400.0)
"""Seconds: upper bounds of the classes in which the time until a message was taken is counted."""


@dataclass(slots=True)
class PairCounters:
    """Deliveries of one (contract, address). `seconds`: from the decision to the first 2xx, of each delivered one.

    `given_up`: messages, those behind a receiver that is gone too. `last_error` is the latest failure's sentence,
    "" after a success. `took`: the same times by BOUNDS (the last class has none), and their sum.
    """

    attempts: int = 0
    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    last_error: str = ""
    seconds: Sketch = field(default_factory=Sketch)
    took: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    took_seconds: float = 0.0

    def success(self, seconds: float) -> None:
        self.attempts += 1
        self.delivered += 1
        self.last_error = ""
        took = max(0.0, seconds)
        self.seconds.add(took)
        self.took[bisect_left(BOUNDS, took)] += 1
        self.took_seconds += took

    def failure(self, error: str) -> None:
        self.attempts += 1
        self.failed += 1
        self.last_error = error
