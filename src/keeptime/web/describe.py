"""The daemon's snapshot as plain JSON values: what the API answers with.

Guarantees: the field names of the stable `status` and `probe` JSON; a missing number is null, never 0 or NaN;
no query string of an endpoint and no secret is in it. Knows nothing of HTTP.
"""

from typing import cast
from urllib.parse import urlsplit, urlunsplit

from keeptime.app.view import ContractView, DeliveryView, Health, PairView, Snapshot
from keeptime.contract.terms import Contract, Objective
from keeptime.judge.reason import promise
from keeptime.model.figures import stream_figures
from keeptime.model.sample import Sample
from keeptime.model.verdict import Forecast, TierReport, Verdict, WindowCount
from keeptime.web.beside import beside_json, beside_of
from keeptime.web.kept import Json, compliance_json, latency_json
from keeptime.web.marks import marks_json
from keeptime.web.terms import objective_json, other_terms_json, stated_json, together_json
from keeptime.web.told import told_json
from keeptime.web.traffic import signals_json, traffic_json

PHASES = ("dns", "connect", "tls", "write", "wait", "transfer")


def shown_url(url: str) -> str:
    """A URL fit to show: without userinfo, query and fragment, where keys and tokens are put."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def url_of(contract: Contract) -> str:
    """Where the contract is observed: its endpoint, or the Prometheus that is read."""
    if contract.source is not None:
        return contract.source.url
    return "" if contract.endpoint is None else contract.endpoint.url


def shown_observed(contract: Contract) -> str:
    """What is observed, fit to show."""
    if contract.traffic and not contract.probes:
        return ", ".join(each.said for each in contract.traffic)
    kind = "counts from" if contract.endpoint is None else contract.endpoint.method
    return f"{kind} {shown_url(url_of(contract))}"


def shown_receiver(address: str) -> str:
    """The receiver's kind, and its reference where that is one; of a literal URL the host alone."""
    kind, _, target = address.partition(":")
    if target.startswith(("env:", "file:")) or not target:
        return address
    parts = urlsplit(target)
    return f"{kind}:{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else kind


def without_query(text: str, url: str) -> str:
    """`text` with the query of this URL cut out, should an error message have quoted it."""
    query = urlsplit(url).query
    return text.replace(query, "…") if query else text


def probe_json(sample: Sample, url: str) -> dict[str, Json]:
    """One probe: the stable `probe` JSON and more. Times are seconds; `at` is Unix seconds."""
    return {
        "contract": sample.contract,
        "success": sample.failure is None,
        "latency_seconds": sample.latency_ns / 1e9,
        "status": sample.status,
        "failure": sample.failure,
        "phases": {name: getattr(sample.phases, name) / 1e9 for name in PHASES},
        "at": sample.sent_ns / 1e9,
        "size_bytes": sample.size,
        "connection": sample.connection,
        "stream": cast(Json, stream_figures(sample)),
        "detail": without_query(sample.detail, url),
    }


def contracts_json(snapshot: Snapshot) -> dict[str, Json]:
    """Every contract: the stable `status` JSON and more."""
    return {
        "at": snapshot.at,
        "tick_seconds": snapshot.tick_seconds,
        "reload_error": snapshot.reload_error or None,
        "ledger": str(snapshot.ledger),
        "contracts": [
            _contract(view, snapshot) | {"told": told_json(snapshot.told, view.contract.name)}
            for view in snapshot.contracts
        ],
    }


def health_json(health: Health) -> dict[str, Json]:
    """Is keeptime itself well? Ages are seconds; null before the first tick."""
    last = health.last_tick_at
    return {
        "healthy": not health.problems,
        "started": health.started,
        "uptime_seconds": health.now - health.started,
        "last_tick_age_seconds": None if last is None else max(0.0, health.now - last),
        "last_commit_at": health.last_commit_at,
        "problems": list(health.problems),
    }


def pair_json(view: PairView | None) -> dict[str, Json]:
    """Of a pair, who leads; nothing where there is only one."""
    if view is None:
        return {}
    leader: Json = {"holder": view.holder, "url": view.url, "since": view.since} if view.holder else None
    return {"pair": {"leads": view.leads, "may_send": view.may_send, "term": view.term, "leader": leader}}


def _contract(view: ContractView, snapshot: Snapshot) -> dict[str, Json]:
    contract = view.contract
    last = view.last_sample
    return {
        "contract": contract.name,
        "provider": contract.provider,
        "model": contract.model,
        "endpoint": shown_url(url_of(contract)),
        "source_problem": view.source_problem or None,
        "version": contract.version,
        "requests": view.counters.requests,
        "failures": {failure.value: count for failure, count in sorted(view.counters.failures.items())},
        "probes_skipped": view.counters.skipped,
        "in_flight": view.in_flight,
        "last_probe": None if last is None else probe_json(last, url_of(contract)),
        "latency": latency_json(view.latency),
        "latency_by_signal": signals_json(view),
        "traffic": traffic_json(view),
        "objectives": [
            {
                **_objective(objective, verdict),
                **marks_json(snapshot, contract.key(objective)),
                "compliance": compliance_json(kept),
                "beside": beside_json(beside_of(view).get(objective.name)),
            }
            for objective, verdict, kept in zip(contract.objectives, view.verdicts, view.compliance, strict=True)
        ],
        "together": together_json(view),
        "other_terms": other_terms_json(view),
        "stated": stated_json(contract),
        "deliveries": [_delivery(each) for each in snapshot.deliveries if each.contract == contract.name],
    }


def _objective(objective: Objective, verdict: Verdict | None) -> dict[str, Json]:
    terms: dict[str, Json] = {
        "name": objective.name,
        "promise": promise(objective),
        "target": float(objective.target),
        "threshold_seconds": objective.under,
        "policy": objective.policy.kind,
        **objective_json(objective),
    }
    return terms | (_nothing_yet() if verdict is None else _verdict(verdict))


def _nothing_yet() -> dict[str, Json]:
    names = ("condition", "severity", "since", "at", "good", "bad", "skipped", "excluded", "sli", "burn_rate")
    nothing: dict[str, Json] = dict.fromkeys(
        (*names, "window_seconds", "budget", "exhausted_in_seconds", "forecast")
    )
    return nothing | {"tiers": [], "reason": "no tick has ended yet, so there is no verdict"}


def _verdict(verdict: Verdict) -> dict[str, Json]:
    budget = verdict.budget
    return {
        "condition": verdict.condition,
        "severity": verdict.severity,
        "since": verdict.since,
        "at": verdict.at,
        "window_seconds": verdict.window_seconds,
        "good": verdict.good,
        "bad": verdict.bad,
        "skipped": verdict.skipped,
        "excluded": verdict.excluded,
        "sli": verdict.sli,
        "burn_rate": verdict.burn_rate,
        "budget": {"total": budget.total, "spent": budget.spent, "left": budget.left},
        "exhausted_in_seconds": verdict.exhausted_in,
        "forecast": None if verdict.forecast is None else _forecast(verdict.forecast),
        "tiers": [_tier(tier) for tier in verdict.tiers],
        "reason": verdict.reason,
    }


def _forecast(forecast: Forecast) -> dict[str, Json]:
    return {
        "miss_chance": forecast.miss_chance,
        "until": forecast.until,
        "ends_at": forecast.ends_at,
        "ends_between": forecast.ends_between,
        "days": forecast.days,
    }


def _tier(tier: TierReport) -> dict[str, Json]:
    return {
        "name": tier.name,
        "severity": tier.severity,
        "state": tier.state,
        "burn_limit": tier.burn_limit,
        "windows": [_window(window) for window in tier.windows],
        "run": None if tier.run is None else _window(tier.run),
        "cleared": tier.cleared,
    }


def _window(window: WindowCount) -> dict[str, Json]:
    return {"seconds": window.seconds, "good": window.good, "bad": window.bad, "burn_rate": window.burn_rate}


def _delivery(view: DeliveryView) -> dict[str, Json]:
    return {
        "audience": view.audience,
        "receiver": shown_receiver(view.address),
        "delivered": view.delivered,
        "failed_attempts": view.failed_attempts,
        "waiting": view.waiting,
        "oldest_waiting_seconds": view.oldest_waiting_seconds if view.waiting else None,
        "last_error": view.last_error or None,
        "dead_letters": view.dead_letters,
        "dead_reason": view.dead_reason or None,
        "muted": view.muted,
    }
