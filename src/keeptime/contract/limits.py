"""What is asked of one request, and of an interval of requests, as frozen values.

Guarantees: a value of these types is legal. Knows nothing of how it is written or counted.
"""

from dataclasses import dataclass
from fractions import Fraction

PHASES = ("dns", "connect", "tls", "write", "wait", "transfer")
"""Where a probe's time goes, in order; `wait` ends with the first byte of the answer."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A good request spends at most `under` (seconds) in this phase."""

    phase: str
    under: float

    @property
    def under_ns(self) -> int:
        return round(self.under * 1_000_000_000)


@dataclass(frozen=True, slots=True)
class Interval:
    """What is judged is each interval of so many seconds: `statistic` of its requests ("p95", "mean") must keep to
    the objective's threshold or rate. With fewer than `min_samples` requests it is `empty`: good, bad or skip.
    """

    seconds: float
    statistic: str
    min_samples: int = 1
    empty: str = "skip"

    @property
    def share(self) -> Fraction | None:
        """The share of requests that lie below the statistic; None for the mean."""
        return None if self.statistic == "mean" else Fraction(self.statistic[1:]) / 100
