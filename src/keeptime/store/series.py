"""The past of one objective or signal, in as many buckets as somebody can look at.

Guarantees: all buckets are of one length, on the grid of the finest level that is kept over the whole range and
gives no more of them than asked for; each event is in one of them; what was not lived through is told apart from no
events. The work is bounded by the buckets that the chosen level holds of the range, each found by its key.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence

from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.model.phases import PhaseSums
from keeptime.model.series import Bucket, DayCount, PhaseSeries, Series, SketchSeries, Value
from keeptime.model.sketch import Sketch
from keeptime.model.tally import Tally
from keeptime.store.counts import Counts
from keeptime.store.grid import Stage
from keeptime.store.lived import Lived
from keeptime.store.names import Names
from keeptime.store.periods import Periods
from keeptime.store.phases import PhaseTables, levels_of
from keeptime.store.sketches import Sketches
from keeptime.store.sql import Database

MINUTE, HOUR, DAY = 60, 3600, 86_400
LENGTHS = (MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY)
"""Seconds that a bucket can be long, beside a tick, and whole days."""


def step_of(stages: Sequence[Stage], start: int, end: int, most: int, kept_from: Callable[[Stage], int]) -> int:
    """How many ticks each bucket of [start, end) has. Pure."""
    coarsest = stages[-1]
    kept = next((stage for stage in stages if kept_from(stage) <= start), coarsest)
    per_second = coarsest.ticks / coarsest.seconds
    lengths = [1, *(round(seconds * per_second) for seconds in LENGTHS)]
    fits = (each for each in lengths if each % kept.ticks == 0 and -(-end // each) - start // each <= most)
    day = lengths[-1]
    return next(fits, 0) or next(
        n * day for n in range(2, end + 2) if -(-end // (n * day)) - start // (n * day) <= most
    )


class StoredSeries:
    """The store's part that shows the past; the store is one."""

    __slots__ = ()
    db: Database
    names: Names
    stages: tuple[Stage, ...]

    def series(self, key: ObjectiveKey, start: int, end: int, most_points: int) -> Series:
        """Counts of ticks [start, end), in at most so many buckets (2 or more); whole ones, so that the first may
        begin earlier. Nothing beyond the last recorded tick, nor before what is kept.
        """
        with self.db.speaking():
            identity, boundary = self.names.objectives.get(key), self._next_tick()
            if identity is None or boundary is None:
                return ()
            counts = Counts(self.db, self.stages)
            start, end = self._within(start, end, boundary)
            if start >= end:
                return ()
            step = step_of(self.stages, start, end, most_points, lambda s: s.kept_from(boundary, sketches=False))
            begin = start // step * step
            found = counts.summed(identity, begin, end, step, boundary)
            return self._buckets(begin, end, step, found, Tally, self.names.born.get(identity, end))

    def daily(self, first: int, until: int) -> tuple[tuple[ObjectiveKey, DayCount], ...]:
        """What was counted on each day that is over and begins in ticks [first, until), of every objective, oldest
        first."""
        with self.db.speaking():
            counts = Counts(self.db, self.stages)
            named = {number: key for key, number in self.names.objectives.items()}
            a_day = self.stages[-1].ticks * DAY // self.stages[-1].seconds
            found = Periods(self.db, counts, Lived(self.db), self.names).days(first, until)
            return tuple(
                (named[number], DayCount(begin // a_day, counted.good, counted.bad))
                for number, begin, _, counted in found
                if number in named
            )

    def sketch_series(self, key: SignalKey, start: int, end: int, most_points: int) -> SketchSeries:
        """Latencies of ticks [start, end), in the same form."""
        with self.db.speaking():
            identity, boundary = self.names.signals.get(key), self._next_tick()
            if identity is None or boundary is None:
                return ()
            sketches = Sketches(self.db, self.stages)
            start, end = self._within(start, end, boundary)
            if start >= end:
                return ()
            step = step_of(self.stages, start, end, most_points, lambda s: sketches.kept_from(s, boundary))
            begin = start // step * step
            found = sketches.summed(identity, begin, end, step, boundary)
            return self._buckets(begin, end, step, found, Sketch, 0)

    def phase_series(self, contract: str, start: int, end: int, most_points: int) -> PhaseSeries:
        """Where the time of a contract's probes went in ticks [start, end), in the same form."""
        with self.db.speaking():
            identity = self.names.signals.get(SignalKey(contract, Signal.REQUESTS))
            boundary = self._next_tick()
            if identity is None or boundary is None:
                return ()
            tables = PhaseTables(self.db, levels_of(self.stages))
            start, end = self._within(start, end, boundary)
            if start >= end:
                return ()
            step = step_of(tables.stages, start, end, most_points, lambda s: tables.kept_from(s, boundary))
            begin = start // step * step
            return self._buckets(begin, end, step, tables.summed(identity, begin, end, step), PhaseSums, 0)

    def _next_tick(self) -> int | None:
        last = Lived(self.db).last()
        return None if last is None else last + 1

    def _within(self, start: int, end: int, boundary: int) -> tuple[int, int]:
        oldest = self.stages[-1].kept_from(boundary, sketches=False)
        return max(start, oldest, 0), min(end, boundary)

    def _buckets(
        self, begin: int, end: int, step: int, found: Mapping[int, Value], nothing: Callable[[], Value], born: int
    ) -> tuple[Bucket[Value], ...]:
        """`born`: before this tick nothing was observed, whatever keeptime lived through."""
        runs = Lived(self.db).runs(max(begin, born), end) if born < end else ()
        lived = _lived_in(runs)
        out = []
        for first in range(begin, end, step):
            until = min(first + step, end)
            ticks = lived(first, until)
            out.append(Bucket(first, until, ticks, found.get(first // step) or (nothing() if ticks else None)))
        return tuple(out)


def _lived_in(runs: Iterable[tuple[int, int]]) -> Callable[[int, int], int]:
    """How many ticks of a range lie in these runs (first, end), which are in order and apart."""
    firsts, ends, before = [], [], [0]
    for first, end in runs:
        firsts.append(first)
        ends.append(end)
        before.append(before[-1] + end - first)

    def lived(start: int, end: int) -> int:
        low, high = bisect_right(ends, start), bisect_left(firsts, end)
        if low >= high:
            return 0
        outside = max(0, start - firsts[low]) + max(0, ends[high - 1] - end)
        return before[high] - before[low] - outside

    return lived
