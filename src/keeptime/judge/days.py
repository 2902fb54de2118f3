"""Running totals at the ends of days, which the forecast looks back on.

Guarantees: a tick costs nothing but at the end of a day; any split into blocks, and any restart, gives the same
days. A day is one of UTC, whatever the objective's own time zone. Knows nothing of forecasts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeptime.judge.forecast import DAYS
from keeptime.judge.totals import BAD, GOOD, Growth

Ints = NDArray[np.int64]
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Days:
    """`events`, `bad`: totals since birth [point × objective] at `oldest` and each end of a day after it; at least
    DAYS of them. `step`: ticks of a day; `oldest`: in days.
    """

    step: int
    oldest: int
    events: Ints
    bad: Ints

    @classmethod
    def fresh(cls, tick_seconds: float, boundary: int, objectives: int) -> "Days":
        step = round(DAY / tick_seconds)
        zeros = np.zeros((DAYS, objectives), dtype=np.int64)
        return cls(step, boundary // step - DAYS + 1, zeros, zeros.copy())

    @property
    def points(self) -> Ints:
        """The boundaries (ticks) that totals are kept at, oldest first."""
        return (self.oldest + np.arange(len(self.bad))) * self.step

    def grow(self, growth: Growth) -> "Days":
        """With the ends of days that lie in `growth` added."""
        first, last = growth.before.boundary, growth.before.boundary + growth.ticks
        days = np.arange(first // self.step + 1, last // self.step + 1)
        if not len(days):
            return self
        grown = growth.grown[:, days * self.step - first]
        events, bad = grown[GOOD] + grown[BAD], grown[BAD]
        return Days(self.step, self.oldest, np.concatenate([self.events, events]), np.concatenate([self.bad, bad]))

    def newest(self) -> "Days":
        """The last DAYS points alone."""
        spare = len(self.bad) - DAYS
        if not spare:
            return self
        return Days(self.step, self.oldest + spare, self.events[spare:], self.bad[spare:])
