"""How requests that succeeded are spread over buckets, in seconds.

Guarantees: counts stay within the bounds that the server gave them; where it gives two layouts, the one is taken
that decides every threshold. Pure.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from keeptime.model.batch import same_bound
from keeptime.model.sketch import Sketch, bucket_index
from keeptime.observe.cumulative import Totals

Spans = Mapping[tuple[float, float], int]
NANOSECOND = 1e-9


@dataclass(slots=True)
class Spread:
    """`spans`: (low, high] -> count. `sketch`: the same requests, where they were kept in base-2 exponential
    buckets of seconds."""

    spans: dict[tuple[float, float], int] = field(default_factory=dict)
    sketch: Sketch | None = None

    def add(self, other: "Spread") -> None:
        for key, count in other.spans.items():
            self.spans[key] = self.spans.get(key, 0) + count
        if other.sketch is not None:
            self.sketch = self.sketch or Sketch(other.sketch.scale)
            self.sketch.merge(other.sketch)


def classic_spans(
    bounds: tuple[float, ...], cumulative: Sequence[int], count: int, per_second: int
) -> dict[tuple[float, float], int]:
    """Of a classic histogram's cumulative counts; buckets without any are left out."""
    spans: dict[tuple[float, float], int] = {}
    before = 0
    for key, upto in zip(_keys(bounds, per_second), (*cumulative, count), strict=True):
        if upto > before:
            spans[key] = spans.get(key, 0) + upto - before
        before = upto
    return spans


@lru_cache(maxsize=256)
def _keys(bounds: tuple[float, ...], per_second: int) -> tuple[tuple[float, float], ...]:
    """Nothing takes less than no time, whatever bounds a server has."""
    seconds = [max(0.0, each / per_second) for each in bounds]
    return tuple(zip((0.0, *seconds), (*seconds, math.inf), strict=True))


def spread(grown: Totals, zero: float, per_second: int, thresholds: Sequence[float]) -> Spread:
    """`zero`: how far the zero bucket of a native histogram reaches, in its own unit."""
    if grown.sketch is None:
        return Spread(dict(grown.spans))
    if grown.spans and decided(grown.spans, thresholds):
        return Spread(dict(grown.spans), _in_seconds(grown.sketch, zero, per_second))
    return Spread(_sketched(grown.sketch, zero, per_second), _in_seconds(grown.sketch, zero, per_second))


@lru_cache(maxsize=256)
def blind(bounds: tuple[float, ...], per_second: int, thresholds: tuple[float, ...]) -> frozenset[float]:
    """Thresholds below the first bound, where no request is ever known to be good, or beyond the last one, where
    none is known to be bad: what is known on one side alone would tell the wrong share."""
    if not bounds:
        return frozenset()
    first, last = bounds[0] / per_second, bounds[-1] / per_second
    return frozenset(
        each
        for each in thresholds
        if (each < first and not same_bound(first, each)) or (each > last and not same_bound(last, each))
    )


def decided(spans: Spans, thresholds: Sequence[float]) -> bool:
    """Does no threshold lie within a bucket that holds any?"""
    return not any(
        low < each < high and not same_bound(low, each) and not same_bound(high, each)
        for each in thresholds
        for low, high in spans
    )


def within(spans: Spans, threshold: float) -> int:
    """How many took at most that, where it is decided."""
    return sum(n for (_, high), n in spans.items() if high <= threshold or same_bound(high, threshold))


def _sketched(sketch: Sketch, zero: float, per_second: int) -> dict[tuple[float, float], int]:
    step = math.pow(2.0, -sketch.scale)
    spans = {
        (math.pow(2.0, index * step) / per_second, math.pow(2.0, (index + 1) * step) / per_second): count
        for index, count in sketch.buckets.items()
    }
    if sketch.zeros:
        spans[0.0, zero / per_second] = sketch.zeros
    return spans


def _in_seconds(sketch: Sketch, zero: float, per_second: int) -> Sketch | None:
    """None where it cannot be merged with others without loss: another unit, or buckets wider than a factor 2."""
    if per_second != 1 or sketch.scale < 0:
        return None
    if not sketch.zeros or zero <= NANOSECOND:
        return sketch
    moved = Sketch(sketch.scale, 0, sketch.total, dict(sketch.buckets))
    index = bucket_index(zero, sketch.scale)
    moved.buckets[index] = moved.buckets.get(index, 0) + sketch.zeros
    return moved
