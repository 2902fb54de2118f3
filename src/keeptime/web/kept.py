"""Periods and percentiles as plain JSON values, and in the few words that the first page has for them.

Guarantees: a missing number is null, never 0 or NaN; a percentile has its bounds. Knows nothing of HTTP.
"""

from keeptime.app.periods import ComplianceView, PeriodView
from keeptime.model.compliance import Assessment, Basis
from keeptime.model.latency import Latency, Quantile
from keeptime.units import shown_interval, speak_duration
from keeptime.web.terms import Json, credit_json, shown_credit

__all__ = ["Json", "compliance_json", "latency_json", "period_json", "shown_compliance", "shown_latency"]


def period_json(view: PeriodView) -> dict[str, Json]:
    """A period that is over, with its verdict."""
    found = view.assess()
    return {"objective": view.objective, **_said(found), **_period(view), "credit": credit_json(view, found)}


def compliance_json(view: ComplianceView) -> dict[str, Json] | None:
    """The present period so far, and the last one that is over; null before the first verdict."""
    if view.present is None:
        return None
    last = None if view.last is None else _last(view.last)
    return {**_said(view.present.assess()), "period": _period(view.present), "last": last}


def _last(view: PeriodView) -> dict[str, Json]:
    found = view.assess()
    return {**_said(found), **_period(view), "credit": credit_json(view, found)}


def _said(found: Assessment) -> dict[str, Json]:
    return {
        "state": found.state,
        "interval": [found.low, found.high],
        "needed": found.needed,
        "reason": found.reason,
    }


def _period(view: PeriodView) -> dict[str, Json]:
    counts = view.counts
    return {
        "name": view.name,
        "promise": view.promise,
        "start": view.start,
        "end": view.end,
        "since": view.since,
        "target": float(view.target),
        "basis": view.basis,
        "good": counts.good,
        "bad": counts.bad,
        "skipped": counts.skipped,
        "missing": counts.missing,
        "excluded": counts.excluded,
    }


def latency_json(latency: Latency | None) -> dict[str, Json] | None:
    """Percentiles of the requests that succeeded; null where there are none to tell."""
    if latency is None:
        return None
    quantiles: dict[str, Json] = {each.name: quantile_json(each) for each in latency.quantiles}
    return {"seconds": latency.seconds, "requests": latency.requests, **quantiles}


def quantile_json(one: Quantile) -> dict[str, Json]:
    """A percentile with its bounds."""
    return {"value": one.value, "low": one.low, "high": one.high}


def shown_compliance(view: ComplianceView) -> tuple[str, ...]:
    """One line each: the period that is lived, and the last one that is over; none before the first verdict."""
    now, last = view.present, view.last
    lines = (
        () if now is None else (_line(f"{now.name}, if it ended now" if now.lived else f"last {now.name}", now),)
    )
    return lines if last is None else (*lines, _line(last.name, last))


def _line(when: str, view: PeriodView) -> str:
    """ "2026-10: met (SLI 99.2% to 99.4% with 95% confidence)"."""
    found = view.assess()
    basis = "" if view.basis is Basis.COUNTED else " with 95% confidence"
    credit = shown_credit(view, found)
    said = f"{when}: {found.state} (SLI {shown_interval(found.low, found.high)}{basis})"
    return f"{said}; {credit}" if credit else said


def shown_latency(latency: Latency | None) -> str:
    """ "p50 21.3 ms ±0.23 ms, p99 100 ms to 250 ms"; empty where there is nothing to tell."""
    return "" if latency is None else ", ".join(_shown(each) for each in latency.quantiles)


def _shown(one: Quantile) -> str:
    if one.high is None:
        return f"{one.name} over {speak_duration(one.low)}"
    if one.value is None:
        return f"{one.name} {speak_duration(one.low)} to {speak_duration(one.high)}"
    share = (one.high - one.low) / (one.high + one.low) if one.high else 0.0
    return f"{one.name} {speak_duration(one.value)} ±{share * 100:.1f}%"
