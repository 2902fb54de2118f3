"""Forecasts at the moments at which full verdicts can be built.

Guarantees: nothing is worked out before the first forecast of a block is asked for, and then all at once. What
is missed: of a calendar objective its period; of a rolling one, its window at some time until it has been replaced
once. Decides nothing.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from keeptime.judge.days import DAY, Days
from keeptime.judge.evidence import share
from keeptime.judge.forecast import DAYS, LEAST_DAYS, horizons, look_ahead, pace
from keeptime.judge.rules.rule import Span
from keeptime.model.verdict import Forecast

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


ENDLESS = 1e18
"""Room where the chance is not asked for, so that it costs nothing."""


@dataclass(frozen=True)
class Foresight:
    """What forecasts are made from; a value per moment. `end`: the boundary after the moment's tick; `closes`: of
    its period, `length`: of that, or of the rolling window; `own`: counts of that; `events`, `bad`: totals since
    birth. All times in ticks.
    """

    days: Days
    tick_seconds: float
    budget: Fraction
    rolling: bool
    place: NDArray[np.intp]
    end: Ints
    closes: Ints
    length: Ints
    own: Span
    events: Ints
    bad: Ints

    def of(self, index: int) -> Forecast | None:
        """The forecast at a moment; None with too little to say."""
        return self._all[index]

    @cached_property
    def _all(self) -> list[Forecast | None]:
        expected = self.own.expected
        total = share(self.budget, expected)
        length = self.length / self.days.step
        per_day = np.maximum(expected, 1e-9) / length
        events, bad = self._by_day(self.days.events, self.events), self._by_day(self.days.bad, self.bad)
        seen = pace(bad, events, per_day, share(self.budget, per_day))
        left = length if self.rolling else (self.closes - self.end) / self.days.step
        ahead = horizons(left)
        spent = self._kept(bad, length - ahead, length) if self.rolling else self.own.bad[None]
        gone = self.own.bad > total
        used = np.clip(self.own.bad / np.maximum(total, 1e-9), 0.0, 1.0) if self.rolling else np.zeros_like(total)
        open_still = ~gone & (seen.days >= LEAST_DAYS)
        outlook = look_ahead(seen, ahead, np.where(open_still, total - spent, ENDLESS), used)
        chance = np.where(gone, 1.0, outlook.chance)
        known = (expected > 0) & (gone | open_still)
        now = self.end * self.tick_seconds
        ends = now + np.where(gone, 0.0, outlook.ends) * DAY
        columns = (known, chance, now + left * DAY, seen.days, *ends)
        return [_forecast(*each) for each in zip(*(column.tolist() for column in columns), strict=True)]

    def _by_day(self, totals: Ints, now: Ints) -> Reals:
        """Counts of the last days, today's last [day × moment]."""
        newest = self.end // self.days.step - self.days.oldest
        points = totals[newest + np.arange(1 - DAYS, 1)[:, None], self.place]
        counts: Reals = np.diff(points, axis=0, append=now[None]).astype(np.float64)
        return counts

    def _kept(self, bad: Reals, age: Reals, length: Reals) -> Reals:
        """Bad events of the last `age` days [horizon × moment], those of a day spread evenly over it.

        Of what lies further back than the days that are kept, evenly over the rest of the window.
        """
        today = self.end % self.days.step / self.days.step
        sums = np.concatenate([np.zeros_like(bad[:1]), np.cumsum(bad[::-1], axis=0)])
        back = age - today
        whole = np.clip(np.floor(back).astype(np.int64), 0, DAYS - 2)
        column = np.arange(bad.shape[1])
        low, high = sums[whole + 1, column], sums[whole + 2, column]
        counted = low + (high - low) * np.clip(back - whole, 0.0, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            counted = np.where(back < 0, sums[1] * age / today, counted)
            beyond = np.maximum(0.0, (back - (DAYS - 1)) / (length - today - (DAYS - 1)))
        counted = np.where(back > DAYS - 1, sums[-1] + np.maximum(0, self.own.bad - sums[-1]) * beyond, counted)
        kept: Reals = np.minimum(counted, self.own.bad)
        return kept


def _forecast(
    known: bool, chance: float, until: float, days: float, low: float, middle: float, high: float
) -> Forecast | None:
    if not known:
        return None
    ends = middle != float("inf")
    return Forecast(
        miss_chance=chance,
        until=until,
        ends_at=middle if ends else None,
        ends_between=(low, high if high != float("inf") else None) if ends else None,
        days=days,
    )
