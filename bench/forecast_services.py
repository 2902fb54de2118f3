"""Simulated services whose promise is kept or missed: counts of bad events by quarters of a day.

Every service has HISTORY days before its period, of which some were observed, then the period, then as long
again. What it does is drawn from KINDS; none of them is the process that the forecast assumes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

HISTORY = 60
PERIOD = 28
DAYS = HISTORY + 2 * PERIOD
SLOTS = 4
"""Parts of a day in which counts are drawn."""
BUDGETS = (26.0, 86.0, 259.0, 864.0, 2592.0, 26_000.0)
"""Bad events that a period may have: from a probe per 60 s at 99.9 % to traffic."""


@dataclass(frozen=True)
class Services:
    """`bad`: [day × slot × service]; `observed`: how many days before the period were seen [service]."""

    kind: NDArray[np.str_]
    budget: Reals
    bad: Ints
    observed: Ints


def simulate(seed: int, services: int, kinds: Sequence[str] = ()) -> Services:
    """So many services, each of a random kind (of these; all), traffic, use of its budget, and age."""
    rng = np.random.default_rng(seed)
    names = np.array(tuple(kinds) or tuple(KINDS))
    kind = names[rng.integers(0, len(names), services)]
    budget = rng.choice(np.array(BUDGETS), services)
    burn = np.ones((DAYS, SLOTS, services))
    for name in names.tolist():
        chosen = kind == name
        burn[:, :, chosen] = KINDS[name](rng, int(chosen.sum()))
    bad = rng.poisson(burn * budget / PERIOD / SLOTS)
    young = rng.random(services) < 0.15
    observed = np.where(young, rng.integers(0, 30, services), HISTORY)
    return Services(kind, budget, bad, observed)


def _flat(rng: np.random.Generator, count: int, low: float, high: float) -> Reals:
    return np.broadcast_to(rng.uniform(low, high, count), (DAYS, SLOTS, count)).copy()


def quiet(rng: np.random.Generator, count: int) -> Reals:
    return _flat(rng, count, 0.02, 0.4)


def steady(rng: np.random.Generator, count: int) -> Reals:
    return _flat(rng, count, 0.1, 1.3)


def bursty(rng: np.random.Generator, count: int) -> Reals:
    """Each quarter of a day has a level of its own, of a coefficient of variation between 1 and 4."""
    spread = rng.uniform(1, 4, count) ** 2
    level: Reals = rng.gamma(1 / spread, spread, (DAYS, SLOTS, count)) * rng.uniform(0.1, 1.2, count)
    return level


def restless(rng: np.random.Generator, count: int) -> Reals:
    """A level that wanders: an autoregressive logarithm, by days."""
    keeps = rng.uniform(0.5, 0.95, count)
    spread = rng.uniform(0.3, 0.9, count)
    log = np.empty((DAYS, count))
    log[0] = rng.normal(0, spread)
    for day in range(1, DAYS):
        log[day] = keeps * log[day - 1] + np.sqrt(1 - keeps**2) * rng.normal(0, spread)
    level = np.exp(log - spread**2 / 2) * rng.uniform(0.1, 1.1, count)
    return np.repeat(level[:, None], SLOTS, axis=1)


def incidents(rng: np.random.Generator, count: int) -> Reals:
    """A low base, and incidents of up to days that spend 0.3 to 30 % of the budget, most of them little."""
    level = _flat(rng, count, 0.05, 0.6)
    rate = rng.uniform(1, 12, count) / PERIOD / SLOTS
    starts = rng.random((DAYS * SLOTS, count)) < rate
    flat = level.reshape(DAYS * SLOTS, count)
    for slot, service in zip(*np.nonzero(starts), strict=True):
        spent = np.exp(rng.uniform(np.log(0.003), np.log(0.3))) * PERIOD * SLOTS
        length = min(int(np.ceil(rng.lognormal(0, 1))), DAYS * SLOTS - slot)
        flat[slot : slot + length, service] += spent / length
    return level


def drift(rng: np.random.Generator, count: int) -> Reals:
    """From one level to another, in a straight line that begins on some day and takes 5 to 60 days."""
    start, stop = rng.uniform(0.1, 0.8, count), rng.uniform(0.1, 2.0, count)
    begins, takes = rng.uniform(0, DAYS - 20, count), rng.uniform(5, 60, count)
    gone = np.clip((np.arange(DAYS)[:, None] - begins) / takes, 0, 1)
    return np.repeat((start + (stop - start) * gone)[:, None], SLOTS, axis=1)


def deploy(rng: np.random.Generator, count: int) -> Reals:
    """A step on some day, up or down."""
    start, stop = rng.uniform(0.1, 0.9, count), rng.uniform(0.1, 2.0, count)
    after = np.arange(DAYS)[:, None] >= rng.integers(0, DAYS, count)
    return np.repeat(np.where(after, stop, start)[:, None], SLOTS, axis=1)


def weekly(rng: np.random.Generator, count: int) -> Reals:
    """Weekends are quiet, or loud."""
    weekend = (np.arange(DAYS)[:, None] + rng.integers(0, 7, count)) % 7 >= 5
    factor = np.where(weekend, rng.choice([0.1, 0.3, 3.0], count), 1.0)
    level = factor / factor[:7].mean(axis=0) * rng.uniform(0.1, 1.2, count)
    level *= rng.gamma(4, 1 / 4, (DAYS, count))
    return np.repeat(level[:, None], SLOTS, axis=1)


KINDS: dict[str, Callable[[np.random.Generator, int], Reals]] = {
    each.__name__: each for each in (quiet, steady, bursty, weekly, incidents, drift, restless, deploy)
}
HARDER = ("restless", "deploy")
"""Kinds whose level changes for no reason that the past holds; reported, and left out of the bar's population."""
