"""When counts say that a promise is being broken, and when chance alone still explains them.

Guarantees: pure arithmetic on counts; never on ratios of ratios. Knows nothing of windows or rules.
"""

import math
from bisect import bisect_left
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


def share(ratio: Fraction, events: Reals) -> Reals:
    """`ratio` of so many events. Correctly rounded while events × numerator < 2⁵³, so that it never crosses an
    integer: 10 bad of 100 are not more than 10 %, as they would be with (1 − 0.9) × 100 = 9.999…"""
    part: Reals = events * ratio.numerator / ratio.denominator
    return part


def weight(events: Ints, bad: Ints, ratio: float) -> Reals:
    """events × KL(bad/events ‖ ratio) where bad/events exceeds ratio, else 0.

    The chance of so many bad events or more, when each is bad with probability `ratio`, is at most exp(−weight)
    (W. Hoeffding, "Probability inequalities for sums of bounded random variables", JASA 58, 1963, theorem 1).
    """
    n = np.maximum(events, 1).astype(np.float64)
    p = bad / n
    good = n - bad
    with np.errstate(divide="ignore", invalid="ignore"):
        upper = np.where(bad > 0, bad * np.log(p / ratio), 0.0)
        lower = np.where(good > 0, good * np.log((1 - p) / (1 - ratio)), 0.0)
    return np.where((events > 0) & (p > ratio), upper + lower, 0.0)


def convincing(events: Ints, bad: Ints, ratio: float, alpha: float) -> Flags:
    """Would chance at exactly `ratio` give so many bad events with probability at most `alpha`?"""
    return weight(events, bad, ratio) >= math.log(1 / alpha)


def events_to_decide(events: int, bad: int, ratio: float, alpha: float) -> int | None:
    """How many events at the present share would be convincing; None where the share is within the promise."""
    if not events or bad <= events * ratio:
        return None
    per_event = float(weight(np.array([events]), np.array([bad]), ratio)[0]) / events
    return math.ceil(math.log(1 / alpha) / per_event)


@lru_cache(maxsize=4096)
def bad_to_convince(events: float, ratio: float, alpha: float) -> int | None:
    """The fewest bad of so many events that are convincing; None when even all of them are not."""
    whole = max(1, math.floor(events))
    least = bisect_left(range(1, whole + 1), True, key=lambda bad: _convinces(whole, bad, ratio, alpha)) + 1
    return least if least <= whole else None


def _convinces(events: int, bad: int, ratio: float, alpha: float) -> bool:
    return bool(convincing(np.array([events]), np.array([bad]), ratio, alpha)[0])
