"""One point of a histogram as totals.

Guarantees: a point that contradicts itself, holds NaN or a negative latency, or counts in no known unit is refused
with the reason. Pure. (OpenTelemetry metrics data model, "Histogram" and "ExponentialHistogram".)
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
)

from keeptime.model.sketch import Sketch
from keeptime.observe.cumulative import Totals
from keeptime.observe.intake.refusing import Wrong

MOST_COUNT, MOST_BUCKETS = 10**15, 2_000
LARGEST_POWER, SMALLEST_POWER = 20, -35
"""Of 2, in seconds."""

Point = HistogramDataPoint | ExponentialHistogramDataPoint


def totals_of(point: Point, per_second: float) -> Totals:
    """Spans are in seconds, exponential buckets in the point's own unit, of which there are `per_second`. Raises
    Wrong."""
    if point.count > MOST_COUNT:
        raise Wrong(f"count: {point.count} requests are more than can be")
    if _is_odd(point.sum) or point.sum < 0 or (point.HasField("min") and not point.min >= 0):
        raise Wrong(f"it tells of negative latencies, or of none at all (sum {point.sum:g}, min {point.min:g})")
    if isinstance(point, HistogramDataPoint):
        return Totals(point.count, 0, _explicit(point, per_second))
    return Totals(point.count, 0, {}, {}, _exponential(point))


def in_seconds(totals: Totals, per_second: float) -> Totals:
    """Exponential buckets stay as they are where they are in seconds, and else become spans: no sketch in seconds
    has exactly their bounds. They are compared before, in their own unit: a program makes them coarser at any
    time."""
    sketch = totals.sketch
    if sketch is None or (per_second == 1.0 and sketch.scale >= 0):
        return totals
    return Totals(totals.count, totals.failed, dict(_spans(sketch, per_second)))


def _is_odd(number: float) -> bool:
    return math.isnan(number) or math.isinf(number)


def _explicit(point: HistogramDataPoint, per_second: float) -> dict[tuple[float, float], int]:
    bounds, counts = tuple(point.explicit_bounds), point.bucket_counts
    if not counts and not bounds:
        return {}
    if len(counts) != len(bounds) + 1:
        raise Wrong(f"{len(counts)} buckets do not fit {len(bounds)} bounds; expected one more than bounds")
    _adds_up(point.count, counts)
    found = {span: count for span, count in zip(_between(bounds, per_second), counts, strict=True) if count}
    if any(high < 0 for _, high in found):
        raise Wrong("a bucket of negative latencies holds some")
    return found


@lru_cache(maxsize=256)
def _between(bounds: tuple[float, ...], per_second: float) -> tuple[tuple[float, float], ...]:
    """The buckets of these bounds, in seconds; nothing took less than no time. Raises Wrong."""
    if len(bounds) >= MOST_BUCKETS:
        raise Wrong(f"{len(bounds) + 1} buckets; at most {MOST_BUCKETS} are taken")
    if any(map(_is_odd, bounds)) or any(low >= high for low, high in pairwise(bounds)):
        raise Wrong("its bounds are not finite numbers that ascend")
    edges = (-math.inf, *(bound / per_second for bound in bounds), math.inf)
    return tuple((max(0.0, low), high) for low, high in pairwise(edges))


def _exponential(point: ExponentialHistogramDataPoint) -> Sketch:
    """In the point's own unit."""
    if any(point.negative.bucket_counts):
        raise Wrong("a bucket of negative latencies holds some")
    if not -10 <= point.scale <= 20:
        raise Wrong(f"scale: {point.scale}; expected -10 to 20")
    counts = point.positive.bucket_counts
    if len(counts) > MOST_BUCKETS:
        raise Wrong(f"{len(counts)} buckets; at most {MOST_BUCKETS} are taken")
    _adds_up(point.count, [point.zero_count, *counts])
    sketch = Sketch(point.scale, point.zero_count, point.sum)
    steps = math.pow(2.0, point.scale)
    for index, count in enumerate(counts, point.positive.offset):
        if not count:
            continue
        if index / steps >= LARGEST_POWER + 40:
            raise Wrong("a bucket is beyond any latency")
        if index / steps < SMALLEST_POWER - 40:
            sketch.zeros += count
        else:
            sketch.buckets[index] = count
    return sketch


def _adds_up(count: int, counts: Sequence[int]) -> None:
    if sum(counts) != count:
        raise Wrong(f"its buckets hold {sum(counts)}, its count says {count}")


def _spans(sketch: Sketch, per_second: float) -> Iterator[tuple[tuple[float, float], int]]:
    """The buckets by their bounds in seconds."""
    if sketch.zeros:
        yield (0.0, 1e-9), sketch.zeros
    steps = math.pow(2.0, sketch.scale)
    for index, count in sketch.buckets.items():
        low, high = math.pow(2.0, index / steps), math.pow(2.0, min(1023.0, (index + 1) / steps))
        yield (low / per_second, high / per_second), count
