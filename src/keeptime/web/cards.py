"""A contract and its objectives as words and bars, for pages.

Guarantees: decides nothing (the judge's condition and reason are shown as they are); rounding never shows a
missed target as met; colour is never the only sign. Knows nothing of HTML.
"""

from dataclasses import dataclass, replace

from keeptime.app.view import ContractView, Snapshot
from keeptime.contract.terms import Objective, PolicyKind
from keeptime.judge.reason import NOUNS, promise, spoken_chance
from keeptime.model.sample import Sample
from keeptime.model.tally import Tally
from keeptime.model.verdict import Condition, TierReport, TierState, Verdict
from keeptime.units import format_duration, format_percent, speak_duration
from keeptime.web.beside import beside_lines, beside_of, disagreement_of
from keeptime.web.describe import shown_observed
from keeptime.web.figures import shown_count, shown_rate, shown_ratio, shown_since
from keeptime.web.kept import shown_compliance, shown_latency
from keeptime.web.marks import shown_marks
from keeptime.web.receivers import ReceiverRow, receiver_row
from keeptime.web.segments import SegmentRow, segment_rows
from keeptime.web.terms import Promise, shown_others, shown_terms, together_of
from keeptime.web.told import rows_around
from keeptime.web.traffic import TrafficRow, signal_rows, traffic_rows

RESULTS = ("good", "bad", "skipped", "excluded")
WAITING = "waiting"
WORDS = {
    Condition.OK.value: "ok",
    Condition.AT_RISK.value: "at risk",
    Condition.BROKEN.value: "broken",
    Condition.NO_DATA.value: "no data",
    WAITING: "waiting",
}
WORST_FIRST = (
    Condition.BROKEN.value,
    Condition.AT_RISK.value,
    Condition.NO_DATA.value,
    WAITING,
    Condition.OK.value,
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A share in 0–1 to fill, where a mark stands (or nowhere), and the same in words."""

    fill: float
    label: str
    mark: float | None = None


@dataclass(frozen=True, slots=True)
class TierRow:
    name: str
    state: str
    severity: str
    windows: str
    limit: str


@dataclass(frozen=True, slots=True)
class ObjectiveCard:
    """One objective. Everything after `reason` is empty while there is no verdict."""

    name: str
    promise: str
    condition: str
    word: str
    reason: str
    since: str = ""
    severity: str = ""
    target: str = ""
    sli: str = ""
    sli_bar: Bar | None = None
    budget: str = ""
    budget_of: str = ""
    budget_bar: Bar | None = None
    burn: str = ""
    burn_over: str = ""
    events: str = ""
    runs_out: str = ""
    chance: str = ""
    tiers: tuple[TierRow, ...] = ()
    kept: tuple[str, ...] = ()
    terms: str = ""
    internal: bool = False
    marks: tuple[tuple[str, str], ...] = ()
    segments: tuple[SegmentRow, ...] = ()
    beside: tuple[str, ...] = ()
    disagreement: str = ""


@dataclass(frozen=True, slots=True)
class ContractCard:
    name: str
    provider: str
    model: str
    endpoint: str
    condition: str
    probe: str
    probe_failed: bool
    probed: bool
    read: bool
    traffic: tuple[TrafficRow, ...]
    signals: tuple[tuple[str, str], ...]
    requests: str
    latency: str
    objectives: tuple[ObjectiveCard, ...]
    together: tuple[Promise, ...]
    others: tuple[str, ...]
    stated: tuple[tuple[str, str], ...]
    receivers: tuple[ReceiverRow, ...]


def contract_card(view: ContractView, snapshot: Snapshot) -> ContractCard:
    contract, sample, beside = view.contract, view.last_sample, beside_of(view)
    objectives = tuple(
        replace(
            objective_card(objective, verdict, snapshot),
            kept=shown_compliance(kept),
            terms=shown_terms(objective),
            internal=objective.internal,
            marks=shown_marks(snapshot, contract.key(objective)),
            segments=segment_rows(view, objective, snapshot) if objective.per else (),
            beside=tuple(beside_lines(beside.get(objective.name))),
            disagreement=disagreement_of(view, objective),
        )
        for objective, verdict, kept in zip(contract.objectives, view.verdicts, view.compliance, strict=True)
        if not objective.segment
    )
    present = {objective.condition for objective in objectives if not objective.internal}
    return ContractCard(
        name=contract.name,
        provider=contract.provider,
        model=contract.model,
        endpoint=shown_observed(contract),
        condition=next((condition for condition in WORST_FIRST if condition in present), WAITING),
        probe=_last_probe(sample, snapshot.at) if contract.probes else _last_read(view),
        probe_failed=bool(view.source_problem) or (sample is not None and sample.failure is not None),
        probed=bool(contract.probes),
        read=contract.source is not None,
        traffic=traffic_rows(view, snapshot.at),
        signals=tuple(signal_rows(view)),
        requests=_requests(view),
        latency=shown_latency(view.latency),
        objectives=objectives,
        together=together_of(view),
        others=tuple(shown_others(view)),
        stated=tuple(rows_around(view, snapshot.told)),
        receivers=tuple(receiver_row(each) for each in snapshot.deliveries if each.contract == contract.name),
    )


def _last_read(view: ContractView) -> str:
    done = view.reads.get("ok", 0)
    return view.source_problem or (f"{shown_count(done)} reads" if done else "not read yet")


def _last_probe(sample: Sample | None, now: float) -> str:
    if sample is None:
        return "no probe has ended yet"
    took = speak_duration(sample.latency_ns / 1e9)
    ago = (
        speak_duration(max(0, round(now - sample.done_ns / 1e9)))
        if now - sample.done_ns / 1e9 >= 1
        else "under 1 s"
    )
    if sample.failure is None:
        first = None if sample.stream is None else sample.stream.first_token_ns
        begun = "" if first is None else f" (first token {speak_duration(first / 1e9)})"
        return f"{took}{begun}, status {sample.status}, {ago} ago"
    status = f" {sample.status}" if sample.status is not None else ""
    return f"failed ({sample.failure.value.replace('_', ' ')}{status}) after {took}, {ago} ago"


def _requests(view: ContractView) -> str:
    counters = view.counters
    if not view.contract.probes:
        counted = next(iter(view.counted), Tally())
        return f"{counted.events:,} counted, {counted.bad:,} bad"
    parts = [f"{counters.requests:,} sent", f"{counters.failures.total():,} failed"]
    if counters.skipped:
        parts.append(f"{counters.skipped:,} skipped")
    if view.in_flight:
        parts.append(f"{view.in_flight:,} in flight")
    return ", ".join(parts)


def objective_card(objective: Objective, verdict: Verdict | None, snapshot: Snapshot) -> ObjectiveCard:
    """How it stands, without what is known beside its verdict."""
    if verdict is None:
        wait = snapshot.tick_seconds - snapshot.at % snapshot.tick_seconds
        reason = f"First verdict in {speak_duration(max(1, round(wait)))}: a tick has to end before it is judged."
        return ObjectiveCard(objective.name, promise(objective), WAITING, WORDS[WAITING], reason)
    burn, over = _burn_now(verdict)
    noun = NOUNS[objective.of] if objective.each is None else "intervals"
    word = "fills" if objective.policy.kind is PolicyKind.BUCKETS else "fires"
    condition = verdict.condition.value
    return ObjectiveCard(
        name=objective.name,
        promise=promise(objective),
        condition=condition,
        word=WORDS[condition],
        reason=verdict.reason,
        since=shown_since(verdict.since, snapshot.at),
        severity=verdict.severity.value if verdict.severity else "",
        target=format_percent(verdict.target),
        sli="" if verdict.sli is None else shown_ratio(verdict.good, verdict.good + verdict.bad, verdict.target),
        sli_bar=None if verdict.sli is None else _sli_bar(verdict.sli, float(verdict.target)),
        budget=shown_count(max(0.0, verdict.budget.left)),
        budget_of=_budget_of(verdict, noun),
        budget_bar=_budget_bar(verdict, noun),
        burn=burn,
        burn_over=over,
        events=", ".join(f"{getattr(verdict, name):,} {name}" for name in RESULTS),
        runs_out=speak_duration(verdict.exhausted_in) if verdict.exhausted_in else "",
        chance=_chance(verdict),
        tiers=tuple(_tier(tier, word) for tier in verdict.tiers),
    )


def _sli_bar(sli: float, target: float) -> Bar:
    """Zoomed in: the right end is 100 %, the mark is the target, and four times the allowed share is empty."""
    low = max(0.0, 1 - 4 * (1 - target))
    label = f"SLI {format_percent(round(sli, 6))} against a target of {format_percent(target)}"
    return Bar(max(0.0, (sli - low) / (1 - low)), label, (target - low) / (1 - low))


def _budget_of(verdict: Verdict, noun: str) -> str:
    budget = verdict.budget
    over = f"; {shown_count(-budget.left)} over" if budget.left < 0 else ""
    return f"of {shown_count(budget.total)} {noun}{over}"


def _budget_bar(verdict: Verdict, noun: str) -> Bar:
    budget = verdict.budget
    share = min(1.0, max(0.0, budget.left / budget.total)) if budget.total > 0 else 0.0
    return Bar(share, f"error budget left: {shown_count(budget.left)} of {shown_count(budget.total)} {noun}")


def _chance(verdict: Verdict) -> str:
    """ "missed with a chance of 12 %"; nothing once it is."""
    if verdict.forecast is None or verdict.forecast.miss_chance == 1:
        return ""
    return f"missed with a chance of {spoken_chance(verdict.forecast.miss_chance)}"


def _burn_now(verdict: Verdict) -> tuple[str, str]:
    """The burn rate over the shortest window that has events, and that window."""
    rates = {window.seconds: window.burn_rate for tier in verdict.tiers for window in tier.windows}
    rates[verdict.window_seconds] = verdict.burn_rate
    for seconds, rate in sorted(rates.items()):
        if rate is not None:
            return f"{shown_rate(rate)}×", f"over {format_duration(seconds)}"
    return "–", "no events"


def _tier_name(tier: TierReport) -> str:
    """ "page", or "outage (page)" of a tier that has a name of its own."""
    severity = tier.severity.value
    return severity if tier.name.startswith((severity, "below")) else f"{tier.name} ({severity})"


def _tier(tier: TierReport, word: str) -> TierRow:
    def window(seconds: float, rate: float | None) -> str:
        return f"{format_duration(seconds)} {'no events' if rate is None else f'{shown_rate(rate)}×'}"

    return TierRow(
        name=tier.name,
        state=TierState(tier.state).value,
        severity=_tier_name(tier),
        windows=", ".join(window(each.seconds, each.burn_rate) for each in tier.windows),
        limit=f"{word} above {shown_rate(tier.burn_limit)}×",
    )
