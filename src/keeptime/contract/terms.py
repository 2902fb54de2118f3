"""What a contract says, as frozen values: the only form in which the rest of keeptime knows it.

Guarantees: a value of these types is legal; whoever holds one need not check it again. Built by
`keeptime.contract.load`; knows nothing of YAML, files or other formats.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from keeptime.contract.limits import Bound, Interval
from keeptime.contract.probed import Endpoint, Kind, Probe, SecretRef
from keeptime.contract.process import Process
from keeptime.contract.regular import Regular
from keeptime.contract.scope import Exclude, Maintenance, Per, Segment, Where, of_objective
from keeptime.contract.sources import Counts
from keeptime.contract.traced import Tracing
from keeptime.contract.traffic.source import Traffic
from keeptime.contract.urgency import USUAL, Ping, Urgency
from keeptime.model.alert import Address, Topic
from keeptime.model.key import ObjectiveKey, Signal
from keeptime.model.verdict import Severity
from keeptime.units import format_duration


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    """Read counts from the Prometheus at `url` every so many seconds; a query that takes longer than `timeout` is
    given up. `headers` as of an endpoint.
    """

    counts: Counts
    url: str = "http://127.0.0.1:9090"
    headers: Mapping[str, str | SecretRef] = field(default_factory=dict)
    every: float = 30.0
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Rolling:
    """The last so many seconds. Where `least` events are in the last `short` seconds, those alone (0: never)."""

    seconds: float
    short: float = 0.0
    least: int = 0

    def __str__(self) -> str:
        if not self.least:
            return format_duration(self.seconds)
        return f"{format_duration(self.short)} if {self.least} requests, else {format_duration(self.seconds)}"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The current calendar period in a time zone (IANA name)."""

    unit: Literal["day", "week", "month", "quarter"]
    timezone: str = "UTC"

    def __str__(self) -> str:
        return f"calendar {self.unit}"


Window = Rolling | Calendar


@dataclass(frozen=True, slots=True)
class Tier:
    """One multi-window burn-rate tier: fires when both windows burn faster than `factor` (seconds, ratio)."""

    severity: Severity
    long: float
    short: float
    factor: float


class PolicyKind(StrEnum):
    BUCKETS = "buckets"
    BURN_RATE = "burn-rate"
    SUSTAINED = "sustained"


@dataclass(frozen=True, slots=True)
class Policy:
    """Which decision rule, with its own terms where the contract gives them.

    `tiers`: of burn-rate; empty means the rule's published ones, scaled to the objective's window.
    `window`, `hold`: of sustained; seconds.
    """

    kind: PolicyKind
    tiers: tuple[Tier, ...] = ()
    window: float = 300.0
    hold: float = 600.0


@dataclass(frozen=True, slots=True)
class CreditTier:
    """What is due when the attainment of a period is below `below`; both are shares."""

    below: Fraction
    credit: Fraction


@dataclass(frozen=True, slots=True)
class Credits:
    """Credits by attainment: `below` falls and `credit` rises from tier to tier. `cap`: no more is due; `of`: what
    the credits are a share of, in the contract's own words."""

    tiers: tuple[CreditTier, ...]
    cap: Fraction | None = None
    of: str = ""


@dataclass(frozen=True, slots=True)
class Objective:
    """One promise. A good request succeeds, takes at most `under` seconds (None: that is not asked), keeps to every
    one of `bounds`, and gives `at_least` so many tokens a second. `errors`: failures are bad, or left out.

    `warns_of`: the objective that this tighter, internal one stands before; "" of what was promised. In force from
    `begins` until before `ends` (Unix seconds on whole minutes; None: without that end). `per`: it is judged by
    segments too; such a one exists while keeptime runs, is internal, and says of which objective it is a `segment`.
    """

    name: str
    target: Fraction
    under: float | None
    over: Window
    policy: Policy
    of: Signal = Signal.REQUESTS
    errors: Literal["bad", "excluded"] = "bad"
    warns_of: str = ""
    begins: int | None = None
    ends: int | None = None
    credits: Credits | None = None
    where: Where = ()
    exclude: tuple[Exclude, ...] = ()
    each: Interval | None = None
    min_events: int = 0
    bounds: tuple[Bound, ...] = ()
    at_least: Fraction | None = None
    per: Per | None = None
    segment: Segment = ()
    segment_of: str = ""

    @property
    def internal(self) -> bool:
        """Is it the provider's own, of which consumers never hear?"""
        return self.warns_of != "" or self.segment_of != ""

    def in_force(self, unix_seconds: float) -> bool:
        """Do these terms hold for what happens at this instant?"""
        begun = self.begins is None or self.begins <= unix_seconds
        return begun and (self.ends is None or unix_seconds < self.ends)

    @property
    def under_ns(self) -> int | None:
        return None if self.under is None else round(self.under * 1_000_000_000)

    @property
    def budget_ratio(self) -> Fraction:
        """1 − target, exactly."""
        return 1 - self.target


@dataclass(frozen=True, slots=True)
class Consumer:
    """Someone the promise was made to, and what they hear of it. `heartbeat`: seconds between two; None: none.
    `report`: of each period that is over; None: none is sent.
    """

    name: str
    tell: tuple[Address, ...]
    about: frozenset[Topic]
    heartbeat: float | None = None
    urgency: Urgency = USUAL
    report: Regular | None = None


@dataclass(frozen=True, slots=True)
class Together:
    """A promise that is met when each of these objectives is, and missed when one is missed. `credit`: the share
    due when it is missed, None where none is."""

    name: str
    all: tuple[str, ...]
    credit: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """One promise file. `version`: a stable hash (hex) of what it says; edits that only move text keep it.

    Observed by `probes` of its `endpoint` and in `traffic`, or from a `source` alone; in one way at least.
    `no_data_after`: seconds without any event after which an objective is `no_data`.
    `links`: names and URLs that messages carry (runbook, dashboard). `objectives`: all terms, also those not in
    force now; of one name at most one is in force at a time. `duties`, `vantage`, `token_basis`: stated, shown
    and not judged. `timezone`: of the months that rolling objectives are accounted by. `allow`: the private
    networks that names of receivers may lead into; each of their addresses has them too. `report`: what the
    operators get of each period that is over. `ordered`: maintenance that somebody declared while keeptime runs; no
    part of what the contract says.
    """

    name: str
    provider: str
    model: str
    endpoint: Endpoint | None
    probes: tuple[Probe, ...]
    objectives: tuple[Objective, ...]
    consumers: tuple[Consumer, ...]
    operators: tuple[Address, ...]
    no_data_after: float
    version: str
    file: str
    links: Mapping[str, str] = field(default_factory=dict)
    source: PrometheusSource | None = None
    together: tuple[Together, ...] = ()
    duties: Mapping[str, str] = field(default_factory=dict)
    vantage: str = ""
    token_basis: str = ""
    timezone: str = "UTC"
    exclude: tuple[Exclude, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    ping: Ping | None = None
    urgency: Urgency = USUAL
    allow: tuple[str, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    tracing: Tracing | None = None
    process: Process | None = None
    report: Regular | None = None
    ordered: tuple[Maintenance, ...] = ()

    def at(self, unix_seconds: float) -> "Contract":
        """The same contract with the objectives alone that are in force at this instant."""
        return replace(self, objectives=tuple(each for each in self.objectives if each.in_force(unix_seconds)))

    def exempting(self, objective: Objective) -> tuple[Exclude, ...]:
        """What does not count for this objective: its own exclusions, then the contract's."""
        return objective.exclude + self.exclude

    def maintained(self, objective: Objective) -> tuple[Maintenance, ...]:
        """The maintenance windows that concern it; an internal one those of the objective it is about."""
        return of_objective(
            self.maintenance + self.ordered, objective.warns_of or objective.segment_of or objective.name
        )

    def key(self, objective: Objective) -> ObjectiveKey:
        return ObjectiveKey(self.name, objective.name)

    @property
    def observed(self) -> str:
        """What is observed, in words: the method and URL probed and the traffic, or the Prometheus read; without a
        query."""
        if self.source is not None:
            return f"counts from {self.source.url.partition('?')[0]}"
        endpoint = self.endpoint
        own = [] if endpoint is None else [_asked(endpoint, each) for each in self.probes]
        return ", ".join(dict.fromkeys([*own, *(each.said for each in self.traffic)]))

    def expected(self, objective: Objective) -> float:
        """Events per second of this objective: probe slots, or intervals; 0 where that is not known beforehand:
        requests are not keeptime's own, only some are eligible, or each is many events.
        """
        unknown = objective.where or objective.segment_of or objective.of is Signal.INTER_TOKEN
        return 0.0 if unknown and objective.each is None else self.slots(objective)

    def slots(self, objective: Objective, traffic: float | None = None) -> float:
        """All that may be events of this objective, per second: intervals, else the given traffic, else probes."""
        if objective.each is not None:
            return 1 / objective.each.seconds
        return self.events_per_second if traffic is None else traffic

    @property
    def events_per_second(self) -> float:
        """Probe slots per second: the expected rate of events; 0 where not all of them are keeptime's own."""
        return 0.0 if self.traffic else sum(1 / probe.every for probe in self.probes)


def _asked(endpoint: Endpoint, probe: Probe) -> str:
    url = endpoint.url.partition("?")[0]
    if probe.kind is Kind.TCP:
        return f"a connection to {url}"
    return probe.terms.said(f"{endpoint.method} {url}", url)
