"""Days and periods that are over: summed up once, in the step that ended them; late counts are added after that.

Guarantees: a closed day has every count of its ticks exactly; what was not lived through is counted as missing, and
never as good. Days of one objective do not overlap. Runs inside the caller's transaction.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from keeptime.model.compliance import Basis, PeriodCounts
from keeptime.model.key import ObjectiveKey
from keeptime.model.period import ClosedPeriod, DayEnd, PeriodEnd, PeriodTerms
from keeptime.model.tally import Tally
from keeptime.store.counts import Counts, cut, preferred
from keeptime.store.grid import ID_BITS, MOST_IDS, cover, id_of, row_at
from keeptime.store.lived import Lived
from keeptime.store.names import Names
from keeptime.store.sql import Database

_SUMS = "sum(good), sum(bad), sum(skipped), sum(missing), sum(excluded)"
_COLUMNS = (
    "p.first, p.until, p.since, p.name, p.unit, p.timezone, p.promise, p.target, p.basis, p.least, "
    "p.good, p.bad, p.skipped, p.missing, p.excluded, o.contract, o.name"
)


def _anew(columns: str) -> str:
    """Each column as it is written now."""
    return ", ".join(f"{name} = excluded.{name}" for name in columns.split(", "))


_PUT_DAY = "INSERT INTO day VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (at) DO UPDATE SET " + _anew(
    "until, good, bad, skipped, missing, excluded"
)
_PUT_PERIOD = (
    f"INSERT INTO period VALUES ({', '.join('?' * 16)}) ON CONFLICT (objective, unit, first) DO UPDATE SET "
    + _anew("until, since, name, timezone, promise, target, basis, least, good, bad, skipped, missing, excluded")
)


@dataclass(frozen=True, slots=True)
class _Gaps:
    """Runs (first, last) of ticks of which nothing was recorded, and ticks that were lived through in part only."""

    runs: tuple[tuple[int, int], ...]
    partly: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Periods:
    """The tables day and period of one database."""

    db: Database
    counts: Counts
    lived: Lived
    names: Names

    def close_day(self, day: DayEnd, boundary: int) -> None:
        """Sum up its ticks, of which the levels hold everything when the next tick is `boundary`."""
        ids = {self.names.objectives[key]: key for key in day.slots if key in self.names.objectives}
        found = {
            identity: PeriodCounts() for identity in ids if self.names.born.get(identity, day.until) < day.until
        }
        for identity, counted in self._summed(day.first, day.until, boundary):
            if identity in found:
                found[identity] += counted
        gaps = self._gaps(day.first, day.until)
        for identity in found:
            born = max(day.first, self.names.born[identity])
            missing = self._missing(identity, born, gaps, day.slots[ids[identity]])
            found[identity] = replace(found[identity], missing=missing)
        rows = (
            (row_at(day.first, identity), day.until, each.good, each.bad, each.skipped, each.missing, each.excluded)
            for identity, each in found.items()
        )
        self.db.executemany(_PUT_DAY, rows)

    def close_periods(self, ends: Sequence[PeriodEnd]) -> None:
        """Sum up the days of each. One that was observed at no time is left out."""
        sums: dict[tuple[int, int], dict[int, PeriodCounts]] = {}
        for end in ends:
            identity = self.names.objectives.get(end.key)
            born = end.until if identity is None else self.names.born.get(identity, end.until)
            if identity is None or born >= end.until:
                continue
            span = end.first, end.until
            if span not in sums:
                sums[span] = dict(self._days_summed(*span))
            self._put(identity, end, max(end.first, born), sums[span].get(identity, PeriodCounts()))

    def add_late(self, tick: int, tallies: Mapping[int, Tally]) -> None:
        """Counts of a tick that may lie in a closed day belong to that day, and to its period."""
        for identity, tally in tallies.items():
            counts = (tally.good, tally.bad, tally.skipped, tally.excluded)
            self.db.execute(
                "UPDATE day SET good = good + ?, bad = bad + ?, skipped = skipped + ?, excluded = excluded + ? "
                "WHERE at = (SELECT at FROM day WHERE at BETWEEN ? AND ? AND until > ? AND at & ? = ?)",
                (*counts, row_at(tick - self._longest), row_at(tick, MOST_IDS - 1), tick, MOST_IDS - 1, identity),
            )
            self.db.execute(
                "UPDATE period SET good = good + ?, bad = bad + ?, skipped = skipped + ?, excluded = excluded + ? "
                "WHERE objective = ? AND first <= ? AND until > ?",
                (*counts, identity, tick, tick),
            )

    def closed_to(self) -> dict[ObjectiveKey, int]:
        """For each objective ever observed the tick from which its days are not closed yet."""
        ends = dict(self.db.execute(f"SELECT at & {MOST_IDS - 1}, max(until) FROM day GROUP BY 1"))
        keys = {identity: key for key, identity in self.names.objectives.items()}
        return {keys[identity]: max(born, ends.get(identity, born)) for identity, born in self.names.born.items()}

    def missing_since(
        self, asked: Mapping[ObjectiveKey, tuple[int, int, float]], until: int
    ) -> dict[ObjectiveKey, int]:
        """What closed days miss, from the day on that holds the first tick, and what the open one misses so far."""
        closed = self._closed_missing(min((first for first, _, _ in asked.values()), default=until))
        gaps: dict[int, _Gaps] = {}
        found = {}
        for key, (first, today, slots) in asked.items():
            identity = self.names.objectives.get(key, 0)
            if identity not in self.names.born:
                continue
            begin = max(first, today)
            if begin not in gaps:
                gaps[begin] = self._gaps(begin, until)
            days = sum(lost for end, lost in closed.get(identity, ()) if first < end <= today)
            found[key] = days + self._missing(identity, self.names.born[identity], gaps[begin], slots)
        return found

    def _closed_missing(self, first: int) -> dict[int, list[tuple[int, int]]]:
        """(until, missing) of the closed days that reach beyond this tick and miss anything, by objective."""
        found: dict[int, list[tuple[int, int]]] = {}
        query = "SELECT at & ?, until, missing FROM day WHERE missing > 0 AND at >= ?"
        for identity, until, lost in self.db.execute(query, (MOST_IDS - 1, row_at(first - self._longest))):
            found.setdefault(identity, []).append((until, lost))
        return found

    @property
    def _longest(self) -> int:
        """No day has so many ticks."""
        return self.counts.stages[-1].ticks * 48

    def days(self, first: int, until: int) -> Iterator[tuple[int, int, int, PeriodCounts]]:
        """(objective id, first, until, counts) of every closed day that begins in [first, until), oldest first."""
        rows = self.db.execute(
            "SELECT at, until, good, bad, skipped, missing, excluded FROM day WHERE at >= ? AND at < ? ORDER BY at",
            (row_at(first), row_at(until)),
        )
        for at, end, *counts in rows:
            yield id_of(at), at >> ID_BITS, end, PeriodCounts(*counts)

    def closed(self, contract: str) -> tuple[ClosedPeriod, ...]:
        """Every closed period of a contract that is kept, newest first."""
        query = (
            f"SELECT {_COLUMNS} FROM period p JOIN objective o ON o.id = p.objective "
            "WHERE o.contract = ? ORDER BY p.until DESC, p.objective"
        )
        return tuple(map(_closed, self.db.execute(query, (contract,))))

    def newest(self) -> dict[ObjectiveKey, ClosedPeriod]:
        """Each objective's last closed period."""
        query = (
            f"SELECT {_COLUMNS} FROM period p JOIN objective o ON o.id = p.objective "
            "WHERE p.until = (SELECT max(until) FROM period WHERE objective = p.objective)"
        )
        return {each.key: each for each in map(_closed, self.db.execute(query))}

    def prune(self, oldest: int, most: int) -> None:
        """Forget what was over before this tick."""
        cut(self.db, "day", row_at(oldest), most)
        self.db.execute("DELETE FROM period WHERE until < ?", (oldest,))

    def _summed(self, first: int, until: int, boundary: int) -> Iterator[tuple[int, PeriodCounts]]:
        stages = self.counts.stages
        held = [self.counts.held(stage, boundary) for stage in preferred(stages, stages[-1].ticks)]
        for piece in cover(held, first, until):
            rows = self.db.execute(
                f"SELECT at & {MOST_IDS - 1}, sum(good), sum(bad), sum(skipped), sum(excluded) "
                f"FROM counts_{piece.stage.name} WHERE at >= ? AND at < ? GROUP BY 1",
                (row_at(piece.start), row_at(piece.end)),
            )
            for identity, good, bad, skipped, excluded in rows:
                yield identity, PeriodCounts(good, bad, skipped, excluded=excluded)

    def _days_summed(self, first: int, until: int) -> Iterator[tuple[int, PeriodCounts]]:
        query = f"SELECT at & {MOST_IDS - 1}, {_SUMS} FROM day WHERE at >= ? AND at < ? AND until <= ? GROUP BY 1"
        for identity, *counts in self.db.execute(query, (row_at(first), row_at(until), until)):
            yield identity, PeriodCounts(*counts)

    def _gaps(self, first: int, until: int) -> "_Gaps":
        runs = self.lived.not_lived(first, until)
        partly = self.lived.incomplete(first, until)
        return _Gaps(runs, tuple(tick for tick in partly if not any(low <= tick <= high for low, high in runs)))

    def _missing(self, identity: int, born: int, gaps: "_Gaps", slots: float) -> int:
        """Slots of ticks that were not recorded, and what is lacking in those that were lived through in part."""
        if slots <= 0:
            return 0
        lost = sum(max(0, last + 1 - max(begin, born)) for begin, last in gaps.runs) * slots
        lost += sum(max(0.0, slots - self._slots_of(identity, tick)) for tick in gaps.partly if tick >= born)
        return math.ceil(lost)

    def _slots_of(self, identity: int, tick: int) -> int:
        query = "SELECT good + bad + skipped + excluded FROM counts_tick WHERE at = ?"
        row = self.db.execute(query, (row_at(tick, identity),)).fetchone()
        return 0 if row is None else int(row[0])

    def _put(self, identity: int, end: PeriodEnd, since: int, counts: PeriodCounts) -> None:
        terms = end.terms
        target = f"{terms.target.numerator}/{terms.target.denominator}"
        judged_by = (terms.name, terms.timezone, terms.promise, target, terms.basis.value, terms.min_events)
        counted = (counts.good, counts.bad, counts.skipped, counts.missing, counts.excluded)
        self.db.execute(_PUT_PERIOD, (identity, terms.unit, end.first, end.until, since, *judged_by, *counted))


def _closed(row: tuple[Any, ...]) -> ClosedPeriod:
    first, until, since, name, unit, timezone, promise, target, basis, least, *counts, contract, objective = row
    terms = PeriodTerms(name, unit, timezone, promise, Fraction(target), Basis(basis), least)
    return ClosedPeriod(ObjectiveKey(contract, objective), first, until, since, terms, PeriodCounts(*counts))
