"""The last hour of requests in buckets that somebody else chose, for percentiles that are shown.

Guarantees: a percentile lies within its bounds and no point between them is made up; what is older than an hour is
forgotten, by the minute. No clock.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

from keeptime.model.latency import SHARES, SPAN, Bucket, Latency, bounded

MINUTE = 60.0
Spans = Mapping[tuple[float, float], int]


class LastHour:
    """Requests that succeeded, by their bucket and the minute in which they were counted."""

    def __init__(self) -> None:
        self._minutes: dict[int, Counter[tuple[float, float]]] = {}

    def add(self, spans: Spans, at: float) -> None:
        """`at`: Unix seconds."""
        minute = int(at // MINUTE)
        self._minutes.setdefault(minute, Counter()).update(spans)
        self._forget(minute)

    def latency(self, at: float) -> Latency | None:
        """None without such requests, and where buckets overlap: then shares of them say nothing together."""
        self._forget(int(at // MINUTE))
        total: Counter[tuple[float, float]] = Counter()
        for each in self._minutes.values():
            total.update(each)
        buckets = [Bucket(low, high, count) for (low, high), count in sorted(total.items()) if count]
        if not buckets or any(one.high > other.low for one, other in pairwise(buckets)):
            return None
        found = (bounded(share, buckets) for share in SHARES)
        return Latency(SPAN, sum(total.values()), tuple(each for each in found if each is not None))

    def _forget(self, minute: int) -> None:
        for each in [each for each in self._minutes if minute - each >= SPAN / MINUTE]:
            del self._minutes[each]
