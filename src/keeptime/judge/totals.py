"""Running totals on the grids of `keeptime.model.levels`: any window's count is a difference of two of them.

Guarantees: exact integers; a window of W ticks on a grid of m covers between W and W + m − 1 ticks, and ends now.
Knows nothing of objectives' terms, rules or calendars.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeptime.model.levels import level_for

Ints = NDArray[np.int64]

GOOD, BAD, SKIPPED, EXCLUDED = range(4)
COUNTERS = 4
NAMES = ("good", "bad", "skipped", "excluded")
"""Of the counters, in their order."""


@dataclass(frozen=True, slots=True)
class Ring:
    """One grid's part of the totals: `step` ticks apart, kept at `offset`, `size` of them."""

    step: int
    offset: int
    size: int


def step_of(window: int, tick_seconds: float) -> int:
    """The grid, in ticks, on which a window of so many ticks slides."""
    return round(level_for(window * tick_seconds, tick_seconds).seconds / tick_seconds)


def rings_for(windows: tuple[int, ...], tick_seconds: float) -> tuple[Ring, ...]:
    """Room for all these windows (ticks), one ring per grid in use."""
    need: dict[int, int] = {}
    for window in windows:
        step = step_of(window, tick_seconds)
        need[step] = max(need.get(step, 0), -(-window // step) + 1)
    rings, offset = [], 0
    for step, size in sorted(need.items()):
        rings.append(Ring(step, offset, size))
        offset += size
    return tuple(rings)


@dataclass(slots=True)
class Totals:
    """Totals since birth of some objectives; mutable. `slots`: [counter × slot × objective]; `now`: [counter ×
    objective].

    `boundary`: the tick boundary that `now` holds at, which is the next tick's number.
    """

    rings: tuple[Ring, ...]
    boundary: int
    slots: Ints
    now: Ints

    @classmethod
    def fresh(cls, rings: tuple[Ring, ...], boundary: int, objectives: int) -> "Totals":
        room = sum(ring.size for ring in rings)
        slots = np.zeros((COUNTERS, room, objectives), dtype=np.int64)
        return cls(rings, boundary, slots, np.zeros((COUNTERS, objectives), dtype=np.int64))

    def points(self, ring: Ring) -> Ints:
        """The grid points (boundaries) that this ring holds now, oldest first."""
        newest = self.boundary // ring.step
        return np.arange(newest - ring.size + 1, newest + 1) * ring.step

    def place(self, ring: Ring, points: Ints) -> Ints:
        """Where the totals at these grid points are kept."""
        return ring.offset + (points // ring.step) % ring.size

    def grow(self, counts: Ints) -> "Growth":
        """Totals at each boundary of the coming ticks, from their counts [counter × tick × objective]."""
        grown = np.empty((COUNTERS, counts.shape[1] + 1, counts.shape[2]), dtype=np.int64)
        grown[:, 0] = self.now
        np.cumsum(counts, axis=1, out=grown[:, 1:])
        grown[:, 1:] += self.now[:, None, :]
        return Growth(self, grown)

    def accept(self, growth: "Growth") -> None:
        """Move to the end of `growth`."""
        first, last = self.boundary, self.boundary + growth.ticks
        for ring in self.rings:
            newest = last // ring.step
            oldest = max(first // ring.step + 1, newest - ring.size + 1)
            points = np.arange(oldest, newest + 1) * ring.step
            self.slots[:, self.place(ring, points)] = growth.grown[:, points - first]
        self.now = growth.grown[:, -1].copy()
        self.boundary = last

    def idle(self, ticks: int) -> None:
        """Move on by ticks without any event."""
        first, last = self.boundary, self.boundary + ticks
        for ring in self.rings:
            newest = last // ring.step
            points = np.arange(max(first // ring.step + 1, newest - ring.size + 1), newest + 1) * ring.step
            self.slots[:, self.place(ring, points)] = self.now[:, None, :]
        self.boundary = last


@dataclass(frozen=True, slots=True)
class Growth:
    """Totals before some ticks, and at the end of each: [counter × (ticks + 1) × objective]."""

    before: Totals
    grown: Ints

    @property
    def ticks(self) -> int:
        return int(self.grown.shape[1]) - 1

    def starts(self, window: int, step: int) -> Ints:
        """The boundary at which a window (ticks) begins, for each tick [ticks]."""
        ends = np.arange(self.before.boundary + 1, self.before.boundary + self.ticks + 1)
        return (ends - window) // step * step

    def since(self, starts: Ints, step: int, counters: slice) -> Ints:
        """Counts from these grid points to the end of each tick [counter × tick × objective]."""
        first = self.before.boundary
        old = int(np.searchsorted(starts, first))
        counts = self.grown[counters, 1:].copy()
        if old:
            ring = next(ring for ring in self.before.rings if ring.step == step)
            places = self.before.place(ring, starts[:old])
            counts[:, :old] -= self.before.slots[counters][:, places]
        if old < self.ticks:
            counts[:, old:] -= self.grown[counters][:, starts[old:] - first]
        return counts

    def since_mark(self, starts: Ints, mark: Ints) -> Ints:
        """The same for starts that lie on no grid: `mark` [counter × objective] is the total at those before
        now.
        """
        first = self.before.boundary
        old = int(np.searchsorted(starts, first))
        counts = self.grown[:, 1:].copy()
        counts[:, :old] -= mark[:, None, :]
        counts[:, old:] -= self.grown[:, starts[old:] - first]
        return counts
