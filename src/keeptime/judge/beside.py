"""Do probes and users see the same? Two shares of bad requests, compared exactly.

Guarantees: they differ only where it matters to the promise (the worse side is over the budget, and twice as bad as
the other), where both saw enough, and where chance explains it once in 10,000 times; what lies between two bucket
bounds is taken as whatever speaks against it. Pure: knows neither clock nor contracts.
"""

from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from keeptime.model.beside import Sides

Reals = NDArray[np.float64]

ERROR = 1e-4
"""The chance that so large a difference is none."""
LEAST_PROBES, LEAST_TRAFFIC = 30, 100
TIMES = 2


class Worse(StrEnum):
    """Which side sees more bad requests."""

    PROBE = "probe"
    TRAFFIC = "traffic"


def worse(sides: Sides, budget: Fraction) -> Worse | None:
    """Which side is worse, for certain; None where they may see the same. `budget`: the share that may be bad."""
    if sides.probes < LEAST_PROBES or sides.traffic < LEAST_TRAFFIC:
        return None
    users = sides.all_good()
    if _differs((users.traffic_bad, users.traffic), (users.probe_bad, users.probes), budget):
        return Worse.TRAFFIC
    users = sides.all_bad()
    if _differs((users.probe_bad, users.probes), (users.traffic_bad, users.traffic), budget):
        return Worse.PROBE
    return None


def _differs(high: tuple[int, int], low: tuple[int, int], budget: Fraction) -> bool:
    """Is `high` (bad, of all) worse than `low`?"""
    (bad, events), (other_bad, others) = high, low
    if bad <= budget * events or bad * others < TIMES * other_bad * events:
        return False
    return chance(other_bad, others, bad + other_bad, events + others) <= ERROR / 2


def chance(bad: int, drawn: int, all_bad: int, events: int) -> float:
    """That so few bad ones, or fewer, are among `drawn` of the `events` of which `all_bad` are bad.

    R. A. Fisher's exact test: the tail of the hypergeometric distribution.
    """
    least = max(0, drawn + all_bad - events)
    found = np.arange(least, min(bad, drawn, all_bad) + 1, dtype=np.float64)
    ways = _ways(float(all_bad), found) + _ways(float(events - all_bad), drawn - found)
    return float(np.exp(ways - _ways(float(events), np.float64(drawn))).sum())


def _ways(of: float, taken: Reals | np.float64) -> Reals:
    """The logarithm of `of` over `taken`."""
    return np.asarray(gammaln(of + 1) - gammaln(taken + 1) - gammaln(of - taken + 1), dtype=np.float64)
