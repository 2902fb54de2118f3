"""What a report is made from, read from a store that may be in use.

Guarantees: nothing is written; a period that is over is told by the terms that it was closed with, one that is not
by the terms in force, up to the newest tick in the store: no clock is read. Raises Absent for a contract, a
period or a consumer that there is not, with those that there are.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from keeptime.contract.calendar import named_period, period_name
from keeptime.contract.kept import KeptTerms, terms_of
from keeptime.contract.terms import Objective
from keeptime.errors import KeeptimeError, UsageError
from keeptime.judge.periods import period_of
from keeptime.judge.reason import promise
from keeptime.model.compliance import PeriodCounts
from keeptime.model.exclusion import Exclusion
from keeptime.model.key import ObjectiveKey
from keeptime.model.ledger import LedgerQuery, LedgerRow
from keeptime.model.period import ClosedPeriod
from keeptime.model.version import VersionUse
from keeptime.store.names import Names
from keeptime.store.sql import Database
from keeptime.store.stored import Stored, stages_of
from keeptime.tell.report.given import Day, Given, Stretch
from keeptime.tell.report.make import concerns

_AT_A_TIME = 1000
_TICK = "SELECT value FROM setting WHERE name = 'tick_nanoseconds'"
Days = Mapping[ObjectiveKey, tuple[tuple[int, int, PeriodCounts], ...]]


class Absent(UsageError):
    """There is no such contract, period or consumer. `why`: without the option of the command line."""

    def __init__(self, option: str, why: str) -> None:
        super().__init__(f"{option}: {why}" if option else why)
        self.why = str(self).removeprefix(f"{option}: ")


@dataclass(frozen=True, slots=True)
class Past:
    """One contract in a store. `boundary`: the tick after the newest one."""

    store: Stored
    contract: str
    uses: tuple[VersionUse, ...]
    closed: tuple[ClosedPeriod, ...]
    boundary: int

    @property
    def tick(self) -> float:
        return self.store.tick_seconds

    def given(self, period: str, consumer: str = "") -> Given:
        """All that a report of this period is made from."""
        stretches = sorted(
            [*self._over(period), *self._lasting(period)], key=lambda each: (each.objective, each.start)
        )
        if not stretches:
            raise Absent("--period", self._no_period(period))
        use = self._use(max(each.end for each in stretches))
        terms = _terms(use)
        if consumer and consumer not in terms.consumers:
            there = ", ".join(sorted(terms.consumers)) or "none"
            raise Absent("--consumer", f"{self.contract} has no consumer '{consumer}'; there are: {there}")
        if consumer and not any(concerns(each, consumer) for each in stretches):
            raise Absent("--consumer", f"nothing in {period} was promised to '{consumer}'")
        return Given(
            contract=self.contract,
            provider=terms.provider,
            model=terms.model,
            version=use.of.version,
            period=period,
            as_of=self.boundary * self.tick,
            stretches=stretches,
            together=terms.together,
            rows=self._rows(),
            head=self.store.ledger_head(),
        )

    def _over(self, name: str) -> Iterator[Stretch]:
        """The closed periods of this name, with the terms of their time."""
        found = [each for each in self.closed if each.terms.name == name]
        if not found:
            return
        days = self.store.closed_days(min(each.first for each in found), max(each.until for each in found))
        for each in found:
            one = self._objective(each)
            terms = each.terms
            yield Stretch(
                objective=each.key.objective,
                promise=terms.promise,
                name=name,
                timezone=terms.timezone,
                start=each.first * self.tick,
                end=each.until * self.tick,
                since=each.since * self.tick,
                over=True,
                target=terms.target,
                basis=terms.basis,
                min_events=terms.min_events,
                counts=each.counts,
                credits=None if one is None else one.credits,
                where=() if one is None else one.where,
                days=self._days(days, each.key, each.first, each.until, terms.timezone),
                excluded=self._left_out(each.key, each.first, each.until),
            )

    def _lasting(self, name: str) -> Iterator[Stretch]:
        """The periods of this name that the newest tick lies in, by the terms in force in it."""
        if not self.uses:
            return
        last = (self.boundary - 1) * self.tick
        terms = _terms(self.uses[0])
        for one in terms.objectives:
            span = named_period(terms.calendar(one), name)
            if not one.internal and one.in_force(last) and span is not None and span[0] <= last < span[1]:
                found = self._so_far(one, terms, name)
                yield from [] if found is None else [found]

    def _so_far(self, one: Objective, terms: KeptTerms, name: str) -> Stretch | None:
        """None of an objective that was not observed in it."""
        calendar, key = terms.calendar(one), ObjectiveKey(self.contract, one.name)
        span = period_of(calendar, self.boundary - 1, self.tick)
        first, until = self._in_force(one, span.start, span.end)
        born = self.store.names.born.get(self.store.names.objectives.get(key, 0))
        already = any(each.key == key and each.first <= first < each.until for each in self.closed)
        if born is None or born >= self.boundary or already:
            return None
        days = self.store.closed_days(first, self.boundary)
        today = max([each[1] for each in days.get(key, ())], default=max(first, born))
        slots = terms.slots(one)
        lost = self.store.missing_since({key: (today, today, slots * self.tick)}, self.boundary)
        counted = self._counted(key, today, lost.get(key, 0))
        every = {key: (*days.get(key, ()), (today, self.boundary, counted))}
        return Stretch(
            objective=one.name,
            promise=promise(one),
            name=name,
            timezone=calendar.timezone,
            start=first * self.tick,
            end=until * self.tick,
            since=max(first, born) * self.tick,
            over=False,
            target=one.target,
            basis=terms.basis,
            min_events=one.min_events,
            counts=sum((each for _, _, each in every[key]), PeriodCounts()),
            to_come=math.ceil((until - self.boundary) * self.tick * slots) if slots else None,
            credits=one.credits,
            where=one.where,
            days=self._days(every, key, first, self.boundary, calendar.timezone),
            excluded=self._left_out(key, first, self.boundary),
        )

    def _in_force(self, one: Objective, start: int, end: int) -> tuple[int, int]:
        """The part of these ticks in which the terms hold."""
        first = start if one.begins is None else max(start, math.ceil(one.begins / self.tick))
        return first, end if one.ends is None else min(end, math.ceil(one.ends / self.tick))

    def _counted(self, key: ObjectiveKey, first: int, missing: int) -> PeriodCounts:
        """What was counted since the last day that is closed."""
        tallies = self.store.tallies(key, first, self.boundary, self.tick)
        counts = (PeriodCounts(each.good, each.bad, each.skipped, 0, each.excluded) for _, each in tallies)
        return sum(counts, PeriodCounts(missing=missing))

    def _days(self, days: Days, key: ObjectiveKey, first: int, until: int, timezone: str) -> tuple[Day, ...]:
        zone = ZoneInfo(timezone)
        return tuple(
            Day(datetime.fromtimestamp(start * self.tick, zone).date().isoformat(), counts)
            for start, _, counts in days.get(key, ())
            if first <= start < until
        )

    def _left_out(self, key: ObjectiveKey, first: int, until: int) -> tuple[tuple[Exclusion, int], ...]:
        found: Counter[Exclusion] = Counter()
        for each in self.store.exclusions(key, first, until):
            found[each.exclusion] += each.events
        return tuple(sorted(found.items(), key=lambda one: (-one[1], one[0].kind, one[0].reason, one[0].author)))

    def _objective(self, closed: ClosedPeriod) -> Objective | None:
        """Its terms by the version in force in the period's last tick."""
        last = (closed.until - 1) * self.tick
        use = self._use(closed.until * self.tick)
        named = [each for each in _terms(use).objectives if each.name == closed.key.objective]
        return next((each for each in named if each.in_force(last)), None)

    def _use(self, end: float) -> VersionUse:
        """The newest version that was in use before this instant; of what was before any, the oldest one."""
        if not self.uses:
            raise KeeptimeError(f"nothing is kept of what {self.contract} said; an older keeptime wrote this store")
        return next((each for each in self.uses if each.since < end), self.uses[-1])

    def _rows(self) -> tuple[LedgerRow, ...]:
        found: list[LedgerRow] = []
        asked = LedgerQuery(after=0, contract=self.contract, most=_AT_A_TIME)
        while page := self.store.ledger(asked):
            found += page
            asked = LedgerQuery(after=page[-1].seq, contract=self.contract, most=_AT_A_TIME)
        return tuple(found)

    def _no_period(self, name: str) -> str:
        over = list(dict.fromkeys(each.terms.name for each in self.closed))
        last = (self.boundary - 1) * self.tick
        lasting: list[str] = []
        if self.uses:
            terms = _terms(self.uses[0])
            calendars = [terms.calendar(each) for each in terms.objectives if not each.internal]
            lasting = [
                period_name(each, period_of(each, self.boundary - 1, self.tick).start * self.tick)
                for each in calendars
            ]
        names = list(dict.fromkeys([*lasting, *over]))
        until = datetime.fromtimestamp(last + self.tick, UTC).isoformat(" ", "minutes").removesuffix("+00:00")
        there = f"there are: {', '.join(names[:24])}" if names else "none is kept"
        return f"of {self.contract} nothing is kept of '{name}'; {there} (the store ends at {until} UTC)"


def past_of(db: Database, contract: str) -> Past:
    """This contract's past in a store that is only read. Raises Absent and StoreError."""
    tick_seconds = db.execute(_TICK).fetchone()[0] / 1e9
    names = Names(db)
    names.load()
    store = Stored(db, names, tick_seconds, stages_of(tick_seconds))
    known = sorted({key.contract for key in names.objectives if key.contract})
    last = store.last_tick()
    if contract not in known or last is None:
        there = ", ".join(known) or "none"
        raise Absent("", f"the store knows no contract '{contract}'; there are: {there}")
    return Past(store, contract, store.versions(contract), store.closed_periods(contract), last + 1)


def _terms(use: VersionUse) -> KeptTerms:
    try:
        return terms_of(use.of.written)
    except ValueError as error:
        raise KeeptimeError(f"{use.of.contract}, version {use.of.version}: {error}") from None
