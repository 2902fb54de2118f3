"""Running totals of deliveries since start, for metrics and pages; they only grow. Knows nothing of the store."""

from dataclasses import dataclass, field

from keeptime.model.sketch import Sketch


@dataclass(slots=True)
class PairCounters:
    """Deliveries of one (contract, address). `seconds`: from the decision to the first 2xx, of each delivered one.

    `given_up`: messages, those behind a receiver that is gone too. `last_error` is the latest failure's sentence,
    "" after a success.
    """

    attempts: int = 0
    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    last_error: str = ""
    seconds: Sketch = field(default_factory=Sketch)

    def success(self, seconds: float) -> None:
        self.attempts += 1
        self.delivered += 1
        self.last_error = ""
        self.seconds.add(max(0.0, seconds))

    def failure(self, error: str) -> None:
        self.attempts += 1
        self.failed += 1
        self.last_error = error
