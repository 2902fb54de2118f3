"""What the daemon needs of a store and of a prober; which ones they are is decided in `wire`."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from keeptime.app.following import Prepared
from keeptime.contract.terms import Contract
from keeptime.model.ack import Ack
from keeptime.model.alert import Address, AlertRow, Heard, Late, Passed, Waiting
from keeptime.model.change import Change
from keeptime.model.counters import RequestCounters
from keeptime.model.declared import Declared
from keeptime.model.event import Event, EventQuery
from keeptime.model.exclusion import LeftOut
from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.explanation import Explanation
from keeptime.model.history import History
from keeptime.model.incident import Dossier, Incident, IncidentQuery
from keeptime.model.key import ObjectiveKey, SignalKey
from keeptime.model.latency import Latency
from keeptime.model.ledger import Json, LedgerHead, LedgerQuery, LedgerRow
from keeptime.model.numbers import Taken
from keeptime.model.period import ClosedPeriod
from keeptime.model.sample import Sample, Skipped
from keeptime.model.series import DayCount, PhaseSeries, Series, SketchSeries
from keeptime.model.silence import Silence
from keeptime.model.sketch import Sketch
from keeptime.model.tally import TickRecord
from keeptime.model.traffic import TrafficView
from keeptime.model.version import VersionUse
from keeptime.observe.series.reader import Source
from keeptime.tell.ports import Outbox

Swap = Callable[[], None]
"""Goes over to what was prepared."""


class Store(Outbox, Protocol):
    """Durable memory. Every call may block and raise StoreError; all come from one thread."""

    def commit(self, change: Change) -> None: ...

    def histories(self, next_tick: int) -> Mapping[ObjectiveKey, History]: ...

    def last_tick(self) -> int | None:
        """The newest recorded tick; None in a new store."""
        ...

    def memory(self) -> Mapping[str, bytes]: ...

    def alerts(self) -> Mapping[ObjectiveKey, AlertRow]: ...

    def note_access(self, at: float, fields: Mapping[str, Json]) -> None:
        """A row of the ledger: who was let in to change something, or was refused."""
        ...

    def ledger_head(self) -> LedgerHead:
        """The newest row of the ledger: what whoever holds it can later prove by."""
        ...

    def told(self, contract: str, audience: str, within: float, since: float, now: float) -> tuple[int, int, int]:
        """Messages to this audience that were decided since: taken within so many seconds, late, neither yet."""
        ...

    def not_taken(self, now: float, within: float, after: int, most: int) -> Sequence[int]:
        """The first of the rows beyond `after` that nobody took: decided longer than `within` seconds ago, or given
        up lately.
        """
        ...

    def late(self, now: float, within: float, steps: int, rows: Sequence[int] | None = None) -> Sequence[Late]:
        """Of these rows (None: of all) those that nobody took, and of which less than so many steps were made."""
        ...

    def unanswered(self, contracts: Collection[str]) -> Sequence[Late]:
        """Of each alert of these contracts that is open: the operators' first page, where somebody took it."""
        ...

    def pass_on(self, passed: Sequence[Passed], now: float) -> None:
        """These go to their next receivers, in one step with what is said of it."""
        ...

    def last_taken(self, contract: str, address: Address) -> Taken | None:
        """The last message that this receiver took of this contract; None where it took none that has a number."""
        ...

    def heard_of(self, rows: Sequence[AlertRow]) -> Mapping[ObjectiveKey, Heard]:
        """What was told of each of these alerts; those of which nobody was told are absent."""
        ...

    def versions(self, contract: str) -> Sequence[VersionUse]:
        """Every use of a version of this contract, newest first."""
        ...

    def ledger(self, asked: LedgerQuery) -> Sequence[LedgerRow]:
        """The rows of the ledger that are wanted, oldest first."""
        ...

    def incidents(self, asked: IncidentQuery) -> Sequence[Incident]:
        """Newest first, without their changes. Raises KeyError where there is none to begin after."""
        ...

    def newest_incidents(self, since: float, most: int) -> Sequence[Incident]:
        """Of each contract the newest that were not over before, newest first."""
        ...

    def incident(self, name: str) -> Dossier | None:
        """All that is known of the incident of this id."""
        ...

    def note_event(self, new: Event) -> tuple[Event, bool]:
        """The event with its number, and whether it is new: one of the same key is what it was."""
        ...

    def events(self, asked: EventQuery) -> Sequence[Event]:
        """Newest first. Raises KeyError where there is none to begin after."""
        ...

    def keep_exemplars(self, new: Sequence[Exemplar], prune: bool = False) -> None:
        """Keep these as evidence; `prune`: forget those that are too many."""
        ...

    def exemplars(self, asked: ExemplarQuery) -> Sequence[Exemplar]:
        """Newest first."""
        ...

    def keep_explanation(self, found: Explanation) -> None:
        """In place of what was said of this incident before."""
        ...

    def explanation(self, incident: str) -> Explanation | None:
        """What was said of this incident last."""
        ...

    def silence(self, new: Silence, now: float) -> Silence:
        """From now on it mutes; the silence with its number."""
        ...

    def end_silence(
        self, number: int, by: str, why: str, now: float
    ) -> tuple[Silence | None, Sequence[ObjectiveKey]]:
        """It is over, and of which objectives something is sent now; None where there is no such silence."""
        ...

    def settle_silences(self, now: float) -> tuple[Sequence[Silence], Sequence[ObjectiveKey]]:
        """End those whose time is over: which, and of which objectives something is sent now."""
        ...

    def silences(self) -> Sequence[Silence]:
        """Those that are not over, oldest first."""
        ...

    def newest_silences(self, most: int, before: int = 0) -> Sequence[Silence]:
        """The newest before this number (0: of all), newest first, also those that are over."""
        ...

    def muted(self) -> Sequence[Waiting]:
        """What silences hold back, per (contract, address); only those of which something is."""
        ...

    def acknowledge(self, acks: Sequence[Ack]) -> None:
        """Somebody has taken these alerts on."""
        ...

    def acks(self) -> Mapping[ObjectiveKey, Ack]:
        """The newest of each objective; whether its alert is still open is the caller's to know."""
        ...

    def closed_to(self) -> Mapping[ObjectiveKey, int]:
        """For each objective ever observed the tick from which its days are not closed yet."""
        ...

    def closed_periods(self, contract: str) -> Sequence[ClosedPeriod]:
        """Every period of a contract that is over, newest first."""
        ...

    def newest_periods(self) -> Mapping[ObjectiveKey, ClosedPeriod]:
        """Each objective's last period that is over."""
        ...

    def left_out(self, contract: str, first: int, last: int, most: int) -> Sequence[LeftOut]:
        """What was left out of a contract and why: the newest so many days of these (since 1970-01-01, UTC; both
        included) in which there is anything, newest first.
        """
        ...

    def declare(self, new: Declared, now: float) -> Declared:
        """This exclusion is kept; the same with its number."""
        ...

    def end_declared(self, ended: Declared, now: float) -> Declared:
        """It has this end from now on."""
        ...

    def declared(self, after: float) -> Sequence[Declared]:
        """Exclusions that are not over by this instant (Unix seconds), oldest first."""
        ...

    def newest_declared(self, contract: str, most: int) -> Sequence[Declared]:
        """The newest of a contract, newest first, also those that are over."""
        ...

    def sketches(self, key: SignalKey, start: int, end: int) -> Sketch:
        """Latencies of ticks [start, end)."""
        ...

    def series(self, key: ObjectiveKey, start: int, end: int, most_points: int) -> Series:
        """Counts of ticks [start, end) in at most so many buckets."""
        ...

    def daily(self, first: int, until: int) -> Sequence[tuple[ObjectiveKey, DayCount]]:
        """What was counted on each day that is over and begins in ticks [first, until)."""
        ...

    def sketch_series(self, key: SignalKey, start: int, end: int, most_points: int) -> SketchSeries:
        """Latencies of ticks [start, end), in the same form."""
        ...

    def phase_series(self, contract: str, start: int, end: int, most_points: int) -> PhaseSeries:
        """Where the time of a contract's probes went, in the same form."""
        ...

    def missing_since(
        self, asked: Mapping[ObjectiveKey, tuple[int, int, float]], until: int
    ) -> dict[ObjectiveKey, int]:
        """Probe slots before `until` that were not lived through. By objective: the tick from which on, the tick
        from which days are not closed, and slots per tick.
        """
        ...

    def close(self) -> None: ...


class Prober(Protocol):
    """Sends probes on schedule from a thread of its own, and gives every slot's outcome to its sink."""

    def start(self) -> None: ...

    def stop(self, deadline: float) -> None:
        """Send nothing more; wait at most so many seconds for what is under way."""
        ...

    def prepare(self, contracts: Sequence[Contract]) -> Swap:
        """All that can fail of probing these contracts; one that did not change is not disturbed.

        Raises ProbeError or SecretError; nothing has changed before the swap is called, which blocks and fails not.
        """
        ...

    def in_flight(self, contract: str) -> int: ...

    def troubles(self) -> Mapping[str, str]:
        """By contract, why it is not probed by keeptime's own fault; only where it is so now."""
        ...

    def stats(self) -> Mapping[str, float]: ...


class Counting(Protocol):
    """Sums outcomes into ticks. `add`, `overdue`: from the prober's thread; the rest from elsewhere."""

    def add(self, outcome: Sample | Skipped) -> None: ...

    def overdue(self, contract: str, due_ns: int) -> None:
        """A request under way has exceeded every threshold."""
        ...

    def close(self, now_ns: int) -> Sequence[TickRecord]:
        """All ticks that have ended for good, oldest first; an empty one too."""
        ...

    def finish(self, now_ns: int) -> Sequence[TickRecord]:
        """Every tick that is left, when counting ends."""
        ...

    def replace(self, contracts: Sequence[Contract]) -> None: ...

    def counters(self) -> Mapping[str, RequestCounters]: ...


class Following(Protocol):
    """Observes beside the prober, in the event loop: a Prometheus that is read, and real traffic."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...

    def prepare(self, contracts: Sequence[Contract]) -> Prepared:
        """All that can fail of observing these contracts. Raises KeeptimeError; nothing has changed."""
        ...

    def views(self, contract: str) -> Sequence[TrafficView]:
        """How the observing of its traffic goes."""
        ...

    def problem(self, contract: str) -> str:
        """Why this contract cannot be read now, else ""."""
        ...

    async def latency(self, contract: str, at: float) -> Latency | None:
        """Percentiles of the last hour; None where they cannot be had."""
        ...

    def reads(self, contract: str) -> Mapping[str, int]:
        """How many reads there were, by result; empty for one that is not read."""
        ...


Fill = Callable[[Sequence[Source], int], Awaitable[None]]
"""Puts the past of some sources into the store, up to this tick. Raises StoreError."""
ProbeOnce = Callable[[Contract], Sample]
"""One fresh probe, now; blocks."""
