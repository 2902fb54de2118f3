"""A daemon that only shows: stands in for the running one wherever a `Showable` is wanted.

Guarantees: what is shown is exactly what was put in; probes answer with the sample that was set, after the wait
that was set. Knows nothing of judging: a verdict is made with the counts and the condition that it is given.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from keeptime.app.periods import ComplianceView, PeriodView
from keeptime.app.reloading import Changed
from keeptime.app.reports import Reports
from keeptime.app.taking import Intake
from keeptime.app.view import ContractView, DeliveryView, Health, SignView, Snapshot
from keeptime.contract.probed import Endpoint, Probe
from keeptime.contract.sources import ClassicHistogram
from keeptime.contract.terms import Contract, Objective, Policy, PolicyKind, PrometheusSource, Rolling
from keeptime.errors import KeeptimeError
from keeptime.model.alert import Letter
from keeptime.model.beside import BesideView
from keeptime.model.counters import USUAL_BOUNDS, RequestCounters
from keeptime.model.exclusion import Exclusion
from keeptime.model.key import Signal
from keeptime.model.latency import Latency
from keeptime.model.ledger import LedgerHead, LedgerQuery, LedgerRow
from keeptime.model.sample import Connection, Failure, Phases, Sample
from keeptime.model.tally import Tally
from keeptime.model.traffic import TrafficView
from keeptime.model.verdict import Budget, Condition, Forecast, Severity, TierReport, Verdict
from keeptime.model.version import VersionUse
from keeptime.tell.own_promise import Told
from keeptime.testing.declaring import FakeDeclaring
from keeptime.testing.explaining import FakeExplaining
from keeptime.testing.happened import FakeHappened
from keeptime.testing.past import FakePast
from keeptime.testing.quieting import FakeQuieting
from keeptime.testing.reports import FakeReports
from keeptime.testing.taking import FakeIntake
from keeptime.testing.traced import FakeTraced

NOW = 1_800_000_004.0


@dataclass(slots=True)
class FakeShowable:
    """Put a snapshot's parts in; take snapshots out. `probe_seconds`: how long a probe takes to answer. `closed`:
    periods that are over, by contract. `undelivered`: messages that wait, and dead letters. `reloaded`: what a
    reload does. `ledger_rows`: oldest first; `uses`: of versions, by contract.
    """

    contracts: list[ContractView] = field(default_factory=list)
    deliveries: Sequence[DeliveryView] = ()
    signs: Sequence[SignView] = ()
    passed_on: Mapping[tuple[str, str], int] = field(default_factory=dict)
    told: Sequence[Told] = ()
    problems: tuple[str, ...] = ()
    reload_error: str = ""
    engine: Mapping[str, float] = field(default_factory=dict)
    now: float = NOW
    tick_seconds: float = 10.0
    last_tick_at: float | None = NOW - 4
    outcome: Sample | Exception | None = None
    probe_seconds: float = 0.0
    probed: list[str] = field(default_factory=list)
    closed: Mapping[str, Sequence[PeriodView]] = field(default_factory=dict)
    undelivered: list[Letter] = field(default_factory=list)
    discarded_by: list[tuple[str, str]] = field(default_factory=list)
    reloaded: Changed | KeeptimeError = field(default_factory=Changed)
    reloaded_by: list[str] = field(default_factory=list)
    quieting: FakeQuieting = field(default_factory=FakeQuieting)
    happened: FakeHappened = field(default_factory=FakeHappened)
    ledger_rows: list[LedgerRow] = field(default_factory=list)
    uses: Mapping[str, Sequence[VersionUse]] = field(default_factory=dict)
    intake: Intake = field(default_factory=FakeIntake)
    past: FakePast = field(default_factory=FakePast)
    explaining: FakeExplaining = field(default_factory=FakeExplaining)
    declaring: FakeDeclaring = field(default_factory=FakeDeclaring)
    reports: Reports = field(default_factory=FakeReports)
    tracing: FakeTraced = field(default_factory=FakeTraced)

    @property
    def judged(self) -> float | None:
        return self.last_tick_at

    def snapshot(self) -> Snapshot:
        return Snapshot(
            at=self.now,
            tick_seconds=self.tick_seconds,
            contracts=tuple(self.contracts),
            deliveries=tuple(self.deliveries),
            health=Health(self.now - 3600, self.now, self.last_tick_at, self.last_tick_at, self.problems),
            engine=self.engine,
            reload_error=self.reload_error,
            silences=tuple(self.quieting.silences),
            acks={each.key: each for each in self.quieting.acks},
            signs=tuple(self.signs),
            passed_on=self.passed_on,
            told=tuple(self.told),
        )

    async def look(self) -> None:
        """There is nothing to find: what is shown was put in."""

    async def periods(self, contract: str) -> Sequence[PeriodView]:
        return self.closed.get(contract, ())

    async def versions(self, contract: str) -> Sequence[VersionUse]:
        return self.uses.get(contract, ())

    async def ledger(self, asked: LedgerQuery) -> Sequence[LedgerRow]:
        found = [
            row
            for row in self.ledger_rows
            if asked.kind in ("", row.kind)
            and asked.contract in ("", row.contract)
            and row.seq > (asked.after or 0)
            and (asked.before is None or row.seq < asked.before)
            and row.at >= (asked.since or 0)
        ]
        return found[-asked.most :] if asked.after is None else found[: asked.most]

    async def ledger_head(self) -> LedgerHead:
        return LedgerHead(self.ledger_rows[-1].seq, self.ledger_rows[-1].hash) if self.ledger_rows else LedgerHead()

    async def letters(self, *, dead: bool, after: int = 0, most: int = 1000) -> Sequence[Letter]:
        found = [each for each in self.undelivered if each.dead is not None or not dead]
        return [each for each in found if each.row > after][:most]

    async def replay(self, *, rows: Collection[int] | None, contract: str | None) -> int:
        chosen = [
            each
            for each in await self.letters(dead=True)
            if (rows is None or each.row in rows) and (contract is None or each.contract == contract)
        ]
        self.undelivered = [replace(each, dead=None) if each in chosen else each for each in self.undelivered]
        return len(chosen)

    async def discard(self, author: str, reason: str, *, rows: Collection[int] | None, contract: str | None) -> int:
        before = len(await self.letters(dead=True))
        self.undelivered = [
            each
            for each in self.undelivered
            if each.dead is None
            or not ((rows is None or each.row in rows) and (contract is None or each.contract == contract))
        ]
        self.discarded_by += [(author, reason)]
        return before - len(await self.letters(dead=True))

    async def reload(self, author: str) -> Changed:
        self.reloaded_by.append(author)
        if isinstance(self.reloaded, KeeptimeError):
            raise self.reloaded
        return self.reloaded

    async def probe(self, contract: str) -> Sample:
        self.probed.append(contract)
        if contract not in {view.contract.name for view in self.contracts}:
            raise KeyError(contract)
        await asyncio.sleep(self.probe_seconds)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome or sample(contract)


def contract(
    name: str = "sentiment-latency",
    *,
    objectives: Sequence[Objective] = (),
    url: str = "http://127.0.0.1:5000/predict",
    model: str = "sentiment",
    provider: str = "ml-platform",
) -> Contract:
    """A contract with one probe each 10 s; without objectives given: 99 % of requests under 500 ms over 28 d."""
    return Contract(
        name=name,
        provider=provider,
        model=model,
        endpoint=Endpoint(url, "POST", body=b'{"data":"sample_input"}'),
        probes=(Probe(every=10.0, timeout=5.0),),
        objectives=tuple(objectives) or (objective(),),
        consumers=(),
        operators=(),
        no_data_after=60.0,
        version="0123456789abcdef",
        file=f"{name}.yaml",
    )


def observed(name: str = "counted-elsewhere", metric: str = "http_request_duration_seconds") -> Contract:
    """A contract whose requests are counted from a histogram in a Prometheus."""
    source = PrometheusSource(ClassicHistogram(metric), url="http://127.0.0.1:9090")
    return replace(contract(name), endpoint=None, probes=(), source=source)


def objective(
    name: str = "p99", target: str = "99/100", under: float | None = 0.5, over: float = 2_419_200.0
) -> Objective:
    """An objective; `target` as a fraction, `under` and `over` in seconds."""
    return Objective(name, Fraction(target), under, Rolling(over), Policy(PolicyKind.BURN_RATE))


def view(
    of: Contract,
    verdicts: Sequence[Verdict | None] = (),
    *,
    counted: Sequence[Tally] = (),
    exclusions: Sequence[Mapping[Exclusion, int]] = (),
    counters: RequestCounters | None = None,
    reads: Mapping[str, int] | None = None,
    source_problem: str = "",
    last_sample: Sample | None = None,
    in_flight: int = 0,
    compliance: Sequence[ComplianceView] = (),
    latency: Latency | None = None,
    traffic: Sequence[TrafficView] = (),
    beside: Sequence[BesideView | None] = (),
    signals: Mapping[Signal, Latency] | None = None,
) -> ContractView:
    """A contract as it stands; without verdicts given, none has been reached."""
    under = {each.under for each in of.objectives if each.under is not None}
    return ContractView(
        contract=of,
        verdicts=tuple(verdicts) or (None,) * len(of.objectives),
        counted=tuple(counted) or (Tally(),) * len(of.objectives),
        counters=counters or RequestCounters(tuple(sorted({*USUAL_BOUNDS, *under}))),
        exclusions=tuple(exclusions) or ({},) * len(of.objectives),
        in_flight=in_flight,
        last_sample=last_sample,
        reads=reads or {},
        source_problem=source_problem,
        compliance=tuple(compliance) or (ComplianceView(),) * len(of.objectives),
        latency=latency,
        traffic=tuple(traffic),
        beside=tuple(beside) or (None,) * len(of.objectives),
        signals=signals or {},
    )


def verdict(
    of: Contract,
    condition: Condition,
    *,
    nth: int = 0,
    good: int = 0,
    bad: int = 0,
    skipped: int = 0,
    excluded: int = 0,
    total: float = 2419.2,
    tiers: Sequence[TierReport] = (),
    reason: str = "as the test says",
    severity: Severity | None = None,
    exhausted_in: float | None = None,
    forecast: Forecast | None = None,
    since: float = NOW - 724,
) -> Verdict:
    """A verdict on the contract's nth objective, with its ratios computed from the counts given."""
    promised = of.objectives[nth]
    events = good + bad
    over = promised.over
    return Verdict(
        key=of.key(promised),
        tick=180_000_000,
        at=NOW - 4,
        condition=condition,
        since=since,
        severity=severity,
        target=promised.target,
        threshold_seconds=promised.under,
        window_seconds=over.seconds if isinstance(over, Rolling) else 2_678_400.0,
        good=good,
        bad=bad,
        skipped=skipped,
        burn_rate=float(Fraction(bad, events) / promised.budget_ratio) if events else None,
        budget=Budget(total, bad),
        tiers=tuple(tiers),
        exhausted_in=exhausted_in,
        reason=reason,
        forecast=forecast,
        excluded=excluded,
    )


def sample(
    contract: str = "sentiment-latency",
    seconds: float = 0.0213,
    *,
    failure: Failure | None = None,
    status: int | None = 200,
    detail: str = "",
    sent: float = NOW - 3,
) -> Sample:
    """A probe that took `seconds`, nearly all of it waiting; refused ones end in the connect phase."""
    sent_ns, took = round(sent * 1e9), round(seconds * 1e9)
    refused = failure is Failure.REFUSED
    early, late = took // 20, took - 3 * (took // 20)
    phases = Phases(connect=took) if refused else Phases(0, early, 0, early, late, early)
    return Sample(
        contract=contract,
        due_ns=sent_ns,
        sent_ns=sent_ns,
        done_ns=sent_ns + took,
        phases=phases,
        failure=failure,
        status=None if refused else status,
        size=64,
        connection=Connection.FRESH,
        stamped=True,
        lag_ns=0,
        detail=detail,
    )
