"""How likely a promise is missed, and when its budget ends, from how many were bad each day.

Guarantees: pure arithmetic, over many objectives at once; where more were bad than may be, the chance is exactly 1.
Knows nothing of windows, ticks or contracts.

The bad events of the days to come are Gamma, with the mean and variance of the days seen so far and of a part of a
day that spends all it may, which stands in while there are few. The variance grows with the horizon twice: by
the days themselves, and by how little so few days say of their mean. There are two views of the past: all days
alike, and the last few above all. Each counts by how well it foretold the days that came, so that a service that
changed is soon seen as it is now, and one that is merely restless is not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, gammaln

Reals = NDArray[np.float64]

HISTORY_DAYS = 60
"""Days that are looked back on, beside today."""
DAYS = HISTORY_DAYS + 1
LEAST_DAYS = 1.0
"""Days' worth of events below which a forecast would tell of the stand-in only."""
STAND_IN_DAYS = 0.5
STAND_IN_SQUARE = 2.0
"""Mean square of the stand-in's bad events, over the square of their mean."""
PERSISTENCE = 2.0
"""How much wider than by independent days the mean of the days to come may lie: days are alike in runs."""
HALF_LIVES = (3.0, np.inf)
"""Of the two views, in days."""
PRIOR = (0.25, 0.75)
"""Their weights before either foretold anything."""
FORGET = 0.9
"""What a day's foretelling counts for after one more day."""
HORIZONS = 16
"""Points of time ahead at which the chance is taken; near ones are closer together."""
NEGLIGIBLE = 1e-9
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
"""The budget's end: the median, and between which times it lies with a chance of HIGH − LOW."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Bad events of a day to come, by each view, and what the views weigh [view × objective].

    `certain`: the days that the mean was taken from, the stand-in too; `days`: days' worth of events that were
    seen [objective].
    """

    mean: Reals
    variance: Reals
    certain: Reals
    weight: Reals
    days: Reals


@dataclass(frozen=True, slots=True)
class Outlook:
    """One value per objective. `ends`: days until the chance that the budget has ended is LOW, MIDDLE, HIGH
    [3 × objective]; infinite where it never is."""

    chance: Reals
    ends: Reals


def pace(bad: Reals, events: Reals, per_day: Reals, allowed: Reals) -> Pace:
    """From counts of DAYS days, oldest first [day × objective]; the last day is not over.

    `per_day`: events of a day to come, `allowed`: how many of them may be bad. A day counts by its share of bad
    events, with the weight of its events, up to that of a whole day; so neither changed traffic nor gaps bias it.
    """
    part = np.minimum(1.0, events / per_day)
    level = np.where(events > 0, bad * per_day / np.maximum(events, 1), 0.0)
    views = [_view(half_life, part, level, allowed) for half_life in HALF_LIVES]
    score = np.stack([view[3] for view in views])
    weight = np.array(PRIOR)[:, None] * np.exp(score - score.max(axis=0))
    mean, variance, certain = (np.stack([view[index] for view in views]) for index in range(3))
    return Pace(mean, variance, certain, weight / weight.sum(axis=0), _faded(part, 1.0)[-1])


def _view(half_life: float, part: Reals, level: Reals, allowed: Reals) -> tuple[Reals, Reals, Reals, Reals]:
    """Mean, variance and certainty at the end of the last day, and the score of how well each day was foretold."""
    keeps, weighed = 0.5 ** (1 / half_life), part * level
    size = _faded(part, keeps) + STAND_IN_DAYS
    certain = size**2 / (_faded(part * part, keeps * keeps) + STAND_IN_DAYS)
    mean = (_faded(weighed, keeps) + STAND_IN_DAYS * allowed) / size
    square = (_faded(weighed * level, keeps) + STAND_IN_DAYS * STAND_IN_SQUARE * allowed**2) / size
    variance = np.maximum(square - mean * mean, 0.0) * certain / np.maximum(certain - 1, 0.5)
    foretold = np.concatenate([allowed[None], mean[:-1]])
    spread = np.concatenate([STAND_IN_SQUARE * allowed[None] ** 2, (variance * (1 + 1 / certain))[:-1]])
    likely = _log_likelihood(level, foretold, np.maximum(spread, 1.01 * foretold))
    return mean[-1], variance[-1], certain[-1], _faded(part * likely, FORGET)[-1]


def _faded(values: Reals, keeps: float) -> Reals:
    """At each day the sum so far, of which a day later so much is kept. Day by day, and no product of matrices,
    whose last digit depends on how many objectives there are."""
    sums = values.copy()
    for day in range(1, len(sums)):
        sums[day] += keeps * sums[day - 1]
    return sums


def _log_likelihood(count: Reals, mean: Reals, variance: Reals) -> Reals:
    """Of a negative binomial count; without the term that depends on the count alone."""
    shape = mean * mean / (variance - mean)
    found: Reals = gammaln(count + shape) - gammaln(shape) + count * np.log(mean / (shape + mean))
    found -= shape * np.log1p(mean / shape)
    return found


def over(given: Pace, ahead: Reals, room: Reals) -> Reals:
    """The chance that more than `room` events are bad within `ahead` days [… × objective]."""
    chance = np.zeros(np.broadcast_shapes(ahead.shape, room.shape))
    least = np.floor(np.maximum(room, 0.0)) + 0.5
    for mean, variance, certain, weight in zip(
        given.mean, given.variance, given.certain, given.weight, strict=True
    ):
        total = np.maximum(ahead * mean, 1e-12)
        spread = np.maximum(ahead * variance * (1 + PERSISTENCE * ahead / certain), total)
        chance += weight * _beyond(total * total / spread, least * total / spread)
    return np.where(room < 0, 1.0, np.minimum(chance, 1.0))


def _beyond(shape: Reals, limit: Reals) -> Reals:
    """The chance that a Gamma of scale 1 is over a limit; below NEGLIGIBLE, where it costs the most, its bound.

    P(X > x) ≤ exp(−(x − a − a ln(x/a))) for x > a (Chernoff).
    """
    shape, limit = np.broadcast_arrays(shape, limit)
    chance = np.where(limit > shape, np.exp(np.minimum(0.0, shape - limit + shape * np.log(limit / shape))), 1.0)
    worth = chance > NEGLIGIBLE
    chance[worth] = gammaincc(shape[worth], limit[worth])
    return chance


def horizons(days: Reals) -> Reals:
    """Times ahead, up to so many days [horizon × objective]."""
    part: Reals = (np.arange(1, HORIZONS + 1) / HORIZONS)[:, None] ** 2 * days
    return part


def look_ahead(given: Pace, ahead: Reals, room: Reals, leaves: Reals) -> Outlook:
    """`room`: how many more may be bad until each of the times `ahead` [horizon × objective].

    `leaves`: the share of the budget that is spent now and will be free again within that time, 0 where nothing
    ever is. Then the chance of having been over at some time is more than the greatest chance of being over at one;
    it is taken as that of 1 + `leaves` such times. That is no theorem: simulation shows it to be calibrated
    (docs/performance.md).
    """
    highest = np.maximum.accumulate(over(given, ahead, room), axis=0)
    chances = 1 - (1 - highest) ** (1 + leaves)
    return Outlook(chances[-1], np.stack([_reached(chances, ahead, each) for each in (LOW, MIDDLE, HIGH)]))


def _reached(chances: Reals, ahead: Reals, level: float) -> Reals:
    """The time at which the chance, taken as straight between the horizons, comes to `level`."""
    zeros = np.zeros((1, chances.shape[1]))
    chances, ahead = np.concatenate([zeros, chances]), np.concatenate([zeros, ahead])
    after = (chances >= level).argmax(axis=0)
    column = np.arange(chances.shape[1])
    before = np.maximum(after - 1, 0)
    low, high = chances[before, column], chances[after, column]
    start, stop = ahead[before, column], ahead[after, column]
    with np.errstate(divide="ignore", invalid="ignore"):
        time = start + (stop - start) * (level - low) / (high - low)
    return np.where(after > 0, time, np.inf)
