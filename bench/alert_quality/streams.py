"""Simulated traffic with labelled incidents: what happened, and when something was really wrong.

Guarantees: the same seed and number give the same stream; an incident's spend is the share of the objective's
28-day budget that it uses up, in expectation. Knows nothing of rules.

Traffic is a probe at a fixed pace, or requests that arrive at random around a rate (by day and night in some
classes). Outside incidents a request is bad with the healthy share, `health` times what the promise allows, and
that share comes evenly (`quiet`), in blips of 10 to 30 s (`blips`), or in bursts of one to three minutes
(`bursts`); of the latter two a part is even. These are compliant, and none of their blips and bursts spends more
than 0.3 % of the budget, where incidents begin: whoever alerts on them is wrong. `violent` bursts know no such
limit: at 99.9 % a single one may spend 7 % of the budget, while the month as a whole still complies.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

TICK = 10.0
DAY = 86_400.0
OVER_DAYS = 28
"""Every objective is over 28 days."""
WARM_DAYS = 3
"""Healthy days before anything is counted, so that every window is full."""
FIRST_TICK = 17_700_000


@dataclass(frozen=True, slots=True)
class Traffic:
    """`rate` per second. `probe`: sent on schedule, and known to the judge; else at random, and known to nobody."""

    name: str
    rate: float
    probe: bool = False
    diurnal: bool = False


TRAFFIC = (
    Traffic("probe 60s", 1 / 60, probe=True),
    Traffic("probe 10s", 1 / 10, probe=True),
    Traffic("1/s", 1.0),
    Traffic("100/s daily", 100.0, diurnal=True),
    Traffic("10,000/s", 10_000.0),
)
TARGETS = (Fraction(95, 100), Fraction(99, 100), Fraction(999, 1000))
NOISES = ("quiet", "blips", "bursts")
LEAST_SPEND = 0.003
"""Share of the 28-day budget that the least incident spends, and the greatest blip or burst of noise."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Ticks [start, end) of a stream in which more was bad than promised; `spend`: share of the 28-day budget."""

    start: int
    end: int
    spend: float
    shape: str


@dataclass(frozen=True, slots=True)
class Stream:
    """Counts per tick of one objective. `counted`: the first tick after warming up; `lived`: keeptime ran."""

    target: Fraction
    traffic: Traffic
    noise: str
    good: Ints
    bad: Ints
    lived: NDArray[np.bool_]
    counted: int
    incidents: tuple[Incident, ...]
    scenario: str = ""

    @property
    def days(self) -> float:
        return (len(self.good) - self.counted) * TICK / DAY


def ticks(seconds: float) -> int:
    return round(seconds / TICK)


def levels(traffic: Traffic, count: int) -> Reals:
    """The traffic expected at each tick, 1 on average."""
    if not traffic.diurnal:
        return np.ones(count)
    phase = np.arange(count) * (TICK / DAY)
    return (1 + 0.8 * np.sin(2 * np.pi * phase)) * np.where(phase % 7 < 5, 1.16, 0.6)


def arrivals(traffic: Traffic, level: Reals, rng: np.random.Generator) -> Ints:
    """Requests per tick."""
    if traffic.probe:
        at = np.arange(len(level) + 1) * (traffic.rate * TICK)
        return np.diff(np.floor(at + 1e-9)).astype(np.int64)
    found: Ints = rng.poisson(level * (traffic.rate * TICK))
    return found


def healthy(noise: str, b: float, health: float, level: Reals, rng: np.random.Generator) -> Reals:
    """The share of bad requests at each tick, `health` · b on average over requests."""
    count = len(level)
    if noise == "quiet":
        return np.full(count, health * b)
    low, high = (1, 3) if noise == "blips" else (6, 18)
    most = math.inf if noise == "violent" else LEAST_SPEND * b * ticks(OVER_DAYS * DAY)
    share = np.full(count, 0.3 * health * b)
    used, wanted = 0.0, 0.7 * health * b * count
    while used < wanted:
        start, length = int(rng.integers(count)), int(rng.integers(low, high + 1))
        weight = float(level[start : start + length].sum())
        bad = min(float(rng.uniform(0.2, 1.0)), most / weight)
        share[start : start + length] = np.maximum(share[start : start + length], bad)
        used += weight * bad
    return share


def shaped(shape: str, burn: float, b: float, count: int, rng: np.random.Generator) -> Reals:
    """The share of bad requests at each tick of an incident, `burn` · b on average where that is at most 1."""
    if shape == "ramp":
        return np.minimum(1.0, np.linspace(0.0, 2 * burn * b, count))
    if shape == "flapping":
        on, off = int(rng.integers(6, 31)), int(rng.integers(12, 91))
        active = np.arange(count) % (on + off) < on
        return np.where(active, min(1.0, burn * b * (on + off) / on), 0.0)
    return np.full(count, min(1.0, burn * b))


def month(seed: int, number: int) -> Stream:
    """A service-month of the mixed population: random target, traffic, noise and incidents."""
    rng = np.random.default_rng([seed, number])
    target, traffic = TARGETS[number % 3], TRAFFIC[number // 3 % 5]
    noise = NOISES[number // 15 % 3]
    warm, count = ticks(WARM_DAYS * DAY), ticks((WARM_DAYS + OVER_DAYS) * DAY)
    b = float(1 - target)
    level = levels(traffic, count)
    share = healthy(noise, b, float(rng.uniform(0.02, 0.5)), level, rng)
    incidents = _random_incidents(share, level, b, warm, rng)
    events = arrivals(traffic, level, rng)
    bad = rng.binomial(events, share)
    return Stream(
        target, traffic, noise, events - bad, bad, np.ones(count, dtype=np.bool_), warm, incidents, "mixed"
    )


APART = ticks(12 * 3600)
"""Incidents lie at least so far apart, so that it is clear which one an alert is about."""


def _random_incidents(
    share: Reals, level: Reals, b: float, warm: int, rng: np.random.Generator
) -> tuple[Incident, ...]:
    """Puts them into `share`: shapes, spends of 0.3 to 30 % of the budget and burns of 2 to 1/b at random."""
    found: list[Incident] = []
    for _ in range(int(rng.poisson(1.5))):
        spend = float(np.exp(rng.uniform(np.log(LEAST_SPEND), np.log(0.30))))
        burn = float(np.exp(rng.uniform(np.log(2.0), np.log(1 / b))))
        length = max(6, ticks(spend * OVER_DAYS * DAY / burn))
        shape = str(rng.choice(["step", "ramp", "flapping"]))
        start = int(rng.integers(warm, max(warm + 1, len(share) - length - APART)))
        if length > ticks(4 * DAY) or _near(found, start, start + length):
            continue
        own = shaped(shape, burn, b, length, rng)
        share[start : start + length] = np.minimum(1.0, share[start : start + length] + own)
        found.append(Incident(start, start + length, _spend(own, level[start : start + length], b), shape))
    return tuple(sorted(found, key=lambda each: each.start))


def _spend(share: Reals, level: Reals, b: float) -> float:
    """Share of the 28-day budget that this share of these requests uses up."""
    return float((share * level).sum()) / (b * ticks(OVER_DAYS * DAY))


def _near(found: Sequence[Incident], start: int, end: int) -> bool:
    return any(start < each.end + APART and each.start < end + APART for each in found)


Make = Callable[[float, Reals, int, np.random.Generator], tuple[Reals, tuple[tuple[int, int, str], ...]]]
"""(b, traffic level, first tick of the event) → the share at each tick, and what of it is an incident."""


def _level(health: float, noise: str = "quiet") -> Make:
    def make(b: float, level: Reals, at: int, rng: np.random.Generator) -> tuple[Reals, tuple[()]]:
        return healthy(noise, b, health, level, rng), ()

    return make


def _event(seconds: float, burn: float | None, shape: str = "step") -> Make:
    """A healthy day, then an event of so many seconds at `burn` (None: every request is bad)."""

    def make(
        b: float, level: Reals, at: int, rng: np.random.Generator
    ) -> tuple[Reals, tuple[tuple[int, int, str]]]:
        share = healthy("quiet", b, 0.1, level, rng)
        end = min(len(level), at + ticks(seconds))
        times = 1 / b if burn is None else min(burn, 1 / b)
        share[at:end] = np.minimum(1.0, share[at:end] + shaped(shape, times, b, end - at, rng))
        return share, ((at, end, shape),)

    return make


SCENARIOS: dict[str, Make] = {
    "healthy 0.1": _level(0.1),
    "healthy 0.5": _level(0.5),
    "healthy 0.9": _level(0.9),
    "blips": _level(0.4, "blips"),
    "bursts": _level(0.5, "bursts"),
    "violent bursts": _level(0.5, "violent"),
    "outage 5 min": _event(300, None),
    "outage 30 min": _event(1800, None),
    "outage 120 min": _event(7200, None),
    "step 2x": _event(5 * DAY, 2.0),
    "step 5x": _event(3 * DAY, 5.0),
    "step 14x": _event(DAY, 14.0),
    "step 50x": _event(0.5 * DAY, 50.0),
    "drift": _event(5 * DAY, 2.0, "ramp"),
    "deploy regression": _event(2 * DAY, 3.0),
    "flapping": _event(DAY, 6.0, "flapping"),
    "gaps": _event(7200, 30.0),
}
"""`gaps`: keeptime is down for ten minutes of every hour, and nothing is observed meanwhile."""
SCENARIO_DAYS = 7


def scenario(name: str, target: Fraction, traffic: Traffic, seed: int, number: int) -> Stream:
    """One run of a named scenario: three days to warm up, then a week; an event begins on its second day."""
    rng = np.random.default_rng([seed, number, 7])
    warm, count = ticks(WARM_DAYS * DAY), ticks((WARM_DAYS + SCENARIO_DAYS) * DAY)
    b = float(1 - target)
    at = warm + ticks(DAY) + int(rng.integers(ticks(3600)))
    level = levels(traffic, count)
    share, spans = SCENARIOS[name](b, level, at, rng)
    lived = np.ones(count, dtype=np.bool_)
    events = arrivals(traffic, level, rng)
    if name == "gaps":
        lived = np.arange(count) % 360 >= 60
        events[~lived] = 0
    bad = rng.binomial(events, share)
    incidents = tuple(Incident(s, e, _spend(share[s:e], level[s:e], b), shape) for s, e, shape in spans)
    return Stream(target, traffic, "quiet", events - bad, bad, lived, warm, incidents, name)
