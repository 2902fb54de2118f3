"""What a running daemon shows to pages, API, metrics and the terminal: frozen snapshots, nothing to reach through.

Guarantees: a snapshot is consistent (all of one tick) and cheap to take; showing it decides nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from keeptime.app.declaring import Declaring
from keeptime.app.explaining import Explaining
from keeptime.app.happened import Happened
from keeptime.app.past_series import Past
from keeptime.app.periods import ComplianceView, PeriodView
from keeptime.app.quieting import Quieting
from keeptime.app.reloading import Changed
from keeptime.app.reports import Reports
from keeptime.app.taking import Intake
from keeptime.app.tracing import Traced
from keeptime.contract.terms import Contract, Objective
from keeptime.model.ack import Ack
from keeptime.model.alert import Letter
from keeptime.model.beside import BesideView
from keeptime.model.counters import RequestCounters
from keeptime.model.exclusion import Exclusion
from keeptime.model.key import ObjectiveKey, Signal
from keeptime.model.latency import Latency
from keeptime.model.ledger import EMPTY, LedgerHead, LedgerQuery, LedgerRow
from keeptime.model.sample import Sample
from keeptime.model.silence import Silence
from keeptime.model.tally import Tally
from keeptime.model.traffic import TrafficView
from keeptime.model.verdict import Verdict
from keeptime.model.version import VersionUse
from keeptime.tell.own_promise import Told


@dataclass(frozen=True, slots=True)
class ContractView:
    """One contract as it stands: a verdict per objective (in the contract's order), None before its first tick.
    `contract` has the terms that are in force, `other_terms` are the rest.

    `counted`: per objective, what was counted since keeptime started, and `exclusions` what of it was left out, by
    reason. Of one that is observed from a Prometheus:
    `reads` by result, and `source_problem`, why it cannot be read now, else "". `traffic`: how the observing of its
    real traffic goes. `beside`: per objective, what probes and traffic saw lately; None where nothing is known of
    traffic. `signals`: percentiles of what answers that come in pieces are measured by.
    """

    contract: Contract
    verdicts: tuple[Verdict | None, ...]
    counted: tuple[Tally, ...]
    counters: RequestCounters
    in_flight: int
    last_sample: Sample | None
    reads: Mapping[str, int] = field(default_factory=dict)
    source_problem: str = ""
    exclusions: tuple[Mapping[Exclusion, int], ...] = ()
    other_terms: tuple[Objective, ...] = ()
    compliance: tuple[ComplianceView, ...] = ()
    latency: Latency | None = None
    traffic: tuple[TrafficView, ...] = ()
    beside: tuple[BesideView | None, ...] = ()
    signals: Mapping[Signal, Latency] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """Messages of one (contract, receiver). `address` is its kind and reference, never a resolved secret.

    `given_up`: messages since keeptime started, those that were replayed or discarded too. `dead_reason`: why the
    newest dead letter was given up, "" where there is none.
    `muted`: held back by a silence.
    """

    contract: str
    audience: str
    address: str
    delivered: int
    failed_attempts: int
    waiting: int
    oldest_waiting_seconds: float
    last_error: str = ""
    dead_letters: int = 0
    dead_reason: str = ""
    took: tuple[int, ...] = ()
    took_seconds: float = 0.0
    given_up: int = 0
    muted: int = 0


@dataclass(frozen=True, slots=True)
class SignView:
    """A sign of life: a consumer's heartbeat at one of its webhooks, or a ping that these contracts share.

    `taken_at`: when (Unix seconds) the last one was taken, None before. `held`: slots in which none was given, for
    there was a reason. `trouble`: what is wrong with the last one, "" if nothing.
    """

    kind: str
    contracts: tuple[str, ...]
    audience: str
    every: float
    taken_at: float | None
    taken: int
    failed: int
    held: int
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """Is keeptime itself well? `problems` are sentences; empty means well. `loop_lag`: seconds that it stood still
    at the longest, within the last minute; `clock_step`: how far the machine's clock is off, where not followed.
    """

    started: float
    now: float
    last_tick_at: float | None
    last_commit_at: float | None
    problems: tuple[str, ...] = ()
    loop_lag: float = 0.0
    clock_step: float = 0.0


@dataclass(frozen=True, slots=True)
class PairView:
    """Of a pair: does this one lead, and if not, who does? `holder`, `url`: of the leader, "" where nobody leads.

    `since`: Unix seconds. `may_send`: the lease is held now. `problem`: why it is in doubt, else "".
    """

    leads: bool
    may_send: bool
    holder: str
    url: str
    since: float
    term: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that can be shown. `silences`: those that are not over; `acks`: of alerts that are open.
    `reload_error`: why the last reload was refused, "" if it was not. `ledger`: its newest row when that was last
    looked at. `passed_on`: how often a message that was not taken in time went on, by (contract, audience), since
    start. `told`: how soon somebody took them, in 28 days. `pair`: None where there is only one.
    """

    at: float
    tick_seconds: float
    contracts: tuple[ContractView, ...]
    deliveries: tuple[DeliveryView, ...]
    health: Health
    engine: Mapping[str, float] = field(default_factory=dict)
    reload_error: str = ""
    silences: tuple[Silence, ...] = ()
    acks: Mapping[ObjectiveKey, Ack] = field(default_factory=dict)
    signs: tuple[SignView, ...] = ()
    passed_on: Mapping[tuple[str, str], int] = field(default_factory=dict)
    told: tuple[Told, ...] = ()
    ledger: LedgerHead = EMPTY
    pair: PairView | None = None


class Showable(Protocol):
    """What web needs of the daemon; `keeptime.testing` ships a fake."""

    @property
    def quieting(self) -> Quieting:
        """Silences and acknowledgements."""
        ...

    @property
    def happened(self) -> Happened:
        """Incidents and events."""
        ...

    @property
    def intake(self) -> Intake:
        """What programs send to have it counted."""
        ...

    @property
    def past(self) -> Past:
        """Counts and latencies of any range that is kept."""
        ...

    @property
    def explaining(self) -> Explaining:
        """Evidence of what is slow, and what it says."""
        ...

    @property
    def tracing(self) -> Traced:
        """Whole traces of its requests."""
        ...

    @property
    def declaring(self) -> Declaring:
        """Exclusions that people declare."""
        ...

    @property
    def reports(self) -> Reports:
        """Reports of periods."""
        ...

    @property
    def judged(self) -> float | None:
        """When the newest tick was judged, in Unix seconds; None before the first."""
        ...

    def snapshot(self) -> Snapshot: ...

    async def look(self) -> None:
        """Bring up to date what is found only when somebody looks: percentiles, and slots that are missing."""
        ...

    async def periods(self, contract: str) -> Sequence[PeriodView]:
        """The periods of a contract that are over and kept, newest first. Raises StoreError."""
        ...

    async def versions(self, contract: str) -> Sequence[VersionUse]:
        """Every use of a version of this contract, newest first. Raises StoreError."""
        ...

    async def ledger(self, asked: LedgerQuery) -> Sequence[LedgerRow]:
        """The rows of the ledger that are wanted, oldest first. Raises StoreError."""
        ...

    async def ledger_head(self) -> LedgerHead:
        """Its newest row. Raises StoreError."""
        ...

    async def letters(self, *, dead: bool, after: int = 0, most: int = 1000) -> Sequence[Letter]:
        """The oldest messages after this row that were not delivered; `dead`: dead letters alone.

        Raises StoreError.
        """
        ...

    async def replay(self, *, rows: Collection[int] | None, contract: str | None) -> int:
        """Send dead letters of these rows and this contract (None: any) again; how many. Raises StoreError."""
        ...

    async def discard(self, author: str, reason: str, *, rows: Collection[int] | None, contract: str | None) -> int:
        """Forget dead letters of these rows and this contract (None: any); how many. Raises StoreError."""
        ...

    async def reload(self, author: str) -> Changed:
        """Read the contracts again. Raises KeeptimeError where that is refused; then nothing has changed."""
        ...

    async def probe(self, contract: str) -> Sample:
        """One fresh probe of a configured contract, now. Raises KeyError for a name that is not configured."""
        ...
