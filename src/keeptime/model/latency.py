"""Percentiles of latency with their bounds, from counts in buckets.

Guarantees: a percentile lies within its bounds; between bounds that somebody else chose no point is made up. The
counts are of requests that succeeded: one that failed has no latency. Standard library alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

SPAN = 3600.0
"""Percentiles are shown of the last so many seconds."""

SHARES = (0.5, 0.95, 0.99)
"""The percentiles that are shown."""

NEARLY = 1e-6
"""Counts that were extrapolated are off by rounding: a rank so near to a bucket's end may lie on either side."""


@dataclass(frozen=True, slots=True)
class Quantile:
    """So large a share of requests took at most something in [low, high] seconds. `high` None: no bound is known.

    `value`: the point in between whose relative error is least; None where the bounds were not chosen for that.
    """

    share: float
    low: float
    high: float | None
    value: float | None = None

    @property
    def name(self) -> str:
        """p50, p99, p99.9."""
        return f"p{self.share * 100:g}"


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of the requests that succeeded in the last so many seconds; none without such requests."""

    seconds: float
    requests: int
    quantiles: tuple[Quantile, ...]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Observations in (low, high] seconds; `high` is infinity in the last one of a classic histogram."""

    low: float
    high: float
    count: float


def bounded(share: float, buckets: Sequence[Bucket]) -> Quantile | None:
    """Where the percentile lies, from buckets in ascending order; None without observations."""
    total = sum(bucket.count for bucket in buckets)
    if total <= 0:
        return None
    rank, slack = share * total, NEARLY * total
    seen, holding = 0.0, []
    for bucket in buckets:
        before, seen = seen, seen + bucket.count
        if bucket.count > 0 and seen >= rank - slack and before <= rank + slack:
            holding.append(bucket)
    low, high = holding[0].low, holding[-1].high
    return Quantile(share, max(0.0, low), high if math.isfinite(high) else None)
