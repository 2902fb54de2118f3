"""keeptime's own series: verdicts, burn, budget, the prober's lag, deliveries, its own health.

Guarantees: what is not known is absent, never 0 or NaN; no label holds a URL; the number of series is bounded by
what the contracts name.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

from keeptime import __version__
from keeptime.app.view import ContractView, DeliveryView, Snapshot
from keeptime.model.verdict import Condition, Verdict
from keeptime.units import format_duration
from keeptime.web.beside import beside_series
from keeptime.web.pair_series import pair_series
from keeptime.web.quiet_series import quiet_series
from keeptime.web.segments import segment_series
from keeptime.web.sign_series import passed_on, sign_series
from keeptime.web.told import told_series
from keeptime.web.traffic import traffic_series

OBJECTIVE = ("contract", "objective")
RESULTS = ("good", "bad", "skipped", "excluded")
RECEIVER = ("contract", "audience", "receiver")


def own_series(snapshot: Snapshot) -> Iterator[Metric]:
    """All of keeptime's own series."""
    yield from _terms(snapshot.contracts)
    yield from segment_series(snapshot.contracts)
    yield from traffic_series(snapshot.contracts)
    yield from beside_series(snapshot.contracts)
    yield _counted(snapshot.contracts)
    yield _excluded(snapshot.contracts)
    verdicts = [verdict for view in snapshot.contracts for verdict in view.verdicts if verdict is not None]
    yield from _verdicts(verdicts)
    yield from _burn_and_budget(verdicts)
    yield from _prober([view for view in snapshot.contracts if view.contract.probes])
    yield from _sources([view for view in snapshot.contracts if view.contract.source is not None])
    yield from _deliveries(snapshot.deliveries)
    yield from sign_series(snapshot)
    yield passed_on(snapshot)
    yield from pair_series(snapshot)
    yield from told_series(snapshot)
    yield from quiet_series(snapshot)
    yield from _self(snapshot)
    yield from _engine(snapshot)


def _terms(views: Sequence[ContractView]) -> Iterator[Metric]:
    contracts = InfoMetricFamily("keeptime_contract", "What a contract is about.", labels=("contract",))
    target = GaugeMetricFamily(
        "keeptime_objective_target_ratio", "Promised share of good events.", labels=OBJECTIVE
    )
    threshold = GaugeMetricFamily(
        "keeptime_objective_threshold_seconds",
        "Promised latency; absent for an objective on success alone.",
        labels=OBJECTIVE,
    )
    internal = GaugeMetricFamily(
        "keeptime_objective_internal",
        "1 for the provider's own objective before one that was promised, or a segment of one; else 0.",
        labels=OBJECTIVE,
    )
    for view in views:
        contract = view.contract
        about = {"provider": contract.provider, "model": contract.model, "version": contract.version}
        contracts.add_metric((contract.name,), about)
        for objective in contract.objectives:
            key = contract.key(objective)
            target.add_metric(key, float(objective.target))
            internal.add_metric(key, objective.internal)
            if objective.under is not None:
                threshold.add_metric(key, objective.under)
    yield from (contracts, target, threshold, internal)


def _counted(views: Sequence[ContractView]) -> Metric:
    counter = CounterMetricFamily(
        "keeptime_objective_requests",
        "Requests counted for the objective since keeptime started; moves when a tick is closed.",
        labels=(*OBJECTIVE, "result"),
    )
    for view in views:
        for objective, tally in zip(view.contract.objectives, view.counted, strict=True):
            key = view.contract.key(objective)
            for result in RESULTS:
                counter.add_metric((*key, result), getattr(tally, result))
    return counter


def _excluded(views: Sequence[ContractView]) -> Metric:
    """Only reasons that have left something out: their number is bounded by the contract's terms."""
    counter = CounterMetricFamily(
        "keeptime_objective_excluded",
        "Requests left out since keeptime started, by the terms and the reason that left them out.",
        labels=(*OBJECTIVE, "terms", "reason"),
    )
    for view in views:
        for objective, reasons in zip(view.contract.objectives, view.exclusions, strict=True):
            for why, count in sorted(reasons.items(), key=lambda each: (each[0].kind, str(each[0]))):
                counter.add_metric((*view.contract.key(objective), why.kind.value, str(why)), count)
    return counter


def _verdicts(verdicts: Sequence[Verdict]) -> Iterator[Metric]:
    condition = GaugeMetricFamily(
        "keeptime_objective_condition",
        "1 for the condition that the objective is in now, 0 for the others; absent before the first verdict.",
        labels=(*OBJECTIVE, "condition"),
    )
    since = GaugeMetricFamily(
        "keeptime_objective_condition_since_timestamp_seconds", "When that condition began.", labels=OBJECTIVE
    )
    sli = GaugeMetricFamily(
        "keeptime_objective_sli_ratio",
        "Share of good events over the objective's window; absent when there were none.",
        labels=OBJECTIVE,
    )
    events = GaugeMetricFamily(
        "keeptime_objective_events", "Events in the objective's window.", labels=(*OBJECTIVE, "result")
    )
    for verdict in verdicts:
        for each in Condition:
            condition.add_metric((*verdict.key, each.value), each is verdict.condition)
        since.add_metric(verdict.key, verdict.since)
        for result in RESULTS:
            events.add_metric((*verdict.key, result), getattr(verdict, result))
        if verdict.sli is not None:
            sli.add_metric(verdict.key, verdict.sli)
    yield from (condition, since, sli, events)


def _burn_and_budget(verdicts: Sequence[Verdict]) -> Iterator[Metric]:
    burn = GaugeMetricFamily(
        "keeptime_objective_burn_rate",
        "Share of bad events over what the target allows, for each window; absent for a window without events.",
        labels=(*OBJECTIVE, "window"),
    )
    budget = GaugeMetricFamily(
        "keeptime_objective_budget_requests", "The error budget in requests.", labels=(*OBJECTIVE, "part")
    )
    exhausted = GaugeMetricFamily(
        "keeptime_objective_budget_exhausted_in_seconds",
        "Time until the budget is gone at the present pace; absent while it is not being used up.",
        labels=OBJECTIVE,
    )
    missed = GaugeMetricFamily(
        "keeptime_objective_miss_probability",
        "Chance that more will be bad than the budget has, until the period's end or one rolling window from now;"
        " absent with less than a day's worth of events.",
        labels=OBJECTIVE,
    )
    for verdict in verdicts:
        for window, rate in burn_rates(verdict).items():
            burn.add_metric((*verdict.key, window), rate)
        parts = verdict.budget
        for part, amount in (("total", parts.total), ("spent", parts.spent), ("left", parts.left)):
            budget.add_metric((*verdict.key, part), amount)
        if verdict.exhausted_in is not None:
            exhausted.add_metric(verdict.key, verdict.exhausted_in)
        if verdict.forecast is not None:
            missed.add_metric(verdict.key, verdict.forecast.miss_chance)
    yield from (burn, budget, exhausted, missed)


def burn_rates(verdict: Verdict) -> dict[str, float]:
    """Burn rate by window ("1h"), longest first; windows without events are left out."""
    rates = {verdict.window_seconds: verdict.burn_rate}
    for tier in verdict.tiers:
        rates.update((window.seconds, window.burn_rate) for window in tier.windows)
    longest_first = sorted(rates.items(), reverse=True)
    return {format_duration(seconds): rate for seconds, rate in longest_first if rate is not None}


def _prober(views: Sequence[ContractView]) -> Iterator[Metric]:
    label = ("contract",)
    skipped = CounterMetricFamily("keeptime_probe_skipped", "Due probes that did not leave.", labels=label)
    late = CounterMetricFamily(
        "keeptime_probe_late", "Probes that left over 1 ms after they were due.", labels=label
    )
    lag = CounterMetricFamily("keeptime_probe_lag_seconds", "Sum of the prober's own lag.", labels=label)
    worst = GaugeMetricFamily(
        "keeptime_probe_lag_worst_seconds", "Worst lag of one probe since start.", labels=label
    )
    in_flight = GaugeMetricFamily("keeptime_probe_in_flight", "Probes that have not ended.", labels=label)
    for view in views:
        name = (view.contract.name,)
        skipped.add_metric(name, view.counters.skipped)
        late.add_metric(name, view.counters.late)
        lag.add_metric(name, view.counters.lag_seconds)
        worst.add_metric(name, view.counters.lag_worst)
        in_flight.add_metric(name, view.in_flight)
    yield from (skipped, late, lag, worst, in_flight)


def _sources(views: Sequence[ContractView]) -> Iterator[Metric]:
    reads = CounterMetricFamily(
        "keeptime_source_reads", "Reads of a contract's series in Prometheus.", labels=("contract", "result")
    )
    problem = GaugeMetricFamily(
        "keeptime_source_problem", "1 while a contract's series cannot be read.", labels=("contract",)
    )
    for view in views:
        for result, count in sorted(view.reads.items()):
            reads.add_metric((view.contract.name, result), count)
        problem.add_metric((view.contract.name,), bool(view.source_problem))
    yield from (reads, problem)


def _deliveries(views: Sequence[DeliveryView]) -> Iterator[Metric]:
    """Receivers of one kind and audience are one series: what tells them apart may be a secret."""
    done, waiting, dead, lost = (Counter[tuple[str, ...]]() for _ in range(4))
    oldest = dict[tuple[str, ...], float]()
    for view in views:
        key = (view.contract, view.audience, view.address.partition(":")[0])
        done[*key, "delivered"] += view.delivered
        done[*key, "failed"] += view.failed_attempts
        waiting[key] += view.waiting
        dead[key] += view.dead_letters
        lost[key] += view.given_up
        oldest[key] = max(oldest.get(key, 0.0), view.oldest_waiting_seconds)
    total = CounterMetricFamily(
        "keeptime_deliveries", "Attempts to deliver a message, by result.", labels=(*RECEIVER, "result")
    )
    now = GaugeMetricFamily("keeptime_deliveries_waiting", "Messages not delivered yet.", labels=RECEIVER)
    age = GaugeMetricFamily(
        "keeptime_delivery_oldest_waiting_seconds",
        "Age of the oldest message not delivered yet; absent when none waits.",
        labels=RECEIVER,
    )
    given_up = GaugeMetricFamily(
        "keeptime_dead_letters", "Messages that were given up, and neither replayed nor discarded.", labels=RECEIVER
    )
    ever = CounterMetricFamily(
        "keeptime_messages_given_up", "Messages given up since keeptime started.", labels=RECEIVER
    )
    for labels, count in dead.items():
        given_up.add_metric(labels, count)
        ever.add_metric(labels, lost[labels])
    for labels, count in done.items():
        total.add_metric(labels, count)
    for labels, count in waiting.items():
        now.add_metric(labels, count)
        if count:
            age.add_metric(labels, oldest[labels])
    yield from (total, now, age, given_up, ever)


def _self(snapshot: Snapshot) -> Iterator[Metric]:
    health = snapshot.health
    yield InfoMetricFamily("keeptime_build", "The version that runs.", {"version": __version__})
    yield GaugeMetricFamily("keeptime_start_timestamp_seconds", "When it started.", health.started)
    yield GaugeMetricFamily(
        "keeptime_health_problems", "Reasons why keeptime itself is not well; see /healthz.", len(health.problems)
    )
    yield GaugeMetricFamily(
        "keeptime_reload_refused", "1 if the last reload of the contracts was refused.", bool(snapshot.reload_error)
    )
    yield GaugeMetricFamily(
        "keeptime_loop_lag_seconds", "How long keeptime stood still, at most, in the last minute.", health.loop_lag
    )
    yield GaugeMetricFamily(
        "keeptime_clock_step_seconds",
        "How far the machine's clock is ahead of keeptime's, where keeptime does not follow it; else 0.",
        health.clock_step,
    )
    if health.last_tick_at is not None:
        yield GaugeMetricFamily(
            "keeptime_last_tick_timestamp_seconds", "End of the last tick judged.", health.last_tick_at
        )
    if health.last_commit_at is not None:
        yield GaugeMetricFamily(
            "keeptime_last_commit_timestamp_seconds", "When a tick was last made durable.", health.last_commit_at
        )


def _engine(snapshot: Snapshot) -> Iterator[Metric]:
    """What the probe engine says of itself: a name that ends in `_total` is a counter, any other a gauge."""
    for key, value in sorted(snapshot.engine.items()):
        name = f"keeptime_engine_{re.sub(r'[^a-zA-Z0-9_]', '_', key)}"
        words = key.removesuffix("_total").replace("_", " ")
        if key.endswith("_total"):
            yield CounterMetricFamily(name.removesuffix("_total"), f"Probe engine: {words}.", value)
        else:
            yield GaugeMetricFamily(name, f"Probe engine: {words}.", value)
