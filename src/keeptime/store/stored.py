"""The store on a database: counts, carried state, alerts and messages; every step in one durable transaction.

Guarantees: what `commit` returned from survives a kill or a power cut; of a commit that raised nothing is kept. Use
it from one thread at a time. Never reads a clock: `now` and `at` are the caller's, in Unix seconds. Any call can
raise StoreError; its `retry` says whether trying again helps. Knows no database by name: `sqlite` opens it on one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from keeptime.errors import UsageError
from keeptime.model.alert import AlertRow
from keeptime.model.change import Change
from keeptime.model.compliance import PeriodCounts
from keeptime.model.exclusion import LeftOut
from keeptime.model.history import History
from keeptime.model.key import ObjectiveKey, Signal, SignalKey, tick_of
from keeptime.model.ledger import Json, LedgerHead, LedgerKind, LedgerQuery, LedgerRow
from keeptime.model.period import ClosedPeriod
from keeptime.model.sketch import Sketch
from keeptime.model.tally import Tally, TickRecord
from keeptime.model.version import VersionUse
from keeptime.store.alerting import Alerts
from keeptime.store.counts import Counts
from keeptime.store.declared import StoredDeclared
from keeptime.store.events import Events
from keeptime.store.evidence import StoredEvidence
from keeptime.store.exclusions import DAY, DayExclusion, ExclusionTable
from keeptime.store.grid import Stage, memory_of_judge, stages_for
from keeptime.store.happened import StoredIncidents
from keeptime.store.incidents import Incidents
from keeptime.store.ledger import Ledger
from keeptime.store.lived import Lived
from keeptime.store.marking import StoredEvents
from keeptime.store.names import Names
from keeptime.store.numbering import Numbering
from keeptime.store.outbox import StoredOutbox
from keeptime.store.periods import Periods
from keeptime.store.phases import PhaseTables, levels_of
from keeptime.store.proven import Proofs
from keeptime.store.quieting import StoredQuiet
from keeptime.store.rows import Transition
from keeptime.store.series import StoredSeries
from keeptime.store.sketches import Sketches
from keeptime.store.sql import Database
from keeptime.store.versions import Versions

_PRUNED = 500
"""Rows that one commit cuts off each table at most, beyond two for each name: more than come in."""


def stages_of(tick_seconds: float) -> tuple[Stage, ...]:
    """The levels of this tick. Raises UsageError where it does not divide a minute."""
    try:
        return stages_for(tick_seconds)
    except ValueError as error:
        raise UsageError(str(error)) from error


@dataclass(slots=True)
class Stored(
    StoredOutbox, StoredQuiet, StoredSeries, StoredIncidents, StoredEvents, StoredEvidence, StoredDeclared
):
    """Use as a context manager or `close` it."""

    db: Database
    names: Names
    tick_seconds: float
    stages: tuple[Stage, ...]

    def begin(self, now: float) -> None:
        """Mark the tick that `now` lies in, and the one that was in progress, as incomplete; begin an epoch."""
        with self._step():
            Numbering(self.db).begin(now)
            self._lived.started(tick_of(round(now * 1_000_000_000), self.tick_seconds))
            Incidents(self.db, self.names).resume(list(self._alerts.all().values()))

    def close(self) -> None:
        """Let go of the database. A second call does nothing."""
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def commit(self, change: Change) -> None:
        """All of the change, durably, or (where it raises StoreError) nothing. Counts add up within a tick."""
        if self.db.was_done(change):
            self.names.stale = True  # they may have been read before it was
            return
        with self._step(change):
            if change.versions is not None:
                Versions(self.db).keep(change.versions, change.at)
            self._posting.readdress(change.addresses)
            self._close(change, before=True)
            if change.record is not None:
                self._count(change.record, change.at)
            self._close(change, before=False)
            self.db.executemany(
                "INSERT INTO memory VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data",
                change.memory.items(),
            )
            for row in change.alerts:
                self._alerts.put(row)
            for message in change.messages:
                self._posting.put(message, change.at)
            Incidents(self.db, self.names).advance(change.alerts, change.messages)
            self._posting.prune(change.at, _PRUNED)
            Incidents(self.db, self.names).prune(change.at, _PRUNED)
            Events(self.db).prune(change.at, _PRUNED)
            self._escalating.prune(change.at, _PRUNED)
            self.db.give_back()

    def last_tick(self) -> int | None:
        """The newest recorded tick; None in a new store."""
        with self.db.speaking():
            return self._lived.last()

    def incomplete_ticks(self, start: int, end: int) -> tuple[int, ...]:
        """Ticks in [start, end) that keeptime lived through in part only."""
        with self.db.speaking():
            return self._lived.incomplete(start, end)

    def ticks_not_lived(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """Runs (first, last) of ticks in [start, end) of which nothing was recorded."""
        with self.db.speaking():
            return self._lived.not_lived(start, end)

    def histories(self, next_tick: int) -> Mapping[ObjectiveKey, History]:
        """What the judge restarts from: counts before `next_tick` of every objective ever observed."""
        with self.db.speaking():
            pieces = memory_of_judge(self.stages, next_tick)
            return self._counts.histories(pieces, self.names.objectives, self.names.born)

    def memory(self) -> dict[str, bytes]:
        """What decision rules carry, as last committed."""
        with self.db.speaking():
            return dict(self.db.execute("SELECT name, data FROM memory"))

    def note_access(self, at: float, fields: Mapping[str, Json]) -> None:
        """A row of the ledger: who was let in to change something, or was refused."""
        with self._step():
            Ledger(self.db).append(at, LedgerKind.ACCESS, "", fields)

    def ledger_head(self) -> LedgerHead:
        """The newest row of the ledger: what whoever holds it can later prove by."""
        with self.db.speaking():
            return Ledger(self.db).head()

    def ledger(self, asked: LedgerQuery) -> tuple[LedgerRow, ...]:
        """The rows of the ledger that are wanted, oldest first."""
        with self.db.speaking():
            return Ledger(self.db).rows(asked)

    def versions(self, contract: str) -> tuple[VersionUse, ...]:
        """Every use of a version of this contract, newest first."""
        with self.db.speaking():
            return Versions(self.db).all(contract)

    def alerts(self) -> dict[ObjectiveKey, AlertRow]:
        """Every objective's alert, as last committed."""
        with self.db.speaking():
            return self._alerts.all()

    def tallies(
        self, key: ObjectiveKey, start: int, end: int, step_seconds: float
    ) -> tuple[tuple[int, Tally], ...]:
        """(first tick, tally) of ticks [start, end), in buckets of at most `step_seconds` where so fine ones are
        kept.

        Oldest first; a bucket without events is left out, and so is one that reaches over an end of the range.
        """
        boundary = self._boundary(end)
        step = max(1, int(step_seconds // self.tick_seconds))
        with self.db.speaking():
            identity = self.names.objectives.get(key)
            return () if identity is None else tuple(self._counts.between(identity, start, end, step, boundary))

    def exclusions(self, key: ObjectiveKey, start: int, end: int) -> tuple[DayExclusion, ...]:
        """What was left out and why, of every day (UTC) that ticks [start, end) touch."""
        with self.db.speaking():
            identity = self.names.objectives.get(key)
            if identity is None or end <= start:
                return ()
            return self._exclusions.between(identity, self._day(start), self._day(end - 1))

    def left_out(self, contract: str, first: int, last: int, most: int) -> tuple[LeftOut, ...]:
        """What was left out and why: the newest so many of these days, both included, newest first."""
        with self.db.speaking():
            return self._exclusions.of_contract(contract, first, last, most)

    def sketches(self, key: SignalKey, start: int, end: int) -> Sketch:
        """The sum over ticks [start, end); buckets of what is only kept coarser count where they lie within."""
        boundary = self._boundary(end)
        with self.db.speaking():
            identity = self.names.signals.get(key)
            return Sketch() if identity is None else self._sketches.between(identity, start, end, boundary)

    def transitions(self, contract: str, limit: int) -> tuple[Transition, ...]:
        """The newest messages of a contract, newest first."""
        with self.db.speaking():
            return self._posting.transitions(contract, limit)

    def closed_to(self) -> dict[ObjectiveKey, int]:
        """For each objective ever observed the tick from which its days are not closed yet."""
        with self.db.speaking():
            return self._periods.closed_to()

    def missing_since(
        self, asked: Mapping[ObjectiveKey, tuple[int, int, float]], until: int
    ) -> dict[ObjectiveKey, int]:
        """Probe slots before `until` that were not lived through. By objective: the tick from which on, the tick
        from which days are not closed, and slots per tick.
        """
        with self.db.speaking():
            return self._periods.missing_since(asked, until)

    def closed_periods(self, contract: str) -> tuple[ClosedPeriod, ...]:
        """Every period of a contract that is over and kept, newest first."""
        with self.db.speaking():
            return self._periods.closed(contract)

    def closed_days(self, start: int, end: int) -> dict[ObjectiveKey, tuple[tuple[int, int, PeriodCounts], ...]]:
        """(first tick, until, counts) of every closed day that begins in ticks [start, end), oldest first."""
        with self.db.speaking():
            keys = {identity: key for key, identity in self.names.objectives.items()}
            found: dict[ObjectiveKey, list[tuple[int, int, PeriodCounts]]] = {}
            for identity, first, until, counts in self._periods.days(start, end):
                found.setdefault(keys[identity], []).append((first, until, counts))
            return {key: tuple(days) for key, days in found.items()}

    def newest_periods(self) -> dict[ObjectiveKey, ClosedPeriod]:
        """Each objective's last period that is over."""
        with self.db.speaking():
            return self._periods.newest()

    @property
    def _periods(self) -> Periods:
        return Periods(self.db, self._counts, self._lived, self.names)

    @property
    def _counts(self) -> Counts:
        return Counts(self.db, self.stages)

    @property
    def _sketches(self) -> Sketches:
        return Sketches(self.db, self.stages)

    @property
    def _exclusions(self) -> ExclusionTable:
        return ExclusionTable(self.db)

    def _day(self, tick: int) -> int:
        """The day (UTC) that a tick begins in."""
        return int(tick * self.tick_seconds // DAY)

    @property
    def _lived(self) -> Lived:
        return Lived(self.db)

    @property
    def _alerts(self) -> Alerts:
        return Alerts(self.db, self.names)

    def _boundary(self, end: int) -> int:
        last = self.last_tick()
        return end if last is None else last + 1

    def _count(self, record: TickRecord, at: float) -> None:
        last = self._lived.last()
        if last is not None and self._day(record.tick) > self._day(last):
            Proofs(self.db).day_over(self._day(record.tick), at)
        boundary = max(record.tick, record.tick if last is None else last) + 1
        known = self.names.objectives
        Events(self.db).first_seen(record.tallies.keys() - known.keys(), known, record.tick * self.tick_seconds, at)
        tallies = {self.names.observed(key, record.tick): tally for key, tally in record.tallies.items()}
        sketches = {self.names.signal(key): sketch for key, sketch in record.sketches.items()}
        self._counts.add(record.tick, tallies, boundary)
        reasons = {self.names.observed(key, record.tick): found for key, found in record.exclusions.items()}
        self._exclusions.add(self._day(record.tick), reasons)
        self._sketches.add(record.tick, sketches, boundary, late=record.tick + 1 < boundary or record.tick == last)
        self._sketches.sum_up(boundary, len(self.names.signals))
        self._spend(record, boundary)
        self._lived.record(record.tick, incomplete=record.incomplete)
        self._counts.prune(boundary, _PRUNED + 2 * len(self.names.objectives))
        self._sketches.prune(boundary, _PRUNED + 2 * len(self.names.signals))
        oldest = self.stages[-1].kept_from(boundary, sketches=False)
        self._lived.prune(oldest)
        self._periods.prune(oldest, _PRUNED + 2 * len(self.names.objectives))
        if last is not None and record.tick <= last:
            self._periods.add_late(record.tick, tallies)
        self._exclusions.prune(self._day(oldest))

    def _spend(self, record: TickRecord, boundary: int) -> None:
        """Where the time of its probes went."""
        tables = PhaseTables(self.db, levels_of(self.stages))
        spent = {self.names.signal(SignalKey(each, Signal.REQUESTS)): sums for each, sums in record.phases.items()}
        tables.add(record.tick, spent, boundary)
        tables.prune(boundary, _PRUNED)

    def _close(self, change: Change, *, before: bool) -> None:
        """Sum up days that ended before this tick before its coming cuts off what they are summed from."""
        tick = None if change.record is None else change.record.tick
        due = [day for day in change.days if (tick is not None and day.until <= tick) is before]
        if due:
            boundary = self._boundary(due[-1].until)
            for day in due:
                self._periods.close_day(day, boundary)
        if not before:
            self._periods.close_periods(change.periods)
