"""Requests of a made-up service, tick by tick: what it was asked, how long it took, what failed.

Guarantees: the same seed and the same instants give the same requests; a day and a week have their rhythm, and what
went wrong is in them. What comes out is what keeptime counts in any life: batches of traffic, samples of probes.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeptime.demo.mishaps import DAY, HOUR, Mishap, What
from keeptime.demo.promises import Kind
from keeptime.model.batch import Batch
from keeptime.model.key import Signal
from keeptime.model.sample import Connection, Failure, Phases, Sample
from keeptime.model.sketch import DEFAULT_SCALE, Sketch

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SECOND = 1_000_000_000
LARGEST = 30.0
"""Seconds that no request takes longer than."""

_STEPS = 1 << DEFAULT_SCALE
_SUNDAY, _RESTARTS = 6, 2
_NIGHT, _WEEKEND, _BUSIEST = 0.25, 0.55, 14.0


@dataclass(frozen=True, slots=True)
class Weather:
    """Of each of some ticks: requests a second beside a usual day's, the median, the share that fails."""

    busy: Floats
    median: Floats
    failing: Floats


def weather(kind: Kind, starts: Floats, mishaps: Sequence[Mishap]) -> Weather:
    """Busy by day and less at night and at weekends; a little slower the busier; and what went wrong."""
    hours = starts / HOUR % 24
    busy = _NIGHT + (1 - _NIGHT) * (0.5 + 0.5 * np.cos((hours - _BUSIEST) / 24 * math.tau)) ** 1.5
    weekday = (starts // DAY + 3) % 7  # 1970-01-01 was a Thursday
    busy = busy * np.where(weekday >= 5, _WEEKEND, 1.0)
    median = kind.median * (0.85 + 0.3 * busy)
    restart = kind.restarts & (weekday == _SUNDAY) & (np.floor(hours) == _RESTARTS)
    failing = np.where(restart, 0.3, kind.failing)
    for each in mishaps:
        within = (starts >= each.start) & (starts < each.end)
        share = np.clip((starts - each.start) / (each.end - each.start), 0.0, 1.0)
        match each.what:
            case What.SLOW:
                median = np.where(within, median * 4.5, median)
            case What.CREEP:
                median = np.where(within, median * (1.0 + 1.6 * share), median)
            case What.OUTAGE:
                failing = np.where(within, 1.0, failing)
            case What.SILENT | What.DOWN:
                busy = np.where(within, 0.0, busy)
    return Weather(busy, median, failing)


@dataclass(frozen=True, slots=True)
class Served:
    """A service under one contract. `thresholds`: seconds."""

    contract: str
    kind: Kind
    thresholds: tuple[float, ...]
    mishaps: tuple[Mishap, ...]

    def ticks(
        self, first: int, count: int, tick_seconds: float, seed: Sequence[int]
    ) -> Iterator[list[Batch | Sample]]:
        """What was observed in each of these ticks."""
        drawn = np.random.default_rng(seed)
        starts: Floats = (first + np.arange(count, dtype=np.float64)) * tick_seconds
        about = weather(self.kind, starts, self.mishaps)
        if self.kind.rate:
            return self._traffic(starts + tick_seconds, about, tick_seconds, drawn)
        return self._probes(starts, about, tick_seconds, drawn)

    def _traffic(
        self, ends: Floats, about: Weather, tick_seconds: float, drawn: np.random.Generator
    ) -> Iterator[list[Batch | Sample]]:
        noise = drawn.gamma(60.0, 1 / 60.0, len(ends))
        asked = drawn.poisson(about.busy * noise * self.kind.rate * tick_seconds)
        failed = drawn.binomial(asked, about.failing)
        bounds, indices = self._bounds()
        took = drawn.multinomial(asked - failed, _shares(bounds, about.median, self.kind.steep))
        within = {each: took[:, bounds <= each].sum(axis=1) for each in self.thresholds}
        for nth, end in enumerate(ends):
            if not asked[nth]:
                yield []
                continue
            exact = {round(each * SECOND): int(counts[nth]) for each, counts in within.items()}
            yield [
                Batch(
                    self.contract, Signal.REQUESTS, round(end * SECOND), int(asked[nth]), int(failed[nth]),
                    exact=exact, sketch=_sketch(took[nth], bounds, indices), attributes={"observer": "push"},
                )
            ]  # fmt: skip

    def _probes(
        self, starts: Floats, about: Weather, tick_seconds: float, drawn: np.random.Generator
    ) -> Iterator[list[Batch | Sample]]:
        """One each so many seconds; in a tick that is shorter, one in each so many ticks."""
        every = self.kind.every
        shape = len(starts), max(1, round(tick_seconds / every))
        place = drawn.random(shape)
        seconds = about.median[:, None] * (place / (1 - place)) ** (1 / self.kind.steep)
        failed = drawn.random(shape) < about.failing[:, None]
        for nth, start in enumerate(starts):
            due = np.arange(math.ceil(start / every), math.ceil((start + tick_seconds) / every)) * every
            there = about.busy[nth] > 0
            yield [
                _sample(self.contract, at, float(seconds[nth, k]), failed=bool(failed[nth, k]))
                for k, at in enumerate(due if there else ())
            ]

    def _bounds(self) -> tuple[Floats, Ints]:
        """Upper bounds that are those of a sketch and the thresholds, and of each the sketch's bucket."""
        low = math.floor(math.log2(self.kind.median / 16) * _STEPS)
        high = math.ceil(math.log2(LARGEST) * _STEPS)
        own = np.exp2((np.arange(low, high) + 1) / _STEPS)
        bounds = np.unique(np.concatenate([own, self.thresholds]))
        return bounds, (low + np.searchsorted(own, bounds * (1 - 1e-12))).astype(np.int64)


def _shares(bounds: Floats, median: Floats, steep: float) -> Floats:
    """How much of what succeeds lies up to each bound and above the one before: log-logistic, which has the long
    tail that servers have. One row for each median."""
    up_to = 1 / (1 + (median[:, None] / bounds[None, :]) ** steep)
    up_to[:, -1] = 1.0
    return np.diff(up_to, axis=1, prepend=0.0)


def _sketch(took: Ints, bounds: Floats, indices: Ints) -> Sketch:
    there = np.flatnonzero(took)
    counts = took[there]
    buckets: dict[int, int] = {}
    for index, count in zip(indices[there].tolist(), counts.tolist(), strict=True):
        buckets[index] = buckets.get(index, 0) + count
    total = float((bounds[there] * counts).sum()) * (1 - 0.5 / _STEPS * math.log(2))
    return Sketch(DEFAULT_SCALE, 0, total, buckets)


def _sample(contract: str, due: float, seconds: float, *, failed: bool) -> Sample:
    due_ns = round(due * SECOND)
    took = SECOND // 1000 if failed else round(min(seconds, LARGEST) * SECOND)
    phases = (
        Phases(connect=took)
        if failed
        else Phases(0, took // 50, 0, took // 50, took - 3 * (took // 50), took // 50)
    )
    return Sample(
        contract, due_ns, due_ns, due_ns + took, phases, Failure.REFUSED if failed else None,
        None if failed else 200, 64, Connection.FRESH, True, 0,
    )  # fmt: skip
