"""What was counted over a stretch of the past, bucket by bucket.

Guarantees: buckets follow one another without a hole; one of which nothing was lived through holds nothing, which
is not the same as no events. Standard library alone.
"""

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from keeptime.model.phases import PhaseSums
from keeptime.model.sketch import Sketch
from keeptime.model.tally import Tally

Value = TypeVar("Value", Tally, Sketch, PhaseSums)


@dataclass(frozen=True, slots=True)
class Bucket(Generic[Value]):
    """Ticks [start, end). `lived`: how many of them were recorded. `value`: None where nothing was lived through
    and nothing is known.
    """

    start: int
    end: int
    lived: int
    value: Value | None


class DayCount(NamedTuple):
    """A day that is over: its number since 1970 (where it begins, in UTC), and what was counted in it."""

    day: int
    good: int
    bad: int


Series = tuple[Bucket[Tally], ...]
SketchSeries = tuple[Bucket[Sketch], ...]
PhaseSeries = tuple[Bucket[PhaseSums], ...]
