"""From samples of cumulative counters to what was counted between two reads.

Guarantees: exact. A counter that fell was reset, and counts from 0; one that is lost from sight is counted on from
where it was if it is back within an hour; a new one is a baseline, from which counting starts. No clock, no I/O.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from keeptime.observe.series.api import Labels, Line

REMEMBERED = 3600.0
"""Seconds for which a counter that is lost from sight is still known."""


@dataclass(slots=True)
class Watched:
    """The counters of one expression; mutable. `known`: the last value of each, and when it was read."""

    known: dict[Labels, tuple[float, float]] = field(default_factory=dict)

    def advance(self, lines: Sequence[Line], at: float) -> float:
        """What was counted since the last read; `at`: Unix seconds, which must not fall."""
        grown = 0.0
        for line in lines:
            if not line.samples:
                continue
            value = line.samples[-1][1]
            before = self.known.get(line.labels)
            if before is not None and at - before[1] <= REMEMBERED:
                grown += value - before[0] if value >= before[0] else value
            self.known[line.labels] = (value, at)
        self._forget(at)
        return grown

    def _forget(self, at: float) -> None:
        gone = [labels for labels, (_, seen) in self.known.items() if at - seen > REMEMBERED]
        for labels in gone:
            del self.known[labels]


@dataclass(slots=True)
class Whole:
    """Whole requests of amounts that may be fractions (of interpolated histograms); what is left is carried on."""

    left: float = 0.0

    def of(self, amount: float) -> int:
        self.left += amount
        whole = int(self.left + 1e-9)
        self.left -= whole
        return whole
