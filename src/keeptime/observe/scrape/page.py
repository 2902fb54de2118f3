"""What one look at a server's metrics gave, whatever format they came in.

Guarantees: counts are whole and not negative, cumulative buckets ascend and do not exceed the count. What was wrong
stands beside it with its place: one bad series takes no other with it. Knows no format.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from keeptime.contract.presets.preset import Kind, Metric
from keeptime.model.sketch import Sketch

MOST_SERIES = 50_000
"""Series of one page that are read: beyond that nothing of it is."""
MOST_LINES = 1_000_000
"""Lines of one page of text: each costs something, be it empty."""
MOST_LABELS = 64
"""Labels of one series."""
LONGEST_LABELS = 16_384
"""Characters of one series' labels."""
LARGEST_COUNT = 2**53
"""Up to here a float is a whole number."""
SAID = 20
"""Refusals of one page that are kept in words."""

Labels = tuple[tuple[str, str], ...]
"""Sorted; without `le` and `quantile`."""


@dataclass(frozen=True, slots=True)
class Native:
    """A native histogram's buckets, in the metric's own unit; its zero bucket reaches up to `zero`."""

    sketch: Sketch
    zero: float


@dataclass(frozen=True, slots=True)
class Point:
    """One series. `count`: of all. `bounds`, `cumulative`: of a classic histogram, finite upper bounds in the
    metric's own unit and how many lie up to each. `created_ns`: since when it counts, where it says so (Unix
    nanoseconds).
    """

    labels: Labels
    count: int
    bounds: tuple[float, ...] = ()
    cumulative: tuple[int, ...] = ()
    native: Native | None = None
    created_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Something of a page that was not read. `place`: "line 12" or "byte 345"."""

    place: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


@dataclass(slots=True)
class Page:
    """Filled while it is read, then passed on. `points`: by family, as they are asked for. `started_ns`: of the
    process, if it says so. `refusals`: how many there were; the first ones in words.
    """

    points: dict[str, list[Point]] = field(default_factory=dict)
    started_ns: int | None = None
    refusals: int = 0
    refused: list[Refused] = field(default_factory=list)

    def refuse(self, place: str, why: str) -> None:
        self.refusals += 1
        if len(self.refused) < SAID:
            self.refused.append(Refused(place, why))


Wanted = Mapping[str, Kind]
"""Families that are read, and what they are expected to be; what else is on a page is not looked at."""


def wanted_of(metrics: Iterable[Metric]) -> Wanted:
    """All that these metrics need. From a gauge nothing can be counted."""
    found: dict[str, Kind] = {}
    for each in metrics:
        if each.kind is not Kind.GAUGE:
            found |= dict.fromkeys(each.names, each.kind)
            found |= dict.fromkeys(each.failures, Kind.COUNTER)
    return found


def whole(value: float) -> int | None:
    """A count from its float: fractions of a float histogram wait for the next look. None where it is no count."""
    return int(value) if 0 <= value < LARGEST_COUNT else None


def classic(
    labels: Labels, buckets: Sequence[tuple[float, float]], created_ns: int | None, native: Native | None = None
) -> Point | str:
    """A classic histogram from (upper bound, cumulative count) in any order; a sentence where it is none."""
    ordered = sorted(buckets)
    bounds = tuple(bound for bound, _ in ordered)
    if not ordered or bounds[-1] != math.inf:
        return "it has no bucket +Inf"
    if len(set(bounds)) < len(bounds) or any(map(math.isnan, bounds)):
        return "a bucket is there twice, or has no bound"
    counts: list[int] = []
    for bound, value in ordered:
        count = whole(value)
        if count is None:
            return f"its bucket {bound:g} holds {value:g}; expected a count"
        if counts and count < counts[-1]:
            return f"its bucket {bound:g} holds {count}, less than the {counts[-1]} of a smaller one"
        counts.append(count)
    return Point(labels, counts[-1], bounds[:-1], tuple(counts[:-1]), native, created_ns)
