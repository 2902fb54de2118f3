"""Calendar periods on the tick grid.

Guarantees: every tick belongs to exactly one period: the one that holds the tick's first instant.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeptime.contract.calendar import period
from keeptime.contract.terms import Calendar

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Period:
    """Boundaries (ticks) between which a period lies."""

    start: int
    end: int


def period_of(calendar: Calendar, tick: int, tick_seconds: float) -> Period:
    """The period that this tick belongs to."""
    start, end = period(calendar, tick * tick_seconds)
    return Period(math.ceil(start / tick_seconds), math.ceil(end / tick_seconds))


def periods_of(calendar: Calendar, first: int, ticks: int, tick_seconds: float) -> tuple[Ints, Ints]:
    """For each of these ticks its period's start and end [ticks]."""
    starts, ends = np.empty(ticks, dtype=np.int64), np.empty(ticks, dtype=np.int64)
    at = first
    while at < first + ticks:
        found = period_of(calendar, at, tick_seconds)
        until = min(found.end, first + ticks)
        starts[at - first : until - first] = found.start
        ends[at - first : until - first] = found.end
        at = until
    return starts, ends
